"""Deep linear networks, W_L … W_1 x, whose learning coefficients are known (Saxe et al. 2014; Aoyagi 2024)."""

from collections.abc import Callable, Mapping
from functools import reduce
from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from ontogeny.config.models.linear import Linear as Config


class Linear(nnx.Module):
    """The map x ↦ W_L … W_1 x, without biases."""

    def __init__(self, matrices: list[Float[Array, "_ _"]]):
        self.layers = nnx.List([nnx.Param(matrix) for matrix in matrices])

    def __call__(self, x: Float[Array, "batch inputs"]) -> Float[Array, "batch outputs"]:
        *_, last = [x, *self.activations(x).values()]
        return last @ self.layers[-1][...].T

    def activations(self, x: Float[Array, "batch inputs"]) -> dict[str, Float[Array, "batch width"]]:
        """Return `hidden.0`, `hidden.1` and so on, the output of every layer before the last."""
        sites = {}
        for i, weight in enumerate(self.layers[:-1]):
            x = sites[f"hidden.{i}"] = x @ weight[...].T
        return sites

    def matrices(self) -> list[Float[Array, "_ _"]]:
        """Return W_1 … W_L."""
        return [weight[...] for weight in self.layers]

    def product(self) -> Float[Array, "outputs inputs"]:
        """Return W_L … W_1, the matrix of the map that the network computes."""
        return reduce(lambda product, weight: weight[...] @ product, self.layers, jnp.eye(self.layers[0].shape[1]))


def build(config: Config, shape: Mapping[str, int]) -> Callable[[nnx.Rngs], Linear]:
    """Return the function that makes the module for a task with this many `inputs` and `outputs`."""
    widths = [shape["inputs"], *config.hidden, shape["outputs"]]
    start = config.start
    if start is None:
        return lambda rngs: Linear([config.spread * gaussian(rngs, after, before) for before, after in pairwise(widths)])
    return lambda rngs: Linear(matrices_of_rank(widths, start.rank, start.size, rngs))


def matrices_of_rank(widths: list[int], rank: int, size: float, rngs: nnx.Rngs) -> list[Float[Array, "_ _"]]:
    """Return size · U_l U_{l-1}ᵀ with random orthonormal U_l of shape [width, rank], so that products keep the rank too."""
    bases = [jnp.linalg.qr(gaussian(rngs, width, max(rank, 1)))[0][:, :rank] for width in widths]
    return [size * after @ before.T for before, after in pairwise(bases)]


def gaussian(rngs: nnx.Rngs, *shape: int) -> Float[Array, "..."]:
    return jax.random.normal(rngs.params(), shape)
