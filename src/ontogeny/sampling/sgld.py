"""Stochastic gradient Langevin dynamics: a kernel is a frozen dataclass of its numbers with a pure `init` and `step`.

Every kernel sees the local posterior p(w) ∝ exp(-nβ L_n(w) - (γ/2)|w - w*|²) through the gradient of the batch loss
alone, a vector of standard normal noise, and a `LocalPosterior` that says the rest. A mask reaches it as a gradient
and noise that are zero outside the mask.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


class LocalPosterior(NamedTuple):
    """The local posterior at a checkpoint, less its loss: centre w*, inverse temperature nβ, localisation γ."""

    center: Float[Array, "parameters"]
    inverse_temperature: Float[Array, ""] | float
    localization: Float[Array, ""] | float

    def potential_gradient(
        self, position: Float[Array, "parameters"], gradient: Float[Array, "parameters"]
    ) -> Float[Array, "parameters"]:
        """nβ ∇L(w) + γ (w - w*): minus the gradient of log p, given ∇L(w)."""
        return self.inverse_temperature * gradient + self.localization * (position - self.center)


class SGLDState(NamedTuple):
    position: Float[Array, "parameters"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class SGLD:
    """w ← w - (ε/2) (nβ ∇L_b(w) + γ (w - w*)) + N(0, ε), the convention of Lau et al. (2023), algorithm 1.

    BlackJAX and Welling and Teh's "step size" η is the coefficient of the drift: η = ε/2.

    Attributes:
        step_size: ε, the variance of the noise of one step. Traced: another value compiles nothing anew.
    """

    step_size: float = 1e-4

    def check(self) -> None:
        """Raise ValueError unless ε is a positive finite number."""
        if not (math.isfinite(self.step_size) and self.step_size > 0):
            raise ValueError(f"sampler: step_size must be positive and finite, got {self.step_size}")

    def init(self, position: Float[Array, "parameters"]) -> SGLDState:
        return SGLDState(position)

    def step(
        self,
        state: SGLDState,
        gradient: Float[Array, "parameters"],
        noise: Float[Array, "parameters"],
        posterior: LocalPosterior,
    ) -> SGLDState:
        """One step, given ∇L_b at the state's position and independent standard normal noise."""
        drift = posterior.potential_gradient(state.position, gradient)
        return SGLDState(state.position - self.step_size / 2 * drift + jnp.sqrt(self.step_size) * noise)
