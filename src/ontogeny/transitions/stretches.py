"""The stages of development: the stretches between transitions, and what each does to loss and complexity."""

from collections.abc import Mapping, Sequence

import numpy as np

from ontogeny.trajectory import MAIN_LOSSES
from ontogeny.transitions.detection.curves import Curve
from ontogeny.transitions.evidence import Change, change_within
from ontogeny.transitions.limits import ERRORS_THAT_COUNT
from ontogeny.transitions.records import Stage

SMALLEST_SHARE = 0.02
"""A level that changes by less than this share of itself has not moved."""


def stages_between(intervals: Sequence[tuple[float, float]], curves: Mapping[tuple[str, str], Curve]) -> list[Stage]:
    """Return the stages of a run in order.

    Args:
        intervals: start and end of every transition.
        curves: (observable, component) -> curve.
    """
    checkpoints = [value for curve in curves.values() for value in curve.checkpoints.tolist()]
    if not checkpoints:
        return []
    llc = curves.get(("llc", ""))
    loss = next((curves[name, ""] for name in MAIN_LOSSES if (name, "") in curves), None)
    return [stage(start, end, llc, loss) for start, end in gaps(sorted(intervals), min(checkpoints), max(checkpoints))]


def gaps(intervals: Sequence[tuple[float, float]], first: float, last: float) -> list[tuple[float, float]]:
    """Return what sorted intervals leave uncovered between `first` and `last`."""
    ends = [first, *np.maximum.accumulate([end for _, end in intervals]).tolist()] if intervals else [first]
    starts = [*(start for start, _ in intervals), last]
    return [(end, start) for end, start in zip(ends, starts, strict=True) if start > end]


def stage(start: float, end: float, llc: Curve | None, loss: Curve | None) -> Stage:
    """Return one stretch with its changes and its type."""
    delta_llc, delta_loss = (curve and change_within(curve, start, end) for curve in (llc, loss))
    return Stage(
        start=start,
        end=end,
        delta_llc=delta_llc and delta_llc.difference,
        delta_loss=delta_loss and delta_loss.difference,
        type=stage_type(delta_llc, delta_loss),
    )


def movement(change: Change) -> int:
    """Return -1, 0 or 1: falls, stays or rises, judged by its error and its level."""
    level = max(abs(change.before), abs(change.after))
    clear = abs(change.difference) > max(ERRORS_THAT_COUNT * change.standard_error, SMALLEST_SHARE * level)
    return int(np.sign(change.difference)) if clear else 0


def stage_type(llc: Change | None, loss: Change | None) -> str:
    """Return the name of a stage in which λ̂ and the loss change so."""
    if llc is None or loss is None:
        return "not measured"
    if movement(loss) > 0:
        return "loss rises"
    if movement(loss) == 0:
        return "hidden" if movement(llc) else "quiet"
    return {1: "complexity bought", -1: "simplification", 0: "loss falls alone"}[movement(llc)]
