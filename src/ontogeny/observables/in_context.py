"""In-context learning scores and the cross-entropy to bigrams (Olsson et al. 2022; Hoogland et al. 2024).

Positions count the predicted tokens of a window: the prediction of token p depends on tokens 0 to p - 1.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ontogeny.problem.example_means import ExampleMean
from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import ObservableFunction, Task
from ontogeny.tasks.text import Windows, token_losses

NEEDS = Needs(provides=("plain_windows", "repeated_windows"))
MOST_POSITIONS = 16

Logits = Float[Array, "batch context vocabulary"]


def build(network: Network, task: Task) -> Mapping[str, ObservableFunction]:
    """Return in-context learning scores, `loss_by_position`, and `cross_entropy_to_bigram` where the task has a bigram table.

    `in_context_learning_score` and `loss_by_position` are measured on held-out windows that repeat themselves,
    `in_context_learning_score_plain` and `cross_entropy_to_bigram` on plain ones. All are in nats per token.
    """
    plain, repeated = (task.provides[name] for name in NEEDS.provides)

    def mean(measure: Callable[[Logits, Windows], Array], windows: Windows, **options: Any) -> ExampleMean:
        return ExampleMean(network=network, examples=windows, inputs=without_last, measure=measure, **options)

    measured = {
        "in_context_learning_score": mean(position_losses, repeated, finish=in_context_learning_score),
        "in_context_learning_score_plain": mean(position_losses, plain, finish=in_context_learning_score),
        "loss_by_position": mean(position_losses, repeated, finish=by_position),
    }
    if "bigram" in task.provides:
        bigram = task.provides["bigram"]
        to_bigram = mean(lambda logits, windows: cross_entropy(bigram[windows[:, :-1]], logits), plain)
        measured["cross_entropy_to_bigram"] = to_bigram
    return measured


def without_last(windows: Windows) -> Int[Array, "windows context"]:
    """Return the tokens that the network takes of windows: all but the last."""
    return windows[:, :-1]


def position_losses(logits: Logits, windows: Windows) -> Float[Array, "batch context"]:
    return token_losses(logits, windows[:, 1:])


def in_context_learning_score(losses: Float[Array, " positions"]) -> Float[Array, ""]:
    """Return the loss on the last quarter of a window minus the loss on its second quarter; negative where context helps.

    The first token of the second half is in neither quarter: a window that repeats itself does not determine it.
    """
    quarter = len(losses) // 4
    second, last = losses[quarter - 1 : 2 * quarter - 1], losses[3 * quarter - 1 : 4 * quarter - 1]
    return last.mean() - second.mean()


def by_position(losses: Float[Array, " positions"]) -> dict[str, Float[Array, ""]]:
    """Return `positions.p` -> loss of predicting token p, for at most `MOST_POSITIONS` evenly spaced positions."""
    stride = -(-len(losses) // MOST_POSITIONS)
    return {f"positions.{index + 1}": losses[index] for index in range(0, len(losses), stride)}


def cross_entropy(probabilities: Logits, logits: Logits) -> Float[Array, " batch"]:
    """Return the cross-entropy of the network's predictions to given probabilities; it is least where the two are equal."""
    return -jnp.sum(probabilities * jax.nn.log_softmax(logits), axis=-1).mean(-1)
