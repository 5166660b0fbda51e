"""The critical point of the toy model of superposition that a network is near (Chen et al. 2023).

A k-gon has k corners of the convex hull of the columns of W. The levels k, k+ and k++ differ in the number of dead features
with a positive bias; each of these lowers the population loss by 1 / (4 features²).
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import ObservableFunction, Params, Task

DIRECTIONS = 720
"""Corners are looked for in this many directions; a corner that is extreme over less than half a degree may be missed."""
LONGEST_DEAD = 0.5
"""A column counts as dead below this length, half of the length of the columns in the smallest polygons."""


def plane(network: Network, task: Task) -> tuple[str, ...]:
    """Return a phrase unless the feature vectors lie in a plane."""
    vectors = jax.eval_shape(lambda key: network.apply(network.init(key), method="feature_vectors"), jax.random.key(0))
    return () if vectors.shape[0] == 2 else ("two hidden dimensions",)


NEEDS = Needs(methods=("feature_vectors", "feature_biases"), provides=("population_loss",), more=plane)


def build(network: Network, task: Task) -> Mapping[str, ObservableFunction]:
    """Return `population_loss` (exact), `polygon_vertices` and `positive_dead_biases`."""

    def parts(params: Params) -> tuple[Float[Array, "2 features"], Float[Array, " features"]]:
        return network.apply(params, method="feature_vectors"), network.apply(params, method="feature_biases")

    return {
        "population_loss": lambda params: task.provides["population_loss"](*parts(params)),
        "polygon_vertices": lambda params: hull_corners(parts(params)[0]),
        "positive_dead_biases": lambda params: positive_dead_biases(*parts(params)),
    }


def hull_corners(points: Float[Array, "2 points"]) -> Int[Array, ""]:
    """Return the number of corners of the convex hull: points that are farthest out in some direction."""
    angles = 2 * jnp.pi * jnp.arange(DIRECTIONS, dtype=float) / DIRECTIONS
    farthest = jnp.argmax(jnp.stack([jnp.cos(angles), jnp.sin(angles)], axis=1) @ points, axis=1)
    return jnp.sum(jnp.bincount(farthest, length=points.shape[1]) > 0)


def positive_dead_biases(vectors: Float[Array, "2 features"], biases: Float[Array, " features"]) -> Int[Array, ""]:
    """Return the number of dead features with a positive bias."""
    return jnp.sum((jnp.linalg.norm(vectors, axis=0) < LONGEST_DEAD) & (biases > 0))
