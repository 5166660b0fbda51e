"""Stochastic gradient Hamiltonian Monte Carlo (Chen, Fox and Guestrin 2014), localised."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ontogeny.sampling.kernels.kernel import (
    FRICTION,
    AutoStep,
    Draw,
    Limits,
    Objective,
    Randomness,
    StepSize,
    check_friction,
    check_step_size,
)
from ontogeny.sampling.posterior import LocalPosterior


class SGHMCState(NamedTuple):
    position: Float[Array, " parameters"]
    velocity: Float[Array, " parameters"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class SGHMC(AutoStep):
    """v ← (1 - α) v - (ε/2) (nβ ∇L_b(w) + γ (w - w*)) + N(0, α ε), then w ← w + v.

    This is equation 15 of the paper with learning rate η = ε/2 and no estimate of the gradient's noise. With α = 1 it is SGLD
    with the same ε.

    Attributes:
        step_size: ε.
        friction: α, the share of the velocity lost in a step; None or "auto" for one that `calibrate` and `estimate_llc` choose.
    """

    step_size: StepSize = 1e-4
    friction: float | None = 0.1

    @property
    def limits(self) -> Limits | None:
        """The variance on a quadratic is that of a second-order autoregression: (1/a) / (1 - ε a / (4 (2 - α)))."""
        friction = FRICTION if self.friction is None else self.friction
        return Limits(stable_below=4 * (2 - friction), injected=friction)

    def check(self, *, full_batch: bool) -> None:
        check_step_size(self.step_size)
        check_friction(self.friction)

    def init(self, posterior: LocalPosterior, objective: Objective) -> SGHMCState:
        return SGHMCState(posterior.center, jnp.zeros_like(posterior.center))

    def step(
        self,
        state: SGHMCState,
        posterior: LocalPosterior,
        objective: Objective,
        random: Randomness,
        burning_in: Bool[Array, ""] | bool = False,
    ) -> tuple[SGHMCState, Draw]:
        assert self.friction is not None
        value, gradient = objective(state.position)
        force = self.step_size / 2 * posterior.potential_gradient(state.position, gradient)
        noise = jnp.sqrt(self.friction * self.step_size) * posterior.tangent(random.noise)
        velocity = (1 - self.friction) * state.velocity - force + noise
        return SGHMCState(state.position + velocity, velocity), Draw(state.position, value)


build = SGHMC
