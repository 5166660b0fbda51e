"""The learning coefficient of a deep linear network that its rank implies, beside which λ̂ can be read (Aoyagi 2024).

λ and its multiplicity belong to a network whose layers and product all have the same rank. Ranks count singular values above
a threshold: half of the teacher's smallest singular value s for the product, and (s / 2)^{1/L} for each of the L layers, which
is what a layer of a balanced network has when the product is at its threshold.
"""

from collections.abc import Mapping, Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ontogeny.observables.spectrum import product_values, rank_threshold
from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import ObservableFunction, Params, Task
from ontogeny.theory.linear_networks import aoyagi

NEEDS = Needs(methods=("product", "matrices"), provides=("teacher",))


def build(network: Network, task: Task) -> Mapping[str, ObservableFunction]:
    """Return `known_llc`, `known_multiplicity`, and `layer_rank` of each component `layers.i`."""
    threshold, _ = rank_threshold(task.provides["teacher"])

    def answer(params: Params, part: int) -> Float[Array, ""]:
        widths = widths_of(network.apply(params, method="matrices"))
        answers = jnp.asarray([aoyagi(widths, rank)[part] for rank in range(min(widths) + 1)], float)
        return answers[rank_above(product_values(network, params), threshold)]

    def layer_ranks(params: Params) -> dict[str, Int[Array, ""]]:
        matrices = network.apply(params, method="matrices")
        bound = threshold ** (1 / len(matrices))
        values = [jnp.linalg.svd(matrix, compute_uv=False) for matrix in matrices]
        return {f"layers.{i}": rank_above(value, bound) for i, value in enumerate(values)}

    return {
        "known_llc": lambda params: answer(params, 0),
        "known_multiplicity": lambda params: answer(params, 1),
        "layer_rank": layer_ranks,
    }


def widths_of(matrices: Sequence[Float[Array, "_ _"]]) -> list[int]:
    """Return the widths of the inputs, of each hidden layer and of the outputs."""
    return [matrices[0].shape[1], *(matrix.shape[0] for matrix in matrices)]


def rank_above(values: Float[Array, " values"], threshold: Float[Array, ""]) -> Int[Array, ""]:
    """Return the number of singular values above a threshold."""
    return jnp.sum(values > threshold)
