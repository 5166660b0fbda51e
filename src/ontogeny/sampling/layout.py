"""How the work of a checkpoint is laid out: chains side by side or one after another, batches whole or in parts.

The layout changes the speed and the order of summation, never the random numbers. What decides it is the working set
of a gradient: a small model wants everything vectorised, a transformer's batch overflows the cache and runs 1.5-2
times faster in micro-batches with its chains one after another.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax

MEGABYTE = 2**20


class Layout(NamedTuple):
    """How gradients are taken: in parts or whole, chains together or not.

    Attributes:
        microbatch: examples per part of a batch, None for the whole.
        vectorize_chains: vmap, else one after another.
        center: examples per part of the one pass over all data at w*, None for the whole.
    """

    microbatch: int | None
    vectorize_chains: bool
    center: int | None = None


class Budget(NamedTuple):
    """Bytes of intermediate results: of a batch left whole, of a micro-batch, of chains side by side."""

    batch: int
    microbatch: int
    chains: int


CACHE = Budget(batch=8 * MEGABYTE, microbatch=5 * MEGABYTE, chains=16 * MEGABYTE)
"""CPU, 1-2 MB of second-level cache per core; XLA fuses most intermediate results away. Measured on transformers."""
DEVICE_MEMORY = Budget(batch=2048 * MEGABYTE, microbatch=1024 * MEGABYTE, chains=8192 * MEGABYTE)
"""Accelerators: only memory limits the size of a batch."""


def choose_layout(loss: Callable[..., Any], parameters: Any, data: Any, batch: int, chains: int) -> Layout:
    """The layout for gradients of `batch` examples in `chains` chains; `parameters` and `data` may be shapes only."""
    if data is None:
        return Layout(None, True)
    budget = CACHE if jax.default_backend() == "cpu" else DEVICE_MEMORY
    example = max(1, example_bytes(loss, parameters, data))
    part = max(2, budget.microbatch // example)
    n = jax.tree.leaves(data)[0].shape[0]
    center = part_of(n, part) if n * example > budget.batch else None
    if batch * example > budget.batch:
        return Layout(part_of(batch, part), False, center)
    return Layout(None, chains * batch * example <= budget.chains, center)


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
