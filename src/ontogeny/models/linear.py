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

    def __init__(self, widths: list[int], spread: float, rngs: nnx.Rngs):
        self.layers = nnx.List(
            [nnx.Param(spread * jax.random.normal(rngs.params(), (after, before))) for before, after in pairwise(widths)]
        )

    def __call__(self, x: Float[Array, "batch inputs"]) -> Float[Array, "batch outputs"]:
        *_, last = [x, *self.activations(x).values()]
        return last @ self.layers[-1][...].T

    def activations(self, x: Float[Array, "batch inputs"]) -> dict[str, Float[Array, "batch width"]]:
        """Return `hidden.0`, `hidden.1` and so on, the output of every layer before the last."""
        sites = {}
        for i, weight in enumerate(self.layers[:-1]):
            x = sites[f"hidden.{i}"] = x @ weight[...].T
        return sites

    def product(self) -> Float[Array, "outputs inputs"]:
        """Return W_L … W_1, the matrix of the map that the network computes."""
        return reduce(lambda product, weight: weight[...] @ product, self.layers, jnp.eye(self.layers[0].shape[1]))


def build(config: Config, shape: Mapping[str, int]) -> Callable[[nnx.Rngs], Linear]:
    """Return the function that makes the module for a task with this many `inputs` and `outputs`."""
    widths = [shape["inputs"], *config.hidden, shape["outputs"]]
    return lambda rngs: Linear(widths, config.spread, rngs)
