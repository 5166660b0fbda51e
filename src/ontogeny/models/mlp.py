"""A network with one hidden layer over two embedded numbers, and no biases (Panickssery and Vaintrob 2023)."""

from collections.abc import Callable, Mapping

import jax
from flax import nnx
from jaxtyping import Array, Float, Int

from ontogeny.config.models.mlp import MLP as Config


class MLP(nnx.Module):
    """Embed two numbers with one matrix, feed each through a matrix of its own into GELU units, and map these to logits."""

    def __init__(self, config: Config, numbers: int, classes: int, rngs: nnx.Rngs):
        def gaussian(*shape: int) -> nnx.Param:
            return nnx.Param(shape[0] ** -0.5 * jax.random.normal(rngs.params(), shape))

        self.embedding = nnx.Param(jax.random.normal(rngs.params(), (numbers, config.width)))
        self.first, self.second = (gaussian(config.width, config.hidden) for _ in range(2))
        self.output = gaussian(config.hidden, classes)

    def __call__(self, pairs: Int[Array, "batch 2"]) -> Float[Array, "batch classes"]:
        return self.activations(pairs)["hidden"] @ self.output[...]

    def activations(self, pairs: Int[Array, "batch 2"]) -> dict[str, Float[Array, "batch ..."]]:
        """Return `embedding` [batch, 2, width] and `hidden` [batch, hidden], the latter after GELU."""
        embedded = self.embedding[...][pairs]
        return {
            "embedding": embedded,
            "hidden": jax.nn.gelu(embedded[:, 0] @ self.first[...] + embedded[:, 1] @ self.second[...]),
        }

    def number_embedding(self) -> Float[Array, "numbers width"]:
        """Return the embedding of each number."""
        return self.embedding[...]


def build(config: Config, shape: Mapping[str, int]) -> Callable[[nnx.Rngs], MLP]:
    """Return the function that makes the module for a task with this many `numbers` and `classes`."""
    return lambda rngs: MLP(config, shape["numbers"], shape["classes"], rngs)
