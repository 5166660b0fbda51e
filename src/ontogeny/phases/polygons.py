"""Free energies of the polygons of the toy model of superposition: where its posterior should pass from one to the next.

The phase k holds all parameters near a k-gon (Chen et al. 2023, arXiv 2310.06301); the loss is the exact population loss, the
prior N(0, prior_variance). The known polygons of five corners and more are minima. λ of the 4-gon is not known: its
biases are 0, where the ReLU bends, so that λ depends on the direction.
"""

import math
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float, Int, Key

from ontogeny.estimates.free_energy import critical_sample_size
from ontogeny.models.superposition import LENGTH_AND_BIAS, polygon
from ontogeny.observables.polygons import hull_corners
from ontogeny.phases.occupancy import Occupancy, crossing, last_rise, occupancy
from ontogeny.tasks.sparse_features import population_loss

SMALLEST = 5
CURVATURE = 1.0
"""About the largest of L at its polygons, for the length of the sampler's steps: 0.9 to 2, at five to eight features."""
DEAD_DRAWS, DEAD_SPREAD = 2**16, 0.35
"""Of the dead features, whose loss is flat or nearly so while their columns are shorter than about 0.3."""


class Prediction(NamedTuple):
    """The n at which free energies of two phases cross.

    Attributes:
        leading: of n L + λ log n - log φ, which leaves out all else of order 1.
        with_volumes: of minus the log of the integral over each phase, by Laplace in the polygon.
    """

    leading: float
    with_volumes: float


def polygon_loss(parameters: tuple[Array, Array]) -> Float[Array, ""]:
    """Return L of (W, b)."""
    return population_loss(*parameters)


def corners(parameters: tuple[Array, Array]) -> Int[Array, ""]:
    """Return the phase of (W, b): the number of its columns that are corners of their convex hull."""
    return hull_corners(parameters[0])


def polygon_occupancy(
    features: int,
    sizes: Float[Array, " sizes"],
    *,
    key: Key[Array, ""],
    particles: int,
    prior_variance: float = 1.0,
    moves: int = 5,
) -> Occupancy:
    """Return the share of the posterior at hulls of 0 … `features` corners, at every n: see `occupancy`."""
    return occupancy(
        polygon_loss,
        corners,
        features + 1,
        (jnp.zeros((2, features)), jnp.zeros(features)),
        sizes,
        key=key,
        particles=particles,
        prior_variance=prior_variance,
        curvature=CURVATURE,
        moves=moves,
    )


def polygon_transitions(
    features: int, sizes: Float[np.ndarray, " sizes"], shares: Float[np.ndarray, "repeats sizes phases"], prior_variance: float
) -> list[dict[str, Any]]:
    """Return where the posterior passes from each phase to the next, as measured in each repeat and as predicted.

    `found` is NaN in a repeat without a crossing, the predictions None where the phases' free energies are not known.
    """
    predicted = predictions(features, sizes, prior_variance)
    rows = []
    for k in range(features):
        crossings = [crossing(sizes, share[:, k], share[:, k + 1]) for share in shares]
        if (k, k + 1) in predicted or np.isfinite(crossings).all():
            rows.append(
                {
                    "before": k,
                    "after": k + 1,
                    "found": crossings,
                    "found_mean": float(np.mean(crossings)),
                    "found_standard_deviation": float(np.std(crossings, ddof=1)),
                    "predicted": predicted[k, k + 1]._asdict() if (k, k + 1) in predicted else None,
                }
            )
    return rows


def known_polygons(features: int) -> list[int]:
    """Return the numbers of corners of the polygons that are minima and whose shape is known."""
    return [k for k in LENGTH_AND_BIAS if SMALLEST <= k <= features]


def learning_coefficient(k: int) -> float:
    """Return λ of the k-gon, k ≥ 5: half the rank of the Hessian.

    A corner has three parameters, and the rotation takes one off their sum. Dead features do not count.
    """
    return (3 * k - 1) / 2


def predictions(features: int, sizes: Float[np.ndarray, " sizes"], prior_variance: float) -> dict[tuple[int, int], Prediction]:
    """Return (k, k + 1) -> the n at which the posterior should pass from the k-gon to the (k + 1)-gon, of all known polygons.

    Args:
        sizes: increasing n, among which the crossing of the full free energies is looked for.
    """
    energies = {k: free_energy(k, features, sizes, prior_variance) for k in known_polygons(features)}
    return {
        (k, k + 1): Prediction(leading_crossing(k, features, prior_variance), last_rise(sizes, energies[k] - energies[k + 1]))
        for k in energies
        if k + 1 in energies
    }


def leading_crossing(k: int, features: int, prior_variance: float) -> float:
    """Return the critical sample size of k → k + 1 from n L + λ log n - log φ, with the dead features at 0."""
    before, after = polygon(k, features), polygon(k + 1, features)
    loss = float(population_loss(*after)) - float(population_loss(*before))
    prior = (squares(after) - squares(before)) / (2 * prior_variance)
    return critical_sample_size(loss, learning_coefficient(k + 1) - learning_coefficient(k), prior)[0]


def squares(parameters: tuple[Array, Array]) -> float:
    return float(sum(jnp.sum(leaf**2) for leaf in parameters))


def free_energy(k: int, features: int, sizes: Float[np.ndarray, " sizes"], prior_variance: float) -> Float[np.ndarray, " sizes"]:
    """Return -log ∫ exp(-n L(w)) φ(w) dw over all copies of the k-gon, k ≥ 5.

    The copies: which features are corners, in which cyclic order, and a circle of rotations. Across the circle L is taken to
    second order, and its product with the prior is integrated. The dead features, flat up to where they begin to disturb a
    corner and with a minimum of their own at a positive bias, are integrated by importance sampling at every n. Left out: that
    the corners move when dead features do, and all of L beyond second order.
    """
    weight, bias = polygon(k, features)
    live, make = ravel_pytree((weight[:, :k], bias[:k]))
    base, curvatures, directions = second_order(k, features)
    precisions = 1 + prior_variance * sizes[:, None] * curvatures
    pull = ((np.asarray(live) @ directions) ** 2 / precisions).sum(axis=1)
    quadratic = (np.log(precisions).sum(axis=1) + (float(live @ live) - pull) / prior_variance) / 2
    circle = 2 * math.pi * float(jnp.linalg.norm(weight)) / math.sqrt(2 * math.pi * prior_variance)
    copies = math.comb(features, k) * math.factorial(k - 1) * circle
    return sizes * base + quadratic - math.log(copies) - log_dead(make(live), base, features - k, sizes, prior_variance)


@cache
def second_order(k: int, features: int) -> tuple[float, Float[np.ndarray, " modes"], Float[np.ndarray, "live modes"]]:
    """Return L at the k-gon, and its curvatures and their directions in the corners' parameters, without the rotation."""
    weight, bias = polygon(k, features)
    live, make = ravel_pytree((weight[:, :k], bias[:k]))
    dead = jnp.zeros((2, features - k)), jnp.full(features - k, -1.0)

    def loss(changed: Float[Array, " live"]) -> Float[Array, ""]:
        return joined_loss(make(changed), dead)

    base, hessian = jax.jit(lambda at: (loss(at), jax.hessian(loss)(at)))(live)
    curvatures, directions = np.linalg.eigh(np.asarray(hessian, float))
    return float(base), curvatures[1:], directions[:, 1:]


def joined_loss(live: tuple[Array, Array], dead: tuple[Array, Array]) -> Float[Array, ""]:
    """Return L with the corners' columns and biases, and those of the dead features."""
    return population_loss(*(jnp.concatenate(parts, axis=-1) for parts in zip(live, dead, strict=True)))


def log_dead(
    live: tuple[Array, Array], base: float, count: int, sizes: Float[np.ndarray, " sizes"], prior_variance: float
) -> Float[np.ndarray, " sizes"]:
    """Return log E[exp(-n (L - base))] over the prior of the dead features at fixed corners; 0 where none is dead."""
    if not count:
        return np.zeros(len(sizes))
    weight_key, bias_key = jax.random.split(jax.random.key(0))
    vectors = DEAD_SPREAD * jax.random.normal(weight_key, (DEAD_DRAWS, 2, count))
    biases = math.sqrt(prior_variance) * jax.random.normal(bias_key, (DEAD_DRAWS, count))
    lengths = jnp.sum(vectors**2, axis=(1, 2)) / 2
    weights = lengths * (1 / DEAD_SPREAD**2 - 1 / prior_variance) + count * math.log(DEAD_SPREAD**2 / prior_variance)
    rise = jax.jit(jax.vmap(lambda *dead: joined_loss(live, dead) - base))(vectors, biases)
    return np.asarray(jax.jit(partial(jax.lax.map, lambda n: logsumexp(weights - n * rise)))(sizes)) - math.log(DEAD_DRAWS)
