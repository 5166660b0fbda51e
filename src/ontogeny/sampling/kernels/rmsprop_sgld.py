"""RMSProp-preconditioned SGLD (Li et al. 2016), localised, with its preconditioner frozen once burn-in ends."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ontogeny.sampling.kernels.kernel import (
    AutoStep,
    Draw,
    Limits,
    Objective,
    Randomness,
    StepSize,
    check_positive,
    check_step_size,
)
from ontogeny.sampling.posterior import LocalPosterior


class RMSPropSGLDState(NamedTuple):
    position: Float[Array, " parameters"]
    second_moment: Float[Array, " parameters"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class RMSPropSGLD(AutoStep):
    """SGLD with a step of its own for every parameter, ε_i = ε / (√v_i + a).

    v ← β₂ v + (1 - β₂) g², with g = ∇L_b(w) the gradient of the batch loss alone, v = 1 before the first step, and no bias
    correction. While v follows w, the stationary distribution of the chain is not the local posterior, since the divergence of
    the preconditioner is left out, and λ̂ is too high. With `freeze`, v keeps its value from the end of burn-in on, and the
    chain is SGLD with steps ε_i. v forgets its start slowly: burn-in should be at least ln(100 / g²) / (1 - β₂).

    Attributes:
        step_size: ε.
        decay: β₂.
        stability: a.
        freeze: whether v keeps the value that it has when burn-in ends.
    """

    step_size: StepSize = 1e-4
    decay: float = 0.999
    stability: float = 0.1
    freeze: bool = True

    @property
    def limits(self) -> Limits | None:
        return None

    def check(self, *, full_batch: bool) -> None:
        check_step_size(self.step_size)
        check_positive("stability", self.stability)
        if not 0 <= self.decay <= 1:
            raise ValueError(f"sampler: decay must lie between 0 and 1, got {self.decay}")

    def init(self, posterior: LocalPosterior, objective: Objective) -> RMSPropSGLDState:
        return RMSPropSGLDState(posterior.center, jnp.ones_like(posterior.center))

    def step(
        self,
        state: RMSPropSGLDState,
        posterior: LocalPosterior,
        objective: Objective,
        random: Randomness,
        burning_in: Bool[Array, ""] | bool = False,
    ) -> tuple[RMSPropSGLDState, Draw]:
        value, gradient = objective(state.position)
        followed = self.decay * state.second_moment + (1 - self.decay) * gradient**2
        second_moment = jnp.where(burning_in | jnp.logical_not(self.freeze), followed, state.second_moment)
        steps = self.step_size / (jnp.sqrt(second_moment) + self.stability)
        drift = steps / 2 * posterior.potential_gradient(state.position, gradient)
        move = posterior.tangent(jnp.sqrt(steps) * random.noise - drift)
        return RMSPropSGLDState(state.position + move, second_moment), Draw(state.position, value)


build = RMSPropSGLD
