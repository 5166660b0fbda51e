"""Measure whether a toy model of superposition represents its training points or its features (Henighan et al. 2023).

A vector counts as long above half of the length of the longest of its kind. D is the share of a hidden dimension that a vector
has to itself: 2/T where T points lie on a regular T-gon in the plane, 2/k for a k-gon of features.
"""

from collections.abc import Mapping

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ontogeny.observables.polygons import hull_corners, plane
from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import ObservableFunction, Params, Task

NEEDS = Needs(methods=("feature_vectors",), provides=("training_points",), more=plane)
LONG = 0.5


def build(network: Network, task: Task) -> Mapping[str, ObservableFunction]:
    """Return the norm of W, the number and D of the long features, and D and the corners of the hull of the training points."""
    points = task.provides["training_points"]

    def features(params: Params) -> Float[Array, "hidden features"]:
        return network.apply(params, method="feature_vectors")

    def hidden(params: Params) -> Float[Array, "hidden points"]:
        return features(params) @ points.T

    return {
        "weight_norm": lambda params: jnp.linalg.norm(features(params)),
        "long_features": lambda params: jnp.sum(long(features(params))),
        "long_feature_dimensionality": lambda params: mean_dimensionality(features(params)),
        "data_dimensionality": lambda params: mean_dimensionality(hidden(params)),
        "data_vertices": lambda params: hull_corners(hidden(params)),
    }


def long(vectors: Float[Array, "hidden count"]) -> Bool[Array, " count"]:
    """Return which columns are longer than half of the longest."""
    lengths = jnp.linalg.norm(vectors, axis=0)
    return lengths > LONG * jnp.max(lengths)


def mean_dimensionality(vectors: Float[Array, "hidden count"]) -> Float[Array, ""]:
    """Return the mean over the long columns of D_i = |v_i|² / Σ_j (v_i/|v_i| · v_j)², the sum over all columns.

    Σ_j (u · v_j)² = uᵀ (V Vᵀ) u, so that no matrix of pairs is made.
    """
    squared = jnp.sum(vectors**2, axis=0)
    overlap = jnp.einsum("hc,hk,kc->c", vectors, vectors @ vectors.T, vectors)
    own = squared**2 / jnp.where(overlap > 0, overlap, 1)
    return jnp.mean(own, where=long(vectors) & (overlap > 0))
