"""Deep linear networks, W_L … W_1 x: simple to solve, singular all the same (Saxe et al. 2014; Aoyagi 2024)."""

from collections.abc import Callable, Mapping
from functools import reduce
from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from ontogeny.config import Linear as Config
from ontogeny.errors import SpecificationError


class Linear(nnx.Module):
    """x ↦ W_L … W_1 x; no biases."""

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
        """W_L … W_1, the map that the network computes."""
        return reduce(lambda product, weight: weight[...] @ product, self.layers, jnp.eye(self.layers[0].shape[1]))


def build(config: Config, shape: Mapping[str, int]) -> Callable[[nnx.Rngs], Linear]:
    """The maker of the module for a task's `shape`, which must say its `inputs` and `outputs`.

    Raises:
        ValueError: it does not.
    """
    if lacking := {"inputs", "outputs"} - shape.keys():
        raise SpecificationError(
            f"model linear needs a task with {', '.join(sorted(lacking))}; this task has {', '.join(shape) or 'no shape'}"
        )
    widths = [shape["inputs"], *config.hidden, shape["outputs"]]
    return lambda rngs: Linear(widths, config.spread, rngs)
