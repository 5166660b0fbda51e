"""What each attention head does: previous-token, prefix-matching and copying scores (Olsson et al. 2022).

Each score lies between 0 and 1 and is given for every component `layers.i.heads.j`. An induction head is one that
matches prefixes and copies; in a network of two layers it reads from a previous-token head below it.
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ontogeny.models.network import Network
from ontogeny.observables.requirements import lacking, require
from ontogeny.problem import ObservableFunction, RandomKey, Task
from ontogeny.tasks.text import repeat

METHODS = ("attention_patterns", "value_logits")
PROBES = 64
"""Sequences of random tokens that heads are probed with."""


def shortfall(network: Network, task: Task) -> list[str]:
    phrases = lacking(network, task, methods=METHODS, provided=["plain_windows"])
    return phrases + [f"a task whose shape has {name}" for name in ("vocabulary", "context") if name not in task.shape]


def fits(network: Network, task: Task) -> bool:
    return not shortfall(network, task)


def build(network: Network, task: Task) -> Mapping[str, ObservableFunction]:
    """`previous_token_score`, `prefix_matching_score` and `copying_score`, per head.

    Raises:
        ValueError: the network does not show its attention, or the task is not one of tokens.
    """
    require("attention", shortfall(network, task))
    plain = task.provides["plain_windows"][:, :-1]
    probes = random_repeats(jax.random.key(0), task.shape["vocabulary"], task.shape["context"])

    return {
        "previous_token_score": lambda params: per_head(previous_token(network.apply(params, plain, method="attention_patterns"))),
        "prefix_matching_score": lambda params: per_head(
            prefix_matching(network.apply(params, probes, method="attention_patterns"), probes)
        ),
        "copying_score": lambda params: per_head(copying(network.apply(params, probes, method="value_logits"), probes)),
    }


def per_head(scores: Float[Array, "layers heads"]) -> dict[str, Float[Array, ""]]:
    layers, heads = scores.shape
    return {f"layers.{i}.heads.{j}": scores[i, j] for i in range(layers) for j in range(heads)}


def random_repeats(key: RandomKey, vocabulary: int, context: int) -> Int[Array, "batch context"]:
    """Random tokens, then the same tokens rotated by a random shift.

    The first half repeats no token as far as the vocabulary allows, so that each has one earlier copy to be found; the
    shift keeps a head that looks a fixed number of tokens back from passing for one that matches.
    """
    half = context // 2
    draw, shift = jax.random.split(key)
    orders = jax.vmap(lambda key: jax.random.permutation(key, vocabulary))(jax.random.split(draw, PROBES))
    first = jnp.tile(orders, -(-half // vocabulary))[:, :half]
    return repeat(jnp.concatenate([first, first], axis=1), shift)


def previous_token(patterns: Float[Array, "layers batch heads time time"]) -> Float[Array, "layers heads"]:
    """Mean attention from a token to the one before it."""
    return jnp.diagonal(patterns, offset=-1, axis1=-2, axis2=-1).mean((1, 3))


def prefix_matching(
    patterns: Float[Array, "layers batch heads time time"], tokens: Int[Array, "batch time"]
) -> Float[Array, "layers heads"]:
    """Mean attention from a token of the second half to those that followed its copies in the first.

    The copy at the very end of the first half is left out: what follows it belongs to the second half.
    """
    matched = follows_a_copy(tokens)
    attended = jnp.einsum("lbhts,bts->lbht", patterns, matched)
    return jnp.einsum("lbht->lh", attended) / matched.any(-1).sum()


def follows_a_copy(tokens: Int[Array, "batch time"]) -> Bool[Array, "batch time time"]:
    """[b, t, s]: t is in the second half, s in the first, and the token before s is that at t."""
    place = jnp.arange(tokens.shape[1])
    half = tokens.shape[1] // 2
    before = jnp.roll(tokens, 1, axis=1)
    return (tokens[:, :, None] == before[:, None, :]) & (place[:, None] >= half) & (place >= 1) & (place < half)


def copying(
    logits: Float[Array, "layers batch heads time vocabulary"], tokens: Int[Array, "batch time"]
) -> Float[Array, "layers heads"]:
    """Of the logits that a head raises (above their mean) by attending to a token, the share that is that token's own."""
    raised = jax.nn.relu(logits - logits.mean(-1, keepdims=True))
    own = jnp.take_along_axis(raised, tokens[None, :, None, :, None], axis=-1)[..., 0]
    return (own / jnp.maximum(raised.sum(-1), 1e-12)).mean((1, 3))
