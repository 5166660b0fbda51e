"""What each attention head does: previous-token, prefix-matching and copying scores (Olsson et al. 2022).

Each score lies between 0 and 1 and is given for every component `layers.i.heads.j`. An induction head is one that
matches prefixes and copies; in a network of two layers it reads from a previous-token head below it.
"""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ontogeny.arrays.parts import mean_in_parts
from ontogeny.observables.requirements import lacking, require
from ontogeny.problem.network import Network
from ontogeny.problem.problem import ObservableFunction, Task

METHODS = ("attention_patterns", "value_logits")
PROBES = 64
"""Sequences of random tokens that heads are probed with."""

Tokens = Int[Array, "batch time"]
Patterns = Float[Array, "layers batch heads time time"]
Scores = Float[Array, "batch layers heads"]


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
    probes = random_repeats(task.shape["vocabulary"], task.shape["context"])

    def scores(method: str, measure: Callable[[Array, Tokens], Array], tokens: Tokens) -> ObservableFunction:
        return lambda params: per_head(
            mean_in_parts(lambda tokens: network.apply(params, tokens, method=method), measure, tokens)
        )

    return {
        "previous_token_score": scores("attention_patterns", previous_token, plain),
        "prefix_matching_score": scores("attention_patterns", prefix_matching, probes),
        "copying_score": scores("value_logits", copying, probes),
    }


def per_head(scores: Float[Array, "layers heads"]) -> dict[str, Float[Array, ""]]:
    layers, heads = scores.shape
    return {f"layers.{i}.heads.{j}": scores[i, j] for i in range(layers) for j in range(heads)}


def random_repeats(vocabulary: int, context: int) -> Tokens:
    """Random tokens, then the same tokens rotated by a random shift; always the same ones.

    The first half repeats no token as far as the vocabulary allows, so that each has one earlier copy to be found; the
    shift keeps a head that looks a fixed number of tokens back from passing for one that matches.
    """
    half = context // 2
    random = np.random.default_rng(0)
    orders = random.permuted(np.tile(np.arange(vocabulary), (PROBES, 1)), axis=1)
    first = np.tile(orders, -(-half // vocabulary))[:, :half]
    rotated = (random.integers(half, size=(PROBES, 1)) + np.arange(half)) % half
    return jnp.asarray(np.concatenate([first, np.take_along_axis(first, rotated, axis=1)], axis=1))


def previous_token(patterns: Patterns, tokens: Tokens) -> Scores:
    """Mean attention from a token to the one before it."""
    return over_windows(jnp.diagonal(patterns, offset=-1, axis1=-2, axis2=-1).mean(-1))


def prefix_matching(patterns: Patterns, tokens: Tokens) -> Scores:
    """Mean attention from a token of the second half to those that followed its copies in the first.

    The copy at the very end of the first half is left out: what follows it belongs to the second half.
    """
    matched = follows_a_copy(tokens)
    attended = jnp.einsum("lbhts,bts->lbh", patterns, matched)
    return over_windows(attended / matched.any(-1).sum(-1)[:, None])


def follows_a_copy(tokens: Tokens) -> Bool[Array, "batch time time"]:
    """[b, t, s]: t is in the second half, s in the first, and the token before s is that at t."""
    place = jnp.arange(tokens.shape[1])
    half = tokens.shape[1] // 2
    before = jnp.roll(tokens, 1, axis=1)
    return (tokens[:, :, None] == before[:, None, :]) & (place[:, None] >= half) & (place >= 1) & (place < half)


def copying(logits: Float[Array, "layers batch heads time vocabulary"], tokens: Tokens) -> Scores:
    """Of the logits that a head raises (above their mean) by attending to a token, the share that is that token's own.

    A head that writes at random has 1 / vocabulary.
    """
    raised = jax.nn.relu(logits - logits.mean(-1, keepdims=True))
    own = jnp.take_along_axis(raised, tokens[None, :, None, :, None], axis=-1)[..., 0]
    return over_windows((own / raised.sum(-1)).mean(-1))


def over_windows(scores: Float[Array, "layers batch heads"]) -> Scores:
    return jnp.moveaxis(scores, 1, 0)
