"""Which observables move with a transition, and in which order."""

from collections.abc import Sequence

import numpy as np

from ontogeny.trajectory import ALL_LOSSES, MAIN_LOSSES, Axis
from ontogeny.transitions.records import Evidence, Lag

LEADERS = ("llc", *MAIN_LOSSES)
"""Observables that can be the reference of a transition; the first that changes in it is."""
SHIFTS = 999


def lags(passages: Sequence[Evidence], axis: Axis) -> list[Lag]:
    """Return how much later than the reference every other curve is halfway, on the scale of the axis, with its 95% interval.

    Errors of the two locations are added in squares. The list is empty where the transition has no reference.

    Args:
        passages: those of one transition, the clearest first.
    """
    reference = leader(passages)
    if reference is None:
        return []
    return [lag(passage, reference, axis) for passage in passages if passage is not reference]


def leader(passages: Sequence[Evidence]) -> Evidence | None:
    """Return the passage of λ̂ of the whole network, or that of a loss, or None where neither changes."""
    return next((row for name in LEADERS for row in passages if row.curve == (name, "")), None)


def lag(passage: Evidence, reference: Evidence, axis: Axis) -> Lag:
    """Return the lag of one passage behind another."""
    middle, low, high = (
        axis.position([getattr(row, end) for row in (passage, reference)])
        for end in ("location", "location_low", "location_high")
    )
    difference = float(middle[0] - middle[1])
    earlier = float(np.hypot(middle[0] - low[0], high[1] - middle[1]))
    later = float(np.hypot(high[0] - middle[0], middle[1] - low[1]))
    return Lag(
        observable=passage.observable,
        component=passage.component,
        reference=reference.observable,
        lag=difference,
        lag_low=difference - earlier,
        lag_high=difference + later,
    )


def co_timing(
    events: Sequence[Sequence[Evidence]],
    passages: Sequence[Evidence],
    first: float,
    last: float,
    axis: Axis,
    seed: int = 0,
) -> list[float]:
    """Return for each transition the probability that as many observables move within it by coincidence.

    This is a permutation test with circular shifts. The passages of every other observable are shifted along the scale of the
    axis by an amount of its own, from the end round to the start. The components of an observable are shifted together, and so
    are the losses.
    The interval of a transition is that of its reference, or of its clearest curve where it has no reference. The reference
    itself is not counted, because an interval drawn around the times that are counted would contain them by construction.
    The p-value is 1 where nothing else moves within the interval.

    Args:
        events: the passages of each transition, the clearest first.
        passages: all candidate passages of the run.
        first, last: the first and the last checkpoint of the run.
    """
    return [coincidence(leader(event) or event[0], passages, first, last, axis, seed) for event in events]


def coincidence(reference: Evidence, passages: Sequence[Evidence], first: float, last: float, axis: Axis, seed: int) -> float:
    """Return the p-value of the observables that move within the interval of a reference."""
    low, high = axis.position([reference.start, reference.end])
    times: dict[str, list[float]] = {}
    for passage in passages:
        times.setdefault(family(passage), []).append(float(axis.position(passage.location)))
    times.pop(family(reference), None)
    start = float(axis.position(first))
    length = float(axis.position(last)) - start
    generator = np.random.default_rng(seed)
    within = np.zeros(SHIFTS + 1, dtype=int)
    for locations in times.values():
        shifted = start + (np.asarray(locations) - start + generator.uniform(0, length, (SHIFTS, 1))) % length
        everywhere = np.concatenate([[locations], shifted])
        within += np.any((everywhere >= low) & (everywhere <= high), axis=1)
    return (1 + int(np.sum(within[1:] >= within[0]))) / (SHIFTS + 1)


def family(passage: Evidence) -> str:
    """Return the name under which passages are shifted together: all losses are one."""
    return "loss" if passage.observable in ALL_LOSSES else passage.observable
