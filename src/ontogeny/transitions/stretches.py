"""The stretches of development between transitions, and what each does to loss and complexity."""

from collections.abc import Mapping, Sequence

import numpy as np

from ontogeny.trajectory import MAIN_LOSSES
from ontogeny.transitions.detection.curves import Curve
from ontogeny.transitions.evidence import Change, change_within

ERRORS_THAT_COUNT = 2.0
SMALLEST_SHARE = 0.02
"""A level that changes by less than this share of itself has not moved."""


def stages_between(intervals: Sequence[tuple[float, float]], curves: Mapping[tuple[str, str], Curve]) -> list[dict]:
    """The stages of a run.

    Args:
        intervals: start and end of every transition.
        curves: (observable, component) -> curve.

    Returns:
        For each stretch: start, end, delta_llc, delta_loss (None where not measured there) and type.
    """
    places = [place for curve in curves.values() for place in curve.axis.tolist()]
    if not places:
        return []
    loss = next((curves[name, ""] for name in MAIN_LOSSES if (name, "") in curves), None)
    return [stage(start, end, curves.get(("llc", "")), loss) for start, end in gaps(sorted(intervals), min(places), max(places))]


def gaps(intervals: Sequence[tuple[float, float]], first: float, last: float) -> list[tuple[float, float]]:
    """What sorted intervals leave uncovered between `first` and `last`."""
    ends = [first, *np.maximum.accumulate([end for _, end in intervals]).tolist()] if intervals else [first]
    starts = [*(start for start, _ in intervals), last]
    return [(end, start) for end, start in zip(ends, starts, strict=True) if start > end]


def stage(start: float, end: float, llc: Curve | None, loss: Curve | None) -> dict:
    """One stretch with its changes and its type."""
    delta_llc, delta_loss = (curve and change_within(curve, start, end) for curve in (llc, loss))
    return {
        "start": start,
        "end": end,
        "delta_llc": delta_llc and delta_llc.difference,
        "delta_loss": delta_loss and delta_loss.difference,
        "type": kind(delta_llc, delta_loss),
    }


def moves(change: Change) -> int:
    """-1, 0 or 1: falls, stays or rises, as far as its error and its level let one say."""
    level = max(abs(change.before), abs(change.after))
    clear = abs(change.difference) > max(ERRORS_THAT_COUNT * change.standard_error, SMALLEST_SHARE * level)
    return int(np.sign(change.difference)) if clear else 0


def kind(llc: Change | None, loss: Change | None) -> str:
    """What a stage is called, from the ways that λ̂ and the loss move in it."""
    if llc is None or loss is None:
        return "not measured"
    if moves(loss) > 0:
        return "loss rises"
    if moves(loss) == 0:
        return "hidden" if moves(llc) else "quiet"
    return {1: "complexity bought", -1: "simplification", 0: "loss falls alone"}[moves(llc)]
