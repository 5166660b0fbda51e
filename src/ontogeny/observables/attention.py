"""The previous-token, prefix-matching and copying scores of attention heads (Olsson et al. 2022).

Each score lies between 0 and 1 and has a value for every component `layers.i.heads.j`. An induction head matches prefixes and
copies; in a network of two layers it reads from a previous-token head in the first layer. A head that writes at random has a
copying score of 1 / vocabulary, so `copying_score_over_chance` is the score times the vocabulary.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ontogeny.problem.example_means import ExampleMean, itself
from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import ObservableFunction, Task

NEEDS = Needs(methods=("attention_patterns", "value_logits"), provides=("plain_windows",), shape=("vocabulary", "context"))
PROBES = 64
"""The number of sequences of random tokens that prefix-matching and copying scores are measured on."""

Tokens = Int[Array, "batch time"]
Patterns = Float[Array, "layers batch heads time time"]
Scores = Float[Array, "batch layers heads"]


def build(network: Network, task: Task) -> Mapping[str, ObservableFunction]:
    """Return `previous_token_score`, `prefix_matching_score`, `copying_score` and `copying_score_over_chance` of every head."""
    plain = task.provides["plain_windows"]
    vocabulary = task.shape["vocabulary"]
    probes = random_repeats(vocabulary, task.shape["context"])

    def scores(measure: Callable[[Array, Tokens], Array], tokens: Tokens, **options: Any) -> ExampleMean:
        return ExampleMean(network=network, examples=tokens, measure=measure, **{"inputs": itself, "finish": per_head, **options})

    return {
        # In one pass with the observables of kind `in_context`, which take the same windows.
        "previous_token_score": scores(previous_token, plain, method="attention_patterns", inputs=without_last),
        "prefix_matching_score": scores(prefix_matching, probes, method="attention_patterns"),
        "copying_score": scores(copying, probes, method="value_logits"),
        "copying_score_over_chance": scores(
            copying, probes, method="value_logits", finish=lambda mean: per_head(mean * vocabulary)
        ),
    }


def without_last(windows: Tokens) -> Tokens:
    return windows[:, :-1]


def per_head(scores: Float[Array, "layers heads"]) -> dict[str, Float[Array, ""]]:
    layers, heads = scores.shape
    return {f"layers.{i}.heads.{j}": scores[i, j] for i in range(layers) for j in range(heads)}


def random_repeats(vocabulary: int, context: int) -> Tokens:
    """Return sequences of random tokens followed by the same tokens, rotated by a random shift. The seed is fixed.

    As far as the vocabulary allows, the first half repeats no token, so that each token of the second half has one earlier
    copy. Because of the shift, a head that attends a fixed number of tokens back gets no prefix-matching score.
    """
    half = context // 2
    random = np.random.default_rng(0)
    orders = random.permuted(np.tile(np.arange(vocabulary), (PROBES, 1)), axis=1)
    first = np.tile(orders, -(-half // vocabulary))[:, :half]
    rotated = (random.integers(half, size=(PROBES, 1)) + np.arange(half)) % half
    return jnp.asarray(np.concatenate([first, np.take_along_axis(first, rotated, axis=1)], axis=1))


def previous_token(patterns: Patterns, tokens: Tokens) -> Scores:
    """Return the mean attention from a token to the token before it."""
    return over_windows(jnp.diagonal(patterns, offset=-1, axis1=-2, axis2=-1).mean(-1))


def prefix_matching(patterns: Patterns, tokens: Tokens) -> Scores:
    """Return the mean attention from a token of the second half to the tokens that follow its copies in the first half.

    A copy at the end of the first half does not count: the token that follows it belongs to the second half.
    """
    matched = follows_a_copy(tokens)
    attended = jnp.einsum("lbhts,bts->lbh", patterns, matched.astype(patterns.dtype))
    return over_windows(attended / matched.any(-1).sum(-1, dtype=attended.dtype)[None, :, None])


def follows_a_copy(tokens: Tokens) -> Bool[Array, "batch time time"]:
    """Return [b, t, s]: whether t is in the second half, s in the first, and the token before s equals the token at t."""
    position = jnp.arange(tokens.shape[1])
    half = tokens.shape[1] // 2
    before = jnp.roll(tokens, 1, axis=1)
    reading, read = position[None, :, None], position[None, None, :]
    return (tokens[:, :, None] == before[:, None, :]) & (reading >= half) & (read >= 1) & (read < half)


def copying(logits: Float[Array, "layers batch heads time vocabulary"], tokens: Tokens) -> Scores:
    """Return the share of the token's own logit among the logits that a head raises above their mean by attending to it.

    A head that writes at random scores 1 / vocabulary.
    """
    raised = jax.nn.relu(logits - logits.mean(-1, keepdims=True))
    own = jnp.take_along_axis(raised, tokens[None, :, None, :, None], axis=-1)[..., 0]
    return over_windows((own / raised.sum(-1)).mean(-1))


def over_windows(scores: Float[Array, "layers batch heads"]) -> Scores:
    return jnp.moveaxis(scores, 1, 0)
