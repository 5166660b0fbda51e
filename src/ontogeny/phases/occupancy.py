"""The Bayesian transition: which phase the posterior p(w) ∝ exp(-n L(w)) φ(w) of a whole network holds while n grows.

Phases of lower loss and higher λ take over as n grows (Watanabe 2009, section 7.6; Chen et al. 2023, arXiv 2310.06301,
section 4). The prior φ is Gaussian about 0, and L is a loss that does not depend on n, such as the exact population loss.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from ontogeny.phases.tempered import temper

LEAST_HELD = 0.01
"""Two phases are compared at the sizes at which they hold at least this share of the posterior together."""


class Occupancy(NamedTuple):
    """The shares of the phases at every n, from the particles of one run of tempered SMC.

    Attributes:
        shares: of the posterior in each phase; they sum to 1.
        losses: the mean L within each phase; NaN where no particle is in it.
        effective: 1 / Σ weights², as a share of the particles: 1 where all weigh the same.
    """

    shares: Float[Array, "sizes phases"]
    losses: Float[Array, "sizes phases"]
    effective: Float[Array, " sizes"]


@partial(jax.jit, static_argnames=("loss", "phase", "phases", "particles", "moves"))
def occupancy(
    loss: Callable[[Any], Float[Array, ""]],
    phase: Callable[[Any], Int[Array, ""]],
    phases: int,
    parameters: Any,
    sizes: Float[Array, " sizes"],
    *,
    key: Key[Array, ""],
    particles: int,
    prior_variance: float,
    curvature: float,
    moves: int = 5,
) -> Occupancy:
    """Return the share of the posterior in each phase at every n, by tempered SMC; compiled once for a loss and its shapes.

    Args:
        loss: L, the mean loss of parameters.
        phase: the phase that parameters are in, 0 … `phases` - 1.
        parameters: any parameters, for their shapes.
        sizes: increasing n; the closer, the more even the weights.
        prior_variance: of φ = N(0, prior_variance), the same for every parameter.
        curvature: about the largest of L, for the length of the steps.
        moves: Hamiltonian trajectories of each particle from one n to the next.
    """
    start_key, key = jax.random.split(key)
    leaves, tree = jax.tree.flatten(parameters)
    keys = jax.random.split(start_key, len(leaves))
    drawn = [jax.random.normal(leaf_key, (particles, *leaf.shape)) for leaf_key, leaf in zip(keys, leaves, strict=True)]
    start = jax.tree.unflatten(tree, [jnp.sqrt(prior_variance) * leaf for leaf in drawn])

    def negative_log_prior(w: Any) -> Float[Array, ""]:
        return sum((jnp.sum(leaf**2) for leaf in jax.tree.leaves(w)), jnp.zeros(())) / (2 * prior_variance)

    samples = temper(
        loss, negative_log_prior, start, sizes, key=key, curvature=curvature, precision=1 / prior_variance, moves=moves
    )
    inside = jax.nn.one_hot(jax.lax.map(jax.vmap(phase), samples.particles), phases)
    shares = jnp.einsum("np,npk->nk", samples.weights, inside)
    losses = jnp.einsum("np,npk,np->nk", samples.weights, inside, jax.lax.map(jax.vmap(loss), samples.particles)) / shares
    effective = 1 / jnp.sum(samples.weights**2, axis=1) / particles
    return Occupancy(shares, losses, effective)


def crossing(
    sizes: Float[np.ndarray, " sizes"], before: Float[np.ndarray, " sizes"], after: Float[np.ndarray, " sizes"]
) -> float:
    """Return the n above which the second phase holds more of the posterior than the first; NaN where there is none.

    Between two sizes the difference of the shares is taken to be linear in log n.
    """
    held = before + after >= LEAST_HELD
    return last_rise(sizes[held], (after - before)[held])


def last_rise(sizes: Float[np.ndarray, " sizes"], difference: Float[np.ndarray, " sizes"]) -> float:
    """Return where a curve last rises through 0 and stays above; NaN where it ends below 0 or is never below."""
    below = np.flatnonzero(~(difference > 0))
    if not len(below) or below[-1] == len(difference) - 1:
        return float("nan")
    ends = slice(below[-1], below[-1] + 2)
    return float(np.exp(np.interp(0.0, difference[ends], np.log(sizes[ends]))))
