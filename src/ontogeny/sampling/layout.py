"""How the work is laid out: checkpoints and chains side by side or one after another, batches whole or in parts.

The layout changes the speed and the order of summation, never the random numbers. It follows from the working set of a gradient.
A small model runs fastest with everything vectorised, checkpoints first, since they share their random numbers and batches. The
batch of a transformer overflows the cache, and runs 1.5-2 times faster in micro-batches with its chains one after another.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from ontogeny.arrays.memory import Memory, choose_microbatch, device_memory, example_bytes
from ontogeny.arrays.parts import even_size

CHUNK = 10
"""The most checkpoints that a job hands to one call of the compiled program of sampling."""
POTENTIALS = 16
"""The most checkpoints side by side where there are no data, since nothing is known of the size of a gradient."""
VECTORS = 6
"""Vectors as long as the parameters that a chain holds: w*, ∇L_n(w*), the position, the gradient, noise, the step."""


class Layout(NamedTuple):
    """How gradients are taken.

    Attributes:
        microbatch: examples per part of a batch, None for the whole.
        vectorize_chains: chains side by side, else one after another.
        center: examples per part of the one pass over all data at w*, None for the whole.
        checkpoints: how many run side by side, sharing their random numbers and batches.
    """

    microbatch: int | None
    vectorize_chains: bool
    center: int | None = None
    checkpoints: int = 1


def choose_layout(
    loss: Callable[..., Any],
    parameters: Any,
    data: Any,
    batch: int,
    chains: int,
    checkpoints: int,
    memory: Memory | None = None,
) -> Layout:
    """Return the layout for gradients of `batch` examples in `chains` chains at each of `checkpoints`.

    Checkpoints, then chains, run side by side up to twice the cache. From an eighth of the cache on, chains gain nothing by it.

    Args:
        loss: (params, batch) -> [batch].
        parameters: those of one checkpoint, or their shapes.
        data: arrays, or their shapes; None for a potential.
        memory: None for that of the device.
    """
    memory = device_memory() if memory is None else memory
    held = VECTORS * sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(parameters))
    side_by_side, enough = min(memory.intermediates, 2 * memory.cache), memory.cache // 8
    if data is None:
        return Layout(None, True, None, even_size(checkpoints, min(POTENTIALS, side_by_side // held)))
    n = jax.tree.leaves(data)[0].shape[0]
    center = choose_microbatch(loss, parameters, data, n, memory=memory)
    microbatch = choose_microbatch(loss, parameters, data, batch, memory=memory)
    if microbatch is not None:
        return Layout(microbatch, False, center)
    alone = batch * example_bytes(loss, parameters, data) + held
    group = even_size(checkpoints, side_by_side // alone)
    return Layout(None, group * alone < enough and chains * group * alone <= side_by_side, center, group)
