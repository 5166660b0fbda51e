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
    expected = jnp.linalg.svd(teacher, compute_uv=False)
    modes = int(jnp.sum(expected > 1e-6 * expected[0]))
    threshold = LEARNT * expected[modes - 1]

    def product(params: Params) -> Float[Array, "outputs inputs"]:
        return network.apply(params, method="product")

    def values(params: Params) -> Float[Array, " modes"]:
        return jnp.linalg.svd(product(params), compute_uv=False)

    return {
        "singular_value": lambda params: {f"modes.{i}": value for i, value in enumerate(values(params)[:modes])},
        "rank": lambda params: jnp.sum(values(params) > threshold).astype(jnp.float32),
        "population_loss": lambda params: jnp.sum((product(params) - teacher) ** 2) / 2,
    }
