"""The directions of a linear teacher that a deep linear network has learnt (Saxe et al. 2014)."""

from collections.abc import Mapping

import jax.numpy as jnp
from jaxtyping import Array, Float

from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import ObservableFunction, Params, Task

LEARNT = 0.5
"""A singular value counts towards the rank above this share of the teacher's smallest one."""


NEEDS = Needs(methods=("product",), provides=("teacher",))


def build(network: Network, task: Task) -> Mapping[str, ObservableFunction]:
    """Return `singular_value` of each component `modes.i`, `rank`, and the exact `population_loss`.

    The rank is the number of singular values of the network's map above half of the teacher's smallest one.
    """
    teacher = task.provides["teacher"]
    threshold, modes = rank_threshold(teacher)

    def modes_of(params: Params) -> dict[str, Float[Array, ""]]:
        return {f"modes.{i}": value for i, value in enumerate(product_values(network, params)[:modes])}

    return {
        "singular_value": modes_of,
        "rank": lambda params: jnp.sum(product_values(network, params) > threshold).astype(jnp.float32),
        "population_loss": lambda params: jnp.sum((network.apply(params, method="product") - teacher) ** 2) / 2,
    }


def rank_threshold(teacher: Float[Array, "outputs inputs"]) -> tuple[Float[Array, ""], int]:
    """Return the singular value above which a direction counts as learnt, and the rank of the teacher."""
    expected = jnp.linalg.svd(teacher, compute_uv=False)
    modes = int(jnp.sum(expected > 1e-6 * expected[0]))
    return LEARNT * expected[modes - 1], modes


def product_values(network: Network, params: Params) -> Float[Array, " modes"]:
    """Return the singular values of the map that the network computes, the largest first."""
    return jnp.linalg.svd(network.apply(params, method="product"), compute_uv=False)
