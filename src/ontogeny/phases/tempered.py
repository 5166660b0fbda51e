"""The posterior at a growing number of examples, by tempered sequential Monte Carlo (BlackJAX): it crosses between phases.

A chain stays in the phase it starts in; particles that are weighted and resampled from one sample size to the next move the
mass from phase to phase as the posterior itself does (Del Moral, Doucet and Jasra 2006).
"""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import blackjax
import jax
import jax.numpy as jnp
from blackjax.smc import extend_params
from blackjax.smc.resampling import systematic
from jaxtyping import Array, Float, Key

LEAPFROGS = 10
STEP = 0.3
"""Of the leapfrog integrator, in units of the shortest standard deviation, 1 / √(precision + n · curvature)."""


class Tempered(NamedTuple):
    """Particles at every sample size with their weights, which sum to 1, and the log of the evidence ∫ φ(w) exp(-n L(w)) dw.

    φ is the prior.
    """

    particles: Any
    weights: Float[Array, "sizes particles"]
    log_evidence: Float[Array, " sizes"]


def temper(
    loss: Callable[[Any], Float[Array, ""]],
    negative_log_prior: Callable[[Any], Float[Array, ""]],
    start: Any,
    sizes: Float[Array, " sizes"],
    *,
    key: Key[Array, ""],
    curvature: float,
    precision: float = 1.0,
    moves: int = 5,
) -> Tempered:
    """Return samples of p(w) ∝ exp(-n L(w)) φ(w) at each n of `sizes`, traceable by JAX.

    Args:
        loss: L, the mean loss of parameters, a scalar.
        negative_log_prior: -log φ, up to a constant.
        start: particles drawn from the prior, every leaf with a leading axis.
        sizes: increasing sample sizes; the closer, the more even the weights between them.
        curvature: about the largest of L, for the length of the steps.
        precision: the largest curvature of -log φ.
        moves: Hamiltonian trajectories of 10 steps at each size.
    """
    largest = sizes[-1]

    def advance(state: Any, inputs: tuple[Array, Array]) -> tuple[Any, tuple[Any, Array, Array]]:
        size, key = inputs
        parameters = {
            "step_size": STEP / jnp.sqrt(precision + size * curvature),
            "inverse_mass_matrix": jnp.ones(dimension),
            "num_integration_steps": LEAPFROGS,
        }
        kernel: Any = blackjax.tempered_smc(
            lambda w: -negative_log_prior(w),
            lambda w: -largest * loss(w),
            blackjax.hmc.build_kernel(),
            blackjax.hmc.init,
            extend_params(cast(Any, parameters)),
            systematic,
            num_mcmc_steps=moves,
        )
        state, info = kernel.step(key, state, size / largest)
        return state, (state.particles, state.weights, info.log_likelihood_increment)

    dimension = sum(leaf[0].size for leaf in jax.tree.leaves(start))
    initial = blackjax.smc.tempered.init(start)
    _, (particles, weights, increments) = jax.lax.scan(advance, initial, (sizes, jax.random.split(key, sizes.size)))
    return Tempered(particles, weights, jnp.cumsum(increments))
