"""Which checks an estimate passes. An estimate that fails a check is kept, and marked."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float, Int

PerCheckpoint = Float[np.ndarray, " checkpoints"]
Failed = Mapping[str, Bool[np.ndarray, " checkpoints"]]
"""Name of a check -> whether the estimate at each checkpoint fails it."""

LARGEST_R_HAT = 1.1
SMALLEST_SAMPLE_PER_CHAIN = 10
SMALLEST_SAMPLE_OF_A_PRECISE_MEAN, PRECISE = 4, 0.05
"""Independent draws per chain that suffice where the standard error is at most this share of λ̂."""
LARGEST_DRIFT = 3.0
LARGEST_SHARE_BELOW = 0.2
LARGEST_FIRST_ORDER = 0.2

PASSED = "ok"
ALL_DEAD = "all chains dead"


def failed_checks(
    mean: PerCheckpoint,
    *,
    standard_error: PerCheckpoint,
    dead_chains: Int[np.ndarray, " checkpoints"],
    chains: int,
    r_hat: PerCheckpoint,
    sample_size: PerCheckpoint,
    drift: PerCheckpoint,
    share_below: PerCheckpoint,
    first_order: PerCheckpoint,
    dimension: int,
) -> dict[str, Bool[np.ndarray, " checkpoints"]]:
    """Return which checks fail at each checkpoint, by name.

    The checks are:

    - `all chains dead`: no chain lives; the other checks are then not made;
    - `dimension`: λ̂ exceeds the number of directions, which is twice what a regular minimum has: the step is too long, or w* is
    far
      from a minimum;
    - `negative`: λ̂ < 0;
    - `dead_chains`: a chain died;
    - `r_hat` > 1.1 (Gelman et al.);
    - `effective_sample_size` < 10 per live chain, or < 4 where the standard error is at most 5% of λ̂: checkpoints share their
      noise, so one bar alone would decide a whole run;
    - `drift`: its absolute value exceeds 3;
    - `share_below` > 0.2;
    - `first_order`: its absolute value exceeds 0.2 of the rest of λ̂: w* is no minimum, and the slope decides the value.

    A check that cannot be made (NaN: too few draws) fails.
    """
    all_dead = dead_chains == chains
    precise = standard_error <= PRECISE * np.abs(mean)
    needed = np.where(precise, SMALLEST_SAMPLE_OF_A_PRECISE_MEAN, SMALLEST_SAMPLE_PER_CHAIN)
    failed = {
        "dimension": mean > dimension,
        "negative": mean < 0,
        "dead_chains": dead_chains > 0,
        "r_hat": ~(r_hat <= LARGEST_R_HAT),
        "effective_sample_size": ~(sample_size >= needed * (chains - dead_chains)),
        "drift": ~(np.abs(drift) <= LARGEST_DRIFT),
        "share_below": ~(share_below <= LARGEST_SHARE_BELOW),
        "first_order": ~(np.abs(first_order) <= LARGEST_FIRST_ORDER * np.abs(mean - first_order)),
    }
    return {ALL_DEAD: all_dead, **{name: fails & ~all_dead for name, fails in failed.items()}}


def verdicts(failed: Failed) -> list[str]:
    """Return for each checkpoint the names of the failed checks, separated by commas, or "ok"."""
    rows = zip(*failed.values(), strict=True)
    return [", ".join(name for name, fails in zip(failed, row, strict=True) if fails) or PASSED for row in rows]
