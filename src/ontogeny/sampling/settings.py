"""What a sampler's settings come to on given data: n, nβ, the batch."""

import math
from typing import Any, NamedTuple

from ontogeny.sampling.checks import leading_axis


class Resolved(NamedTuple):
    """`n` examples (None for a potential given with nβ), `batch_size` of them per step (None for all), nβ."""

    n: int | None
    batch_size: int | None
    inverse_temperature: float


def resolve(data: Any, *, n: int | None, batch_size: int | None, inverse_temperature: float | None) -> Resolved:
    """Fill in the defaults: n from the data, nβ = n / log n (Watanabe 2013), and the full batch for `batch_size` None.

    Raises:
        ValueError: n disagrees with the data or is below 2, the batch is larger than n, or nβ is not positive.
    """
    if data is not None:
        examples = leading_axis(data, "data", "n examples")
        if n is not None and n != examples:
            raise ValueError(f"n: {n} given, but data has a leading axis of {examples}")
        n = examples
    if n is not None and n < 2:
        raise ValueError(f"n: at least 2 examples are needed, got {n}")
    if batch_size is not None:
        check_batch_size(batch_size, data, n)
    if inverse_temperature is None:
        if n is None:
            raise ValueError("inverse_temperature: give it, or n, when data is None")
        inverse_temperature = n / math.log(n)
    if not (math.isfinite(inverse_temperature) and inverse_temperature > 0):
        raise ValueError(f"inverse_temperature: must be positive and finite, got {inverse_temperature}")
    return Resolved(n, None if batch_size == n else batch_size, inverse_temperature)


def check_batch_size(batch_size: int, data: Any, n: int | None) -> None:
    if data is None:
        raise ValueError(f"batch_size: {batch_size} given, but data is None; a potential has no batches")
    if not 1 <= batch_size <= (n or 0):
        raise ValueError(f"batch_size: must lie between 1 and n = {n}, got {batch_size}")
