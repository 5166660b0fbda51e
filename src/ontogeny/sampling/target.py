"""What a sampler's settings come to on given data: n, nβ, the batch."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from jaxtyping import Array, Key

from ontogeny.sampling import checks
from ontogeny.sampling.checks import leading_axis
from ontogeny.sampling.kernels.kernel import Kernel
from ontogeny.sampling.objective import Loss


class Resolved(NamedTuple):
    """`n` examples (None for a potential given with nβ), `batch_size` of them per step (None for all), nβ."""

    n: int | None
    batch_size: int | None
    inverse_temperature: float


def check_and_resolve(
    loss: Loss,
    checkpoints: Any,
    data: Any,
    *,
    key: Key[Array, ""],
    sampler: Kernel,
    inverse_temperature: float | None,
    localization: float,
    batch_size: int | None,
    n: int | None,
    mask: Any,
    steps: Sequence[int] | None = None,
) -> Resolved:
    """What `sample` and `calibrate` check alike, before anything is computed; what the settings come to."""
    checks.check_number("localization", localization)
    if not (math.isfinite(localization) and localization >= 0):
        raise ValueError(f"localization: must be finite and not negative, got {localization}")
    checks.check_key(key)
    checks.check_sampler(sampler)
    checks.check_checkpoints(checkpoints, steps)
    resolved = resolve(data, n=n, batch_size=batch_size, inverse_temperature=inverse_temperature)
    sampler.check(full_batch=resolved.batch_size is None)
    checks.check_finite(data, "data")
    if mask is not None:
        checks.check_mask(mask, checkpoints)
    checks.check_loss(loss, checkpoints, data, resolved.batch_size or resolved.n or 1)
    return resolved


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
    checks.check_number("inverse_temperature", inverse_temperature)
    if not (math.isfinite(inverse_temperature) and inverse_temperature > 0):
        raise ValueError(f"inverse_temperature: must be positive and finite, got {inverse_temperature}")
    return Resolved(n, None if batch_size == n else batch_size, inverse_temperature)


def check_batch_size(batch_size: int, data: Any, n: int | None) -> None:
    if data is None:
        raise ValueError(f"batch_size: {batch_size} given, but data is None; a potential has no batches")
    checks.check_integer("batch_size", batch_size)
    if not 1 <= batch_size <= (n or 0):
        raise ValueError(f"batch_size: must lie between 1 and n = {n}, got {batch_size}")
