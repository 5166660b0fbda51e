"""The attention of every head on one held-out window whose second half repeats its first."""

from collections.abc import Mapping

import jax.numpy as jnp
from jaxtyping import Array, Float, UInt8

from ontogeny.pictures.token_losses import repeated_window, texts_of
from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import Params, Recorded, Task

NEEDS = Needs(methods=("attention_patterns",), provides=("repeated_windows", "token_texts"))
FULL = 255
"""How an attention of 1 is recorded."""


def build(network: Network, task: Task) -> Mapping[str, Recorded]:
    """Return `patterns` [layers, heads, time, time] in 255ths, and `texts` [time], the tokens of the window."""
    window = repeated_window(task.provides["repeated_windows"])[:, :-1]

    def patterns(params: Params) -> UInt8[Array, "layers heads time time"]:
        return in_255ths(network.apply(params, window, method="attention_patterns")[:, 0])

    return {"patterns": patterns, "texts": texts_of(task, window[0])}


def in_255ths(patterns: Float[Array, "*shape"]) -> UInt8[Array, "*shape"]:
    return jnp.round(patterns * FULL).astype(jnp.uint8)
