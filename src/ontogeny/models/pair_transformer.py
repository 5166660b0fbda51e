"""A transformer of one layer over the tokens a, b and =, read at = (Nanda et al. 2023, "Progress measures for grokking").

As in the paper there is no LayerNorm, positions are learnt, ReLU is the activation, and only the MLP has biases. What stands at
a and b after the layer is never read, so attention is computed from = alone. All weights start from N(0, 1 / fan in).
"""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from ontogeny.config.models.pair_transformer import PairTransformer as Config


class PairTransformer(nnx.Module):
    """The map from pairs of numbers to the logits of their sum."""

    def __init__(self, config: Config, numbers: int, classes: int, rngs: nnx.Rngs):
        width, size = config.width, config.width // config.heads

        def gaussian(fan_in: int, *shape: int) -> nnx.Param:
            return nnx.Param(fan_in**-0.5 * jax.random.normal(rngs.params(), shape))

        self.embedding = gaussian(width, numbers + 1, width)
        self.positions = gaussian(width, 3, width)
        self.query, self.key, self.value = (gaussian(width, width, config.heads, size) for _ in range(3))
        self.output = gaussian(width, config.heads, size, width)
        self.mlp_input, self.mlp_output = gaussian(width, width, config.mlp), gaussian(config.mlp, config.mlp, width)
        self.mlp_input_bias, self.mlp_output_bias = nnx.Param(jnp.zeros(config.mlp)), nnx.Param(jnp.zeros(width))
        self.unembedding = gaussian(width, width, classes)

    def __call__(self, pairs: Int[Array, "batch 2"]) -> Float[Array, "batch classes"]:
        return self.activations(pairs)["residual"] @ self.unembedding[...]

    def activations(self, pairs: Int[Array, "batch 2"]) -> dict[str, Float[Array, "batch ..."]]:
        """Return the activations by site, all but the first at the token =.

        - `embedding` [batch, 3, width]: what the layer reads.
        - `patterns` [batch, heads, 3]: where each head attends.
        - `attention`, `mlp`, `residual` [batch, width]: what the sublayers add, and their sum with the embedding.
        - `hidden` [batch, units]: the MLP after ReLU.
        """
        equals = jnp.full((len(pairs), 1), self.embedding.shape[0] - 1, pairs.dtype)
        x = self.embedding[...][jnp.concatenate([pairs, equals], axis=1)] + self.positions[...][None]
        query = jnp.einsum("bd,dhe->bhe", x[:, -1], self.query[...])
        key, value = (jnp.einsum("btd,dhe->bthe", x, weight[...]) for weight in (self.key, self.value))
        patterns = jax.nn.softmax(jnp.einsum("bhe,bthe->bht", query, key) / query.shape[-1] ** 0.5, axis=-1)
        attention = jnp.einsum("bht,bthe,hed->bd", patterns, value, self.output[...])
        middle = x[:, -1] + attention
        hidden = jax.nn.relu(middle @ self.mlp_input[...] + self.mlp_input_bias[...][None])
        mlp = hidden @ self.mlp_output[...] + self.mlp_output_bias[...][None]
        return {
            "embedding": x,
            "patterns": patterns,
            "attention": attention,
            "hidden": hidden,
            "mlp": mlp,
            "residual": middle + mlp,
        }

    def number_embedding(self) -> Float[Array, "numbers width"]:
        """Return the embedding of each number, without that of =."""
        return self.embedding[...][:-1]


def build(config: Config, shape: Mapping[str, int]) -> Callable[[nnx.Rngs], PairTransformer]:
    """Return the function that makes the module for a task with this many `numbers` and `classes`."""
    return lambda rngs: PairTransformer(config, shape["numbers"], shape["classes"], rngs)
