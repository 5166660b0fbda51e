"""How the work is laid out: checkpoints and chains side by side or one after another, batches whole or in parts.

The layout changes the speed and the order of summation, never the random numbers. What decides it is the working set
of a gradient: a small model wants everything vectorised, checkpoints first, since they share their random numbers and
batches; a transformer's batch overflows the cache and runs 1.5-2 times faster in micro-batches with its chains one
after another.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax

MEGABYTE = 2**20


POTENTIALS = 16
"""Checkpoints side by side where there are no data, and nothing is known of how much a gradient takes."""


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


class Budget(NamedTuple):
    """Bytes of intermediate results: of a batch left whole, of a micro-batch, of batches side by side, and from how many
    of these on chains gain nothing by it."""

    batch: int
    microbatch: int
    together: int
    enough: int


CACHE = Budget(batch=8 * MEGABYTE, microbatch=5 * MEGABYTE, together=16 * MEGABYTE, enough=1 * MEGABYTE)
"""CPU, 1-2 MB of second-level cache per core; XLA fuses most intermediate results away. Measured on the work of
benchmarks/speed.py."""
DEVICE_MEMORY = Budget(batch=2048 * MEGABYTE, microbatch=1024 * MEGABYTE, together=8192 * MEGABYTE, enough=8192 * MEGABYTE)
"""Accelerators: only memory limits the size of a batch."""


def choose_layout(loss: Callable[..., Any], parameters: Any, data: Any, batch: int, chains: int, checkpoints: int) -> Layout:
    """The layout for gradients of `batch` examples in `chains` chains at each of `checkpoints`.

    `parameters` and `data` may be shapes only.
    """
    if data is None:
        return Layout(None, True, None, even_group(checkpoints, POTENTIALS))
    budget = CACHE if jax.default_backend() == "cpu" else DEVICE_MEMORY
    example = max(1, example_bytes(loss, parameters, data))
    part = max(2, budget.microbatch // example)
    n = jax.tree.leaves(data)[0].shape[0]
    center = part_of(n, part) if n * example > budget.batch else None
    if batch * example > budget.batch:
        return Layout(part_of(batch, part), False, center)
    group = even_group(checkpoints, budget.together // (batch * example))
    alone = group * batch * example
    return Layout(None, alone < budget.enough and chains * alone <= budget.together, center, group)


def even_group(checkpoints: int, most: int) -> int:
    """How many checkpoints make a group of at most `most`, so that all groups are filled as far as can be."""
    groups = -(-checkpoints // max(1, most))
    return -(-checkpoints // groups)


def part_of(batch: int, most: int) -> int:
    """The largest divisor of `batch` up to `most`, but not 1 (slow); `most` itself where there is none.

    A part left over would be compiled, and run, by itself.
    """
    return next((size for size in range(most, 1, -1) if batch % size == 0), most)


def example_bytes(loss: Callable[..., Any], parameters: Any, data: Any) -> int:
    """Bytes of intermediate results that one more example adds to the loss, from its jaxpr (loops counted once)."""

    def total(count: int) -> int:
        batch = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((count, *leaf.shape[1:]), leaf.dtype), data)
        return sum(intermediates(jax.make_jaxpr(loss)(parameters, batch).jaxpr))

    return (total(4) - total(2)) // 2


def intermediates(jaxpr: Any) -> Iterator[int]:
    """Bytes of every result of every equation, those of inner jaxprs included."""
    for equation in jaxpr.eqns:
        inner = [getattr(value, "jaxpr", value) for value in equation.params.values() if hasattr(value, "eqns")]
        for one in inner:
            yield from intermediates(one)
        if not inner:
            yield from (result.aval.size * result.aval.dtype.itemsize for result in equation.outvars)
