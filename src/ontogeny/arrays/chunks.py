"""Means over examples, a chunk at a time, so that what a network shows of them fits into memory and cache."""

from collections.abc import Callable
from typing import Any

import jax
from jaxtyping import Array

LARGEST = 2**20
"""Numbers that a network may show at once: 4 MB, beyond which chunks were measured faster (2x at 2048 windows of text)."""


def mean_in_chunks(show: Callable[[Any], Any], measure: Callable[[Any, Any], Array], examples: Any) -> Array:
    """The mean over the examples of `measure(show(examples), examples)`, whose leading axis counts examples.

    Args:
        show: what the network shows of some examples; its size for one of them decides how many go into a chunk.
        examples: a pytree of arrays with the same leading axis.
    """
    count = len(jax.tree.leaves(examples)[0])
    shown = jax.eval_shape(show, jax.tree.map(lambda leaf: leaf[:1], examples))
    size = min(count, max(1, LARGEST // sum(leaf.size for leaf in jax.tree.leaves(shown))))
    whole = count - count % size

    def total(chunk: Any) -> Array:
        return measure(show(chunk), chunk).sum(0)

    if size == count:
        return total(examples) / count
    chunks = jax.tree.map(lambda leaf: leaf[:whole].reshape(-1, size, *leaf.shape[1:]), examples)
    summed = jax.lax.map(total, chunks).sum(0)
    if whole < count:
        summed += total(jax.tree.map(lambda leaf: leaf[whole:], examples))
    return summed / count
