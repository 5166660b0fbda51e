"""The losses of single examples at the draws, for `sample(collect=...)`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jaxtyping import Array, Float

from ontogeny.arrays.parts import choose_microbatch, split


@dataclass(frozen=True)
class LossesAt:
    """(examples, params) -> the loss of each example; equal where `loss` is, so that a compiled program is found again.

    In parts where all at once overflow the cache.
    """

    loss: Callable[[Any, Any], Float[Array, " batch"]]

    def __call__(self, examples: Any, params: Any) -> Float[Array, " batch"]:
        n = jax.tree.leaves(examples)[0].shape[0]
        microbatch = choose_microbatch(self.loss, params, examples, n)
        if microbatch is None:
            return self.loss(params, examples)
        parts, rest = split(examples, n, microbatch)
        losses = jax.lax.map(lambda part: self.loss(params, part), parts).reshape(-1)
        return losses if rest is None else jnp.concatenate([losses, self.loss(params, rest)])


def per_example_losses(
    loss: Callable[[Any, Any], Float[Array, " batch"]], examples: Any
) -> Callable[[Any], Float[Array, " batch"]]:
    """For `sample(..., collect=)`: the loss of each of some examples at a draw.

    The examples are arguments of the compiled program, as the data is: others of the same shape compile nothing anew.
    """
    return Partial(LossesAt(loss), examples)
