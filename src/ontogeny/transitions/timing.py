"""What moves with a transition, and in which order."""

from collections.abc import Mapping, Sequence

import numpy as np

LEADERS = ("llc", "population_loss", "loss")
"""What others lead or follow: the first of these that a transition was seen in."""
SHIFTS = 999
NOT_COUNTED = ("llc",)
"""What others are tested for moving with."""


def lags(rows: Sequence[Mapping]) -> list[dict]:
    """Of every curve seen to change in a transition: how much later than the reference it is halfway, in log(step + 1).

    Args:
        rows: of `detect_transitions`, of one transition, the clearest first.

    Returns:
        observable, component, reference, lag and its 95% interval; the errors of the two locations are added in squares.
    """
    reference = next((row for name in LEADERS for row in rows if row["observable"] == name and not row["component"]), None)
    if reference is None:
        return []
    return [lag(row, reference) for row in rows if row is not reference]


def lag(row: Mapping, reference: Mapping) -> dict:
    place, low, high = (np.log1p([one[f"location{end}"] for one in (row, reference)]) for end in ("", "_low", "_high"))
    difference = float(place[0] - place[1])
    earlier = float(np.hypot(place[0] - low[0], high[1] - place[1]))
    later = float(np.hypot(high[0] - place[0], place[1] - low[1]))
    return {
        "observable": row["observable"],
        "component": row["component"],
        "reference": reference["observable"],
        "lag": difference,
        "lag_low": difference - earlier,
        "lag_high": difference + later,
    }


def co_timing(
    intervals: Sequence[tuple[float, float]], rows: Sequence[Mapping], first: float, last: float, seed: int = 0
) -> list[float]:
    """For each transition, the p-value of so many observables moving within it, were their times unrelated.

    A permutation test: the times of every observable (of all its components together) are shifted along log(step + 1), each by
    an amount of its own, round from the end to the start. What it asks is whether others move with λ̂, so λ̂ stays in place.

    Args:
        intervals: start and end of each transition, in steps.
        rows: all candidate rows of the run.
        first, last: the run's first and last checkpoint.
    """
    times: dict[str, list[float]] = {}
    for row in rows:
        if row["observable"] not in NOT_COUNTED:
            times.setdefault(row["observable"], []).append(float(np.log1p(row["location"])))
    start, length = np.log1p(first), np.log1p(last) - np.log1p(first)
    generator = np.random.default_rng(seed)
    within = np.zeros((SHIFTS + 1, len(intervals)), dtype=int)
    for places in times.values():
        shifts = np.concatenate([[0.0], generator.uniform(0, length, SHIFTS)])
        moved = start + (np.asarray(places) - start + shifts[:, None]) % length
        for number, (low, high) in enumerate(np.log1p(intervals)):
            within[:, number] += np.any((moved >= low) & (moved <= high), axis=1)
    return [(1 + int(np.sum(within[1:, place] >= within[0, place]))) / (SHIFTS + 1) for place in range(len(intervals))]
