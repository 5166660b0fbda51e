"""The loss of every token of two held-out windows: one of plain text, one whose second half repeats its first."""

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float16, Int

from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import Params, Recorded, Task
from ontogeny.tasks.text import Windows, token_losses

NEEDS = Needs(provides=("plain_windows", "repeated_windows", "token_texts"), shape=("vocabulary", "context"))
MOST_TOKENS = 32
"""The most tokens of a window that a picture shows."""


def build(network: Network, task: Task) -> Mapping[str, Recorded]:
    """Return `NAME_losses` [time] in nats and `NAME_texts` [1 + time], for `plain` and `repeated`, and `vocabulary`.

    A window is the first of its kind, cut where it is long. The loss at t is that of token t + 1.
    """
    windows = {
        "plain": task.provides["plain_windows"][:1, : MOST_TOKENS + 1],
        "repeated": repeated_window(task.provides["repeated_windows"]),
    }

    def losses(window: Windows):
        def of(params: Params) -> Float16[Array, " time"]:
            logits = network.apply(params, window[:, :-1])
            return token_losses(logits, window[:, 1:])[0].astype(jnp.float16)

        return of

    return {
        **{f"{name}_losses": losses(window) for name, window in windows.items()},
        **{f"{name}_texts": texts_of(task, window[0]) for name, window in windows.items()},
        "vocabulary": np.asarray(task.shape["vocabulary"]),
    }


def repeated_window(windows: Windows) -> Windows:
    """Return the first window, [1, tokens]; of a long one, its first tokens and then the same tokens again."""
    if windows.shape[1] <= MOST_TOKENS + 1:
        return windows[:1]
    first = windows[:1, : MOST_TOKENS // 2]
    return jnp.concatenate([first, first, first[:, :1]], axis=1)


def texts_of(task: Task, tokens: Int[Array, " time"]) -> np.ndarray:
    """Return the text of each token."""
    texts = task.provides["token_texts"]
    return np.array([texts[token] for token in np.asarray(tokens)])
