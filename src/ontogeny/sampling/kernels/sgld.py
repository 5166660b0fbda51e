"""Stochastic gradient Langevin dynamics (Welling and Teh 2011), localised (Lau et al. 2023, algorithm 1)."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ontogeny.sampling.kernels.kernel import AutoStep, Draw, Limits, Objective, Randomness, StepSize, check_step_size
from ontogeny.sampling.posterior import LocalPosterior


class SGLDState(NamedTuple):
    position: Float[Array, " parameters"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class SGLD(AutoStep):
    """w ← w - (ε/2) (nβ ∇L_b(w) + γ (w - w*)) + N(0, ε), the convention of Lau et al. (2023).

    The "step size" η of BlackJAX and of Welling and Teh is the coefficient of the drift: η = ε/2.

    Attributes:
        step_size: ε, the variance of the noise of one step.
    """

    step_size: StepSize = 1e-4

    @property
    def limits(self) -> Limits | None:
        return Limits(stable_below=4.0, injected=1.0)

    def check(self, *, full_batch: bool) -> None:
        check_step_size(self.step_size)

    def init(self, posterior: LocalPosterior, objective: Objective) -> SGLDState:
        return SGLDState(posterior.center)

    def step(
        self,
        state: SGLDState,
        posterior: LocalPosterior,
        objective: Objective,
        random: Randomness,
        burning_in: Bool[Array, ""] | bool = False,
    ) -> tuple[SGLDState, Draw]:
        value, gradient = objective(state.position)
        drift = posterior.potential_gradient(state.position, gradient)
        noise = jnp.sqrt(self.step_size) * posterior.tangent(random.noise)
        return SGLDState(state.position - self.step_size / 2 * drift + noise), Draw(state.position, value)


build = SGLD
