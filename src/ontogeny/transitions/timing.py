"""What moves with a transition, and in which order."""

from collections.abc import Mapping, Sequence

import numpy as np

from ontogeny.trajectory import ALL_LOSSES, MAIN_LOSSES

LEADERS = ("llc", *MAIN_LOSSES)
"""What others lead or follow: the first of these that a transition was seen in."""
SHIFTS = 999


def lags(rows: Sequence[Mapping]) -> list[dict]:
    """Of every curve seen to change in a transition: how much later than the reference it is halfway, in log(step + 1).

    Args:
        rows: of `detect_transitions`, of one transition, the clearest first.

    Returns:
        observable, component, reference, lag and its 95% interval; the errors of the two locations are added in squares.
    """
    reference = leader(rows)
    if reference is None:
        return []
    return [lag(row, reference) for row in rows if row is not reference]


def leader(rows: Sequence[Mapping]) -> Mapping | None:
    """The row of λ̂, else of a loss, of the whole network; None where neither was seen to change."""
    return next((row for name in LEADERS for row in rows if row["observable"] == name and not row["component"]), None)


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
    events: Sequence[Sequence[Mapping]], rows: Sequence[Mapping], first: float, last: float, seed: int = 0
) -> list[float]:
    """For each transition, the p-value of so many observables moving within it, were their times unrelated.

    A permutation test against circular shifts: the times of every other observable (of all its components together, the losses
    being one) are shifted along log(step + 1), each by an amount of its own, round from the end to the start. The transition is
    where its reference moves, λ̂, else a loss, else its clearest curve, which is not counted: an interval drawn round the
    times that are counted would hold them by construction. 1 where nothing else moves within it.

    Args:
        events: the rows of each transition, the clearest first.
        rows: all candidate rows of the run.
        first, last: the run's first and last checkpoint.
    """
    return [together(leader(event) or event[0], rows, (np.log1p(first), np.log1p(last)), seed) for event in events]


def together(reference: Mapping, rows: Sequence[Mapping], axis: tuple[float, float], seed: int) -> float:
    low, high = np.log1p([reference["start"], reference["end"]])
    times: dict[str, list[float]] = {}
    for row in rows:
        times.setdefault(kind(row), []).append(float(np.log1p(row["location"])))
    times.pop(kind(reference), None)
    start, length = axis[0], axis[1] - axis[0]
    generator = np.random.default_rng(seed)
    within = np.zeros(SHIFTS + 1, dtype=int)
    for places in times.values():
        moved = start + (np.asarray(places) - start + generator.uniform(0, length, (SHIFTS, 1))) % length
        everywhere = np.concatenate([[places], moved])
        within += np.any((everywhere >= low) & (everywhere <= high), axis=1)
    return (1 + int(np.sum(within[1:] >= within[0]))) / (SHIFTS + 1)


def kind(row: Mapping) -> str:
    return "loss" if row["observable"] in ALL_LOSSES else row["observable"]
