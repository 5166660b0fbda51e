"""The local posterior at a checkpoint, p(w) ∝ exp(-nβ L_n(w) - (γ/2)|w - w*|²), and the directions in which chains may move."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

NEGLIGIBLE = 0.01
"""A shift of the mean, in standard deviations."""


class LocalPosterior(NamedTuple):
    """All of a local posterior but its loss.

    Attributes:
        center: w*.
        inverse_temperature: nβ.
        localization: γ.
        mask: 1 at the parameters that move, 0 at those that stay; None where all move.
        normal: unit vector inside the mask; chains stay in the hyperplane through w* that it is normal to. None or zero for no
            hyperplane.
    """

    center: Float[Array, " parameters"]
    inverse_temperature: Float[Array, ""] | float
    localization: Float[Array, ""] | float
    mask: Float[Array, " parameters"] | None = None
    normal: Float[Array, " parameters"] | None = None

    def tangent(self, vector: Float[Array, " parameters"]) -> Float[Array, " parameters"]:
        """Return the part of a vector along which chains may move: inside the mask, and orthogonal to `normal`."""
        vector = vector if self.mask is None else vector * self.mask
        return vector if self.normal is None else vector - jnp.vdot(self.normal, vector) * self.normal

    def potential_gradient(
        self, position: Float[Array, " parameters"], gradient: Float[Array, " parameters"]
    ) -> Float[Array, " parameters"]:
        """Return the tangent part of nβ ∇L(w) + γ (w - w*), which is minus the gradient of log p, given ∇L(w)."""
        return self.tangent(self.inverse_temperature * gradient + self.localization * (position - self.center))

    def potential(self, position: Float[Array, " parameters"], value: Float[Array, ""]) -> Float[Array, ""]:
        """Return nβ (L(w) - L(w*)) + (γ/2)|w - w*|², which is -log p up to a constant, given L(w) - L(w*)."""
        moved = position - self.center
        return self.inverse_temperature * value + self.localization / 2 * jnp.vdot(moved, moved)

    def dimension(self) -> Float[Array, ""]:
        """Return the number of directions in which chains may move."""
        free = jnp.asarray(self.center.size, self.center.dtype) if self.mask is None else jnp.sum(self.mask)
        return free if self.normal is None else free - jnp.vdot(self.normal, self.normal)

    def is_negligible(self, gradient: Float[Array, " parameters"]) -> Bool[Array, ""]:
        """Return whether ∇L(w*) moves the mean by less than a hundredth of a standard deviation, even in the flattest direction.

        In a direction of curvature h, with a = nβ h + γ, it moves the mean by nβ |∇L| / a, and the standard deviation is
        1/√a: in units of it, at most nβ |∇L| / √γ. Rounding leaves such gradients at every minimum.
        """
        return self.inverse_temperature * jnp.linalg.norm(gradient) <= NEGLIGIBLE * jnp.sqrt(self.localization)
