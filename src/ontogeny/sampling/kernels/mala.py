"""The Metropolis-adjusted Langevin algorithm (Roberts and Tweedie 1996) on the full data: SGLD without its step-size bias."""

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
    check_full_batch,
    check_step_size,
)
from ontogeny.sampling.posterior import LocalPosterior


class MALAState(NamedTuple):
    position: Float[Array, " parameters"]
    value: Float[Array, ""]
    gradient: Float[Array, " parameters"]  # of the potential, its tangent part


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class MALA(AutoStep):
    """The full-batch step of SGLD as a proposal, accepted or rejected by the rule of Metropolis and Hastings.

    A rejected proposal repeats the last draw. The share of accepted proposals falls with the dimension at the same ε a, so it
    compares steps of one model and has no value that suits all.

    Attributes:
        step_size: ε.
    """

    step_size: StepSize = 1e-4

    @property
    def limits(self) -> Limits | None:
        return Limits(stable_below=4.0, injected=1.0)

    def check(self, *, full_batch: bool) -> None:
        check_step_size(self.step_size)
        check_full_batch("MALA", full_batch)

    def init(self, posterior: LocalPosterior, objective: Objective) -> MALAState:
        value, gradient = objective(posterior.center)
        return MALAState(posterior.center, value, posterior.potential_gradient(posterior.center, gradient))

    def step(
        self,
        state: MALAState,
        posterior: LocalPosterior,
        objective: Objective,
        random: Randomness,
        burning_in: Bool[Array, ""] | bool = False,
    ) -> tuple[MALAState, Draw]:
        noise = jnp.sqrt(self.step_size) * posterior.tangent(random.noise)
        position = state.position - self.step_size / 2 * state.gradient + noise
        value, gradient = objective(position)
        proposal = MALAState(position, value, posterior.potential_gradient(position, gradient))
        back = state.position - position + self.step_size / 2 * proposal.gradient
        log_ratio = (
            posterior.potential(state.position, state.value)
            - posterior.potential(position, value)
            + (jnp.vdot(noise, noise) - jnp.vdot(back, back)) / (2 * self.step_size)
        )
        accepted = jnp.log(random.uniform) < log_ratio
        state = jax.tree.map(lambda new, old: jnp.where(accepted, new, old), proposal, state)
        return state, Draw(state.position, state.value)


build = MALA
