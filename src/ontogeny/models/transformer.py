"""A decoder-only transformer, attention-only by default (Elhage et al. 2021; Hoogland et al. 2024, appendix).

LayerNorm comes before each sublayer and before the untied unembedding. Positions are those of Shortformer (Press et al.
2021): a learnt vector for each position is added to what queries and keys read, and never enters the residual stream.

Embeddings and positions start from N(0, 1), and weights from N(0, 1 / fan in). The weights of queries and keys are halved,
and the projections that write to the residual stream are divided by sqrt(2 layers). These scales decide how soon heads form.
Smaller embeddings delay induction heads about ten times. Attention that starts sharp (full-size queries and keys, positions
added after the LayerNorm) leaves a third of the seeds without induction heads for twice as long.

Tokens may be vectors, which a matrix embeds; the output is then one number for each. Positions that enter the residual stream
slow regression in context: after 1,500 steps it was three times as far from ridge regression.
"""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from ontogeny.config.models.transformer import Transformer as Config
from ontogeny.problem.problem import Predicate

Tokens = Int[Array, "batch time"] | Float[Array, "batch time token_size"]
Residual = Float[Array, "batch time width"]
Patterns = Float[Array, "batch heads time time"]


def gaussian(rngs: nnx.Rngs, shape: tuple[int, ...], scale: float = 1.0) -> nnx.Param:
    return nnx.Param(scale * jax.random.normal(rngs.params(), shape))


def zeros(*shape: int) -> nnx.Param:
    return nnx.Param(jnp.zeros(shape))


class Attention(nnx.Module):
    """Causal self-attention. Each head has its own slice along the axis `heads`."""

    def __init__(self, width: int, heads: int, output_scale: float, rngs: nnx.Rngs):
        size = width // heads
        self.query, self.key = (gaussian(rngs, (width, heads, size), width**-0.5 / 2) for _ in range(2))
        self.value = gaussian(rngs, (width, heads, size), width**-0.5)
        self.query_bias, self.key_bias, self.value_bias = (zeros(heads, size) for _ in range(3))
        self.output = gaussian(rngs, (heads, size, width), output_scale * width**-0.5)
        self.output_bias = zeros(width)

    def patterns(self, x: Residual) -> Patterns:
        """Return how much each token attends to each token up to itself; rows sum to one."""
        query = jnp.einsum("btd,dhe->bthe", x, self.query[...]) + self.query_bias[None, None]
        key = jnp.einsum("btd,dhe->bthe", x, self.key[...]) + self.key_bias[None, None]
        scores = jnp.einsum("bthe,bshe->bhts", query, key) / query.shape[-1] ** 0.5
        return jax.nn.softmax(jnp.where(causal(x.shape[1]), scores, -jnp.inf), axis=-1)

    def values(self, x: Residual) -> Float[Array, "batch time heads size"]:
        """Return what each head reads from each token."""
        return jnp.einsum("btd,dhe->bthe", x, self.value[...]) + self.value_bias[None, None]

    def mix(self, patterns: Patterns, values: Float[Array, "batch time heads size"]) -> Residual:
        """Return what all heads together write to the residual stream, given where they attend."""
        mixed = jnp.einsum("bhts,bshe->bthe", patterns, values)
        return jnp.einsum("bthe,hed->btd", mixed, self.output[...]) + self.output_bias[None, None]


class Perceptron(nnx.Module):
    """The MLP of a layer, with GELU."""

    def __init__(self, width: int, hidden: int, output_scale: float, rngs: nnx.Rngs):
        self.input = gaussian(rngs, (width, hidden), width**-0.5)
        self.input_bias = zeros(hidden)
        self.output = gaussian(rngs, (hidden, width), output_scale * hidden**-0.5)
        self.output_bias = zeros(width)

    def __call__(self, x: Residual) -> Residual:
        hidden = jax.nn.gelu(x @ self.input[...] + self.input_bias[None, None])
        return hidden @ self.output[...] + self.output_bias[None, None]


class Layer(nnx.Module):
    """Attention and, unless `mlp` is zero, an MLP. Each adds its output to the residual stream."""

    def __init__(self, config: Config, rngs: nnx.Rngs):
        output_scale = (2 * config.layers) ** -0.5
        self.attention_norm = nnx.LayerNorm(config.width, epsilon=1e-5, rngs=rngs)
        self.attention = Attention(config.width, config.heads, output_scale, rngs)
        if config.mlp:
            self.mlp_norm = nnx.LayerNorm(config.width, epsilon=1e-5, rngs=rngs)
            self.mlp = Perceptron(config.width, config.mlp, output_scale, rngs)

    def run(self, x: Residual, positions: Float[Array, "time width"]) -> tuple[Residual, dict[str, Array]]:
        """Return the residual stream after the layer, and the layer's activations by site."""
        patterns = self.attention.patterns(self.attention_norm(x + positions[None]))
        values = self.attention.values(self.attention_norm(x))
        sites = {"patterns": patterns, "values": values, "attention": self.attention.mix(patterns, values)}
        x = x + sites["attention"]
        if hasattr(self, "mlp"):
            sites["mlp"] = self.mlp(self.mlp_norm(x))
            x = x + sites["mlp"]
        return x, sites


class Transformer(nnx.Module):
    """The map from tokens to the logits of the next token, or from vectors to a number for each."""

    def __init__(self, config: Config, shape: Mapping[str, int], rngs: nnx.Rngs):
        read, written = config.sizes(shape)
        self.embedding = gaussian(rngs, (read, config.width), 1.0 if "vocabulary" in shape else read**-0.5)
        self.positions = gaussian(rngs, (shape["context"], config.width))
        self.layers = nnx.List([Layer(config, rngs) for _ in range(config.layers)])
        self.norm = nnx.LayerNorm(config.width, epsilon=1e-5, rngs=rngs)
        self.unembedding = gaussian(rngs, (config.width, written), config.width**-0.5)
        self.unembedding_bias = zeros(written)

    def __call__(self, tokens: Tokens) -> Float[Array, "batch time written"]:
        x = self.activations(tokens)[f"residual.{len(self.layers)}"]
        return self.norm(x) @ self.unembedding[...] + self.unembedding_bias[None, None]

    def embed(self, tokens: Tokens) -> Residual:
        """Return the residual stream before the first layer."""
        numbered = jnp.issubdtype(tokens.dtype, jnp.integer)
        return self.embedding[...][tokens] if numbered else tokens @ self.embedding[...]

    def activations(self, tokens: Tokens) -> dict[str, Array]:
        """Return the activations by site.

        - `embedding` [batch, time, width]: the residual stream before the first layer.
        - `layers.i.patterns` [batch, heads, time, time]: where each token attends.
        - `layers.i.values` [batch, time, heads, size]: what each head reads from each token.
        - `layers.i.attention`, `layers.i.mlp` [batch, time, width]: what the sublayer adds to the residual stream.
        - `residual.k` [batch, time, width]: the residual stream after k layers.
        """
        x = self.embed(tokens)
        positions = self.positions[...][: tokens.shape[1]]
        sites = {"embedding": x}
        for i, layer in enumerate(self.layers):
            x, own = layer.run(x, positions)
            sites |= {f"layers.{i}.{name}": site for name, site in own.items()} | {f"residual.{i + 1}": x}
        return sites

    def attention_patterns(self, tokens: Tokens) -> Float[Array, "layers batch heads time time"]:
        """Return the attention of each head from every token (second last axis) to every token (last axis)."""
        return jnp.stack(of_layers(self.activations(tokens), "patterns"))

    def value_logits(self, tokens: Tokens) -> Float[Array, "layers batch heads time written"]:
        """Return what each head would write directly to the logits if it attended to one token only (its OV circuit).

        The final LayerNorm divides by the length of the residual stream, which one head does not determine. The division
        and the biases are therefore left out, and the logits of a token are known up to a positive factor.
        """
        assert self.norm.scale is not None
        read = self.norm.scale[...][:, None] * self.unembedding[...]
        read = read - read.mean(0, keepdims=True)
        outputs = [layer.attention.output[...] for layer in self.layers]
        return jnp.stack(
            [
                jnp.einsum("bthe,hed,dv->bhtv", values, output, read)
                for values, output in zip(of_layers(self.activations(tokens), "values"), outputs, strict=True)
            ]
        )

    def components(self) -> Mapping[str, Predicate]:
        """Return the predicates of the embedding, the unembedding, each layer and each head."""
        predicates = {name: below(name) for name in ("embedding", "unembedding")}
        predicates |= {f"layers.{i}": below(f"layers.{i}.") for i in range(len(self.layers))}
        for i, layer in enumerate(self.layers):
            for j in range(layer.attention.output.shape[0]):
                predicates[f"layers.{i}.heads.{j}"] = head(f"layers.{i}.attention.", j)
        return predicates


def of_layers(sites: Mapping[str, Array], name: str) -> list[Array]:
    """Return the activations of one site in every layer."""
    return [site for path, site in sites.items() if path.startswith("layers.") and path.endswith(f".{name}")]


def causal(time: int) -> Bool[Array, "time time"]:
    """Return True where a token (first axis) may attend to a token (second axis)."""
    return jnp.tril(jnp.ones((time, time), bool))


def below(prefix: str) -> Predicate:
    """Return the predicate of the parameters whose path starts with the prefix."""
    return lambda shapes: {path: () for path in shapes if path.startswith(prefix)}


def head(attention: str, index: int) -> Predicate:
    """Return the predicate of one head's queries, keys, values and output; the bias of the output belongs to no head."""
    axes = {"query": 1, "key": 1, "value": 1, "query_bias": 0, "key_bias": 0, "value_bias": 0, "output": 0}
    return lambda shapes: {attention + name: (*[slice(None)] * axis, index) for name, axis in axes.items()}


def build(config: Config, shape: Mapping[str, int]) -> Callable[[nnx.Rngs], Transformer]:
    """Return the function that makes the module for a task with a `context` and a `vocabulary` or a `token_size`."""
    return lambda rngs: Transformer(config, shape, rngs)
