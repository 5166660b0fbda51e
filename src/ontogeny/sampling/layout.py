"""How the work is laid out: checkpoints and chains side by side or one after another, batches whole or in parts.

The layout changes the speed and the order of summation, never the random numbers. What decides it is the working set
of a gradient: a small model wants everything vectorised, checkpoints first, since they share their random numbers and
batches; a transformer's batch overflows the cache and runs 1.5-2 times faster in micro-batches with its chains one
after another.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from ontogeny.arrays.parts import MEGABYTE, choose_microbatch, example_bytes

CHUNK = 10
"""The most checkpoints that one call of the compiled program of sampling takes in a job."""
POTENTIALS = 16
"""Checkpoints side by side where there are no data, and nothing is known of how much a gradient takes."""
TOGETHER = {"cpu": 16 * MEGABYTE}
"""Bytes of checkpoints and chains side by side, by backend; set on the work of `benchmarks.layouts`."""
TOGETHER_ELSEWHERE = 8192 * MEGABYTE
ENOUGH = {"cpu": 1 * MEGABYTE}
"""From how many of these bytes on chains gain nothing by it."""
VECTORS = 6
"""Vectors as long as the parameters that a chain holds: w*, ∇L_n(w*), the position, the gradient, noise, the step."""


class Layout(NamedTuple):
    """How gradients are taken: in parts or whole, chains together or not.

    Attributes:
        microbatch: examples per part of a batch, None for the whole.
        vectorize_chains: vmap, else one after another.
        center: examples per part of the one pass over all data at w*, None for the whole.
        checkpoints: side by side, sharing their random numbers and batches.
    """

    microbatch: int | None
    vectorize_chains: bool
    center: int | None = None
    checkpoints: int = 1


def choose_layout(loss: Callable[..., Any], parameters: Any, data: Any, batch: int, chains: int, checkpoints: int) -> Layout:
    """The layout for gradients of `batch` examples in `chains` chains at each of `checkpoints`.

    `parameters`, those of one checkpoint, and `data` may be shapes only.
    """
    held = VECTORS * sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(parameters))
    together = TOGETHER.get(jax.default_backend(), TOGETHER_ELSEWHERE)
    enough = ENOUGH.get(jax.default_backend(), together)
    if data is None:
        return Layout(None, True, None, even_size(checkpoints, min(POTENTIALS, together // held)))
    n = jax.tree.leaves(data)[0].shape[0]
    center = choose_microbatch(loss, parameters, data, n)
    microbatch = choose_microbatch(loss, parameters, data, batch)
    if microbatch is not None:
        return Layout(microbatch, False, center)
    alone = batch * example_bytes(loss, parameters, data) + held
    group = even_size(checkpoints, together // alone)
    return Layout(None, group * alone < enough and chains * group * alone <= together, center, group)


def even_size(count: int, most: int) -> int:
    """The size of groups of at most `most`, as few of them as can be, all filled as far as can be."""
    groups = -(-count // max(1, most))
    return -(-count // groups)
