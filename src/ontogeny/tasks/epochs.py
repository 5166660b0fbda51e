"""Minibatches without replacement: a function of (key, step) that is cheap inside a compiled loop.

A random permutation of the n examples costs more than the step that uses it. An epoch therefore visits the examples in the
order (a · position + c) mod n. Both a, coprime to n, and c are drawn for every epoch, so each example is visited once. This
order is random enough because the examples themselves are in random order.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from ontogeny.errors import SpecificationError
from ontogeny.problem.problem import RandomKey


def shuffled_indices(examples: int, batch_size: int) -> Callable[[RandomKey, Int[Array, ""]], Int[Array, " batch"]]:
    """Return (key, step) -> indices of the minibatch of that step; the last, smaller minibatch of an epoch is left out.

    Raises:
        SpecificationError: the batch is larger than the data set.
    """
    if batch_size > examples:
        raise SpecificationError(f"training.batch_size ({batch_size}) is larger than task.examples ({examples})")
    steps_per_epoch = examples // batch_size
    # The product of a multiplier and a position must fit 32 bits.
    candidates = np.arange(1, min(examples, 2**32 // examples), dtype=np.uint32)
    multipliers = jnp.asarray(candidates[np.gcd(candidates, np.uint32(examples)) == 1])

    def indices(key: RandomKey, step: Int[Array, ""]) -> Int[Array, " batch"]:
        epoch, batch = jnp.divmod(step, steps_per_epoch)
        multiply, shift = jax.random.bits(jax.random.fold_in(key, epoch), (2,))
        positions = (batch * batch_size + jnp.arange(batch_size)).astype(jnp.uint32)
        multiplier = multipliers[multiply % len(multipliers)]
        return ((multiplier * positions % examples + shift % examples) % examples).astype(jnp.int32)

    return indices
