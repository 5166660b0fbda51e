"""What fits: how many bytes a program may take on a device, and how large the parts of a batch are.

The size of a part follows from the loss and the kind of device, never from a clock, so that the order of summation is the same on
every device of a kind.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax

MEGABYTE, GIGABYTE = 2**20, 2**30


class Memory(NamedTuple):
    """Bytes that the work of one program may take on one device.

    Attributes:
        intermediates: all intermediate results that are alive at once.
        results: what a job holds of its results before it writes them.
        cache: intermediate results up to which work runs fastest; larger batches are cut into parts. On an accelerator, where
            only memory limits the size of a batch, as large as `intermediates`.
    """

    intermediates: int
    results: int
    cache: int


PROCESSOR = Memory(intermediates=8 * GIGABYTE, results=16 * MEGABYTE, cache=8 * MEGABYTE)
"""For 1-2 MB of second-level cache per core, since XLA fuses most results away. Set on the work of `benchmarks.layouts`."""
ASSUMED_LIMIT = 16 * GIGABYTE
"""The memory of an accelerator that does not say how much it has."""
MARGIN = 0.2
"""The share of an accelerator's memory that is left to what is not counted: fragments, workspaces of libraries."""


def device_memory(device: Any = None) -> Memory:
    """Return what a program may take on a JAX device; None for the first of the process."""
    device = jax.local_devices()[0] if device is None else device
    if device.platform == "cpu":
        return PROCESSOR
    return memory_within((device.memory_stats() or {}).get("bytes_limit", ASSUMED_LIMIT))


def memory_within(limit: int) -> Memory:
    """Return what a program may take on an accelerator with `limit` bytes.

    Half of what the margin leaves is for intermediate results and an eighth for results. The rest is for parameters, data, random
    numbers and the program itself. The limit counts in whole gigabytes, so that all cards of a kind get the same choices.
    """
    usable = int((1 - MARGIN) * max(limit // GIGABYTE * GIGABYTE, MEGABYTE))
    return Memory(intermediates=usable // 2, results=usable // 8, cache=usable // 2)


def choose_microbatch(
    loss: Callable[..., Any], parameters: Any, data: Any, count: int, lanes: int = 1, memory: Memory | None = None
) -> int | None:
    """Return the examples per part of a batch of `count` of them; None for the whole batch at once.

    A part takes up to 5/8 of the cache. It holds at least two examples, since a single one is slow, unless two exceed the memory
    for intermediate results.

    Args:
        loss: (params, batch) -> [batch].
        parameters, data: arrays, or their shapes.
        count: examples of the batch.
        lanes: how many gradients are taken side by side.
        memory: None for that of the device.
    """
    memory = device_memory() if memory is None else memory
    example = lanes * max(1, example_bytes(loss, parameters, data))
    if count * example <= memory.cache:
        return None
    fewest = 2 if 2 * example <= memory.intermediates else 1
    return part_size(count, max(fewest, 5 * memory.cache // 8 // example))


def part_size(batch: int, most: int) -> int:
    """Return a divisor of `batch` between half of `most` and `most`, else the largest size up to it whose rest is not 1.

    The rest is compiled, and run, by itself, and a rest of a single example is slow.
    """
    divisor = next((size for size in range(most, max(1, most // 2), -1) if batch % size == 0), None)
    return divisor or next((size for size in range(most, 1, -1) if batch % size != 1), most)


def example_bytes(loss: Callable[..., Any], parameters: Any, data: Any) -> int:
    """Return the bytes of intermediate results that one more example adds to the loss, from its jaxpr."""

    def total(count: int) -> int:
        batch = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((count, *leaf.shape[1:]), leaf.dtype), data)
        shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), parameters)
        return sum(intermediates(jax.make_jaxpr(loss)(shapes, batch).jaxpr))

    return (total(4) - total(2)) // 2


def intermediates(jaxpr: Any) -> Iterator[int]:
    """Yield the bytes of every result of every equation, with those of inner jaxprs.

    All branches count, and all steps of a scan, since its gradient keeps them. Loops of unknown length count once.
    """
    for equation in jaxpr.eqns:
        inner = [value for value in jax.tree.leaves(list(equation.params.values())) if hasattr(value, "eqns")]
        for value in inner:
            yield from (equation.params.get("length", 1) * size for size in intermediates(getattr(value, "jaxpr", value)))
        if not inner:
            yield from (result.aval.size * result.aval.dtype.itemsize for result in equation.outvars)
