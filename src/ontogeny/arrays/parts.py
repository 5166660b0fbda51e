"""Gradients in micro-batches: where a batch's intermediate results overflow the cache, parts of it run 1.5-2 times faster.

How large a part is follows from the loss and the kind of backend, never from a clock: the order of summation is the same on
every processor.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

MEGABYTE = 2**20


class Budget(NamedTuple):
    """Bytes of intermediate results: of a batch left whole, and of a micro-batch."""

    batch: int
    microbatch: int


CACHE = Budget(batch=8 * MEGABYTE, microbatch=5 * MEGABYTE)
"""CPU, 1-2 MB of second-level cache per core; XLA fuses most results away. Set on the work of `benchmarks.layouts`."""
DEVICE_MEMORY = Budget(batch=2048 * MEGABYTE, microbatch=1024 * MEGABYTE)
"""Accelerators: only memory limits the size of a batch. A guess: none was at hand to measure on."""


def choose_microbatch(loss: Callable[..., Any], parameters: Any, data: Any, count: int, lanes: int = 1) -> int | None:
    """Examples per part of `count` of them, None for all at once; `parameters` and `data` may be shapes only.

    `lanes` gradients are taken side by side.
    """
    budget = CACHE if jax.default_backend() == "cpu" else DEVICE_MEMORY
    example = lanes * max(1, example_bytes(loss, parameters, data))
    if count * example <= budget.batch:
        return None
    return part_of(count, max(2, budget.microbatch // example))


def part_of(batch: int, most: int) -> int:
    """A divisor of `batch` from half of `most` on, else the largest size up to it that does not leave a rest of 1 (slow).

    A part left over is compiled, and run, by itself.
    """
    divisor = next((size for size in range(most, max(1, most // 2), -1) if batch % size == 0), None)
    return divisor or next((size for size in range(most, 1, -1) if batch % size != 1), most)


def example_bytes(loss: Callable[..., Any], parameters: Any, data: Any) -> int:
    """Bytes of intermediate results that one more example adds to the loss, from its jaxpr."""

    def total(count: int) -> int:
        batch = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((count, *leaf.shape[1:]), leaf.dtype), data)
        shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), parameters)
        return sum(intermediates(jax.make_jaxpr(loss)(shapes, batch).jaxpr))

    return (total(4) - total(2)) // 2


def intermediates(jaxpr: Any) -> Iterator[int]:
    """Bytes of every result of every equation, those of inner jaxprs included: all branches, and all steps of a scan, whose
    gradient keeps them; loops of unknown length once."""
    for equation in jaxpr.eqns:
        inner = [one for one in jax.tree.leaves(list(equation.params.values())) if hasattr(one, "eqns")]
        for one in inner:
            yield from (equation.params.get("length", 1) * size for size in intermediates(getattr(one, "jaxpr", one)))
        if not inner:
            yield from (result.aval.size * result.aval.dtype.itemsize for result in equation.outvars)


def summed(function: Callable[[Any], Any], examples: Any, microbatch: int | None) -> Any:
    """`function` of all examples, a sum over them: over parts of `microbatch` one after another, None for all at once."""
    if microbatch is None or microbatch >= (count := jax.tree.leaves(examples)[0].shape[0]):
        return function(examples)
    parts, rest = split(examples, count, microbatch)
    first = jax.tree.map(lambda leaf: leaf[0], parts)
    nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(function, first))
    total, _ = jax.lax.scan(lambda carry, part: (jax.tree.map(jnp.add, carry, function(part)), None), nothing, parts)
    return total if rest is None else jax.tree.map(jnp.add, total, function(rest))


def split(tree: Any, count: int, size: int) -> tuple[Any, Any]:
    """Parts of `size` along a new leading axis, and the rest, None where nothing is left."""
    whole = count // size * size
    parts = jax.tree.map(lambda leaf: leaf[:whole].reshape(-1, size, *leaf.shape[1:]), tree)
    return parts, None if whole == count else jax.tree.map(lambda leaf: leaf[whole:], tree)
