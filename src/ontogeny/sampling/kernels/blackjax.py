"""NUTS and MCLMC of BlackJAX, as references for small models: they sample the same local posterior on the full data."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from blackjax.adaptation.step_size import DualAveragingAdaptationState, dual_averaging_adaptation
from blackjax.mcmc import hmc, mclmc, nuts
from jaxtyping import Array, Bool, Float

from ontogeny.sampling.kernels.kernel import Draw, Objective, Randomness, check_full_batch, check_positive, check_step_size
from ontogeny.sampling.posterior import LocalPosterior

TARGET_ACCEPTANCE = 0.8


def log_density(posterior: LocalPosterior, objective: Objective) -> Callable[[Float[Array, " parameters"]], Float[Array, ""]]:
    """Return log p(w) up to a constant. Directions that do not move get an independent standard normal distribution."""

    def at(position: Float[Array, " parameters"]) -> Float[Array, ""]:
        moved = position - posterior.center
        tangent = posterior.tangent(moved)
        value, _ = objective(posterior.center + tangent)
        return -posterior.potential(posterior.center + tangent, value) - jnp.sum((moved - tangent) ** 2) / 2

    return at


def draw_at(position: Any, posterior: LocalPosterior, objective: Objective) -> Draw:
    """Return the draw of the local posterior at a position of the sampler."""
    position = posterior.center + posterior.tangent(position - posterior.center)
    return Draw(position, objective(position)[0])


class NUTSState(NamedTuple):
    chain: hmc.HMCState
    adaptation: DualAveragingAdaptationState

    @property
    def position(self) -> Any:
        return self.chain.position


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class NUTS:
    """The no-U-turn sampler (Hoffman and Gelman 2014). Burn-in adapts its step to an acceptance of .8.

    Attributes:
        step_size: of the leapfrog integrator, before adaptation.
    """

    step_size: float = 1e-2

    @property
    def limits(self) -> None:
        return None

    def check(self, *, full_batch: bool) -> None:
        check_step_size(self.step_size)
        check_full_batch("NUTS", full_batch)

    def init(self, posterior: LocalPosterior, objective: Objective) -> NUTSState:
        start, _, _ = dual_averaging_adaptation(TARGET_ACCEPTANCE)
        step_size = jnp.asarray(self.step_size, posterior.center.dtype)
        adaptation = start(step_size)._replace(log_step_size_avg=jnp.log(step_size))  # used if there is no burn-in
        return NUTSState(hmc.init(posterior.center, log_density(posterior, objective)), adaptation)

    def step(
        self,
        state: NUTSState,
        posterior: LocalPosterior,
        objective: Objective,
        random: Randomness,
        burning_in: Bool[Array, ""] | bool = False,
    ) -> tuple[NUTSState, Draw]:
        _, update, final = dual_averaging_adaptation(TARGET_ACCEPTANCE)
        step_size: Any = jnp.where(burning_in, jnp.exp(state.adaptation.log_step_size), final(state.adaptation))
        density = log_density(posterior, objective)
        metric: Any = jnp.ones_like(posterior.center)
        chain, info = nuts.build_kernel()(random.key, state.chain, density, step_size, metric)
        adapted = update(state.adaptation, info.acceptance_rate)
        adaptation = jax.tree.map(lambda new, old: jnp.where(burning_in, new, old), adapted, state.adaptation)
        return NUTSState(chain, adaptation), draw_at(chain.position, posterior, objective)


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class MCLMC:
    """Microcanonical Langevin Monte Carlo (Robnik et al. 2023), unadjusted: its bias falls with the step.

    Attributes:
        step_size: of the isokinetic integrator.
        decoherence_length: L, after which the direction of motion is forgotten; about √d standard deviations.
    """

    step_size: float = 1e-2
    decoherence_length: float = 1.0

    @property
    def limits(self) -> None:
        return None

    def check(self, *, full_batch: bool) -> None:
        check_step_size(self.step_size)
        check_positive("decoherence_length", self.decoherence_length)
        check_full_batch("MCLMC", full_batch)

    def init(self, posterior: LocalPosterior, objective: Objective) -> Any:
        # All chains start in one direction; the random numbers of their steps make it forgotten within L.
        return mclmc.init(posterior.center, log_density(posterior, objective), jax.random.key(0))

    def step(
        self,
        state: Any,
        posterior: LocalPosterior,
        objective: Objective,
        random: Randomness,
        burning_in: Bool[Array, ""] | bool = False,
    ) -> tuple[Any, Draw]:
        kernel = mclmc.build_kernel()
        density = log_density(posterior, objective)
        length, ones = self.decoherence_length, jnp.ones_like(posterior.center)
        state, _ = kernel(random.key, state, density, ones, length, self.step_size)
        return state, draw_at(state.position, posterior, objective)
