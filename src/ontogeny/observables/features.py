"""Norms and dimensionalities of features in superposition (Elhage et al. 2022, "Toy Models of Superposition")."""

from collections.abc import Mapping

import jax.numpy as jnp
from jaxtyping import Array, Float

from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import ObservableFunction, Params, Task

NEEDS = Needs(methods=("feature_vectors",))


def build(network: Network, task: Task) -> Mapping[str, ObservableFunction]:
    """Return `feature_norm` and `feature_dimensionality` of each component `features.i`, and `dimensions_per_feature`."""

    def vectors(params: Params) -> Float[Array, "hidden features"]:
        return network.apply(params, method="feature_vectors")

    return {
        "feature_norm": lambda params: per_feature(jnp.linalg.norm(vectors(params), axis=0)),
        "feature_dimensionality": lambda params: per_feature(dimensionality(vectors(params))),
        "dimensions_per_feature": lambda params: dimensions_per_feature(vectors(params)),
    }


def per_feature(values: Float[Array, " features"]) -> dict[str, Float[Array, ""]]:
    return {f"features.{index}": value for index, value in enumerate(values)}


def dimensionality(vectors: Float[Array, "hidden features"]) -> Float[Array, " features"]:
    """Return D_i = |W_i|² / Σ_j (W_i/|W_i| · W_j)², the share of a dimension that feature i has; 0 for a zero column."""
    squared_norm = jnp.sum(vectors**2, axis=0)
    overlap = jnp.sum((vectors.T @ vectors) ** 2, axis=1)
    return jnp.where(overlap > 0, squared_norm**2 / jnp.where(overlap > 0, overlap, 1), 0)


def dimensions_per_feature(vectors: Float[Array, "hidden features"]) -> Float[Array, ""]:
    """Return m / |W|_F², the hidden dimensions over the number of features that are represented."""
    return vectors.shape[0] / jnp.sum(vectors**2)
