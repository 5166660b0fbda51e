"""Whether a candidate is there at other settings of the sampler, and how far its place moves."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from ontogeny.trajectory import STEPS, Axis
from ontogeny.transitions.records import Candidate

ERRORS = 2.0
"""A change of λ̂ of so many standard errors counts."""


class Robustness(NamedTuple):
    """What becomes of a candidate's change of λ̂ at other settings.

    Attributes:
        survives: the settings at which λ̂ changes in the same direction by more than two errors.
        vanishes: those at which it changes in the other direction so, or does not change by a third of what it should.
        unknown: all others.
        shift: the largest distance, in the unit of the axis, between where λ̂ is halfway at a setting and where it is at the
            study's own; None where it cannot be said.
    """

    survives: tuple[str, ...]
    vanishes: tuple[str, ...]
    unknown: tuple[str, ...]
    shift: float | None


class Coarse(NamedTuple):
    """λ̂ at the checkpoints that were sampled again."""

    llc: Float[np.ndarray, " steps"]
    standard_error: Float[np.ndarray, " steps"]


def robustness(
    candidate: Candidate, steps: Sequence[float], own: Coarse, settings: Mapping[str, Coarse], axis: Axis = STEPS
) -> Robustness | None:
    """Return what becomes of a candidate; None where λ̂ itself does not change across it on these checkpoints."""
    places = np.asarray(steps, float)
    before = int(np.searchsorted(places, candidate.start, side="right")) - 1
    after = int(np.searchsorted(places, candidate.end, side="left"))
    if before < 0 or after >= len(places):
        return None
    change, error = across(own, before, after)
    if not abs(change) > ERRORS * error:
        return None
    outcome: dict[str, list[str]] = {"survives": [], "vanishes": [], "unknown": []}
    shifts = []
    there = halfway(places, own, before, after, axis)
    for name, values in settings.items():
        other, other_error = across(values, before, after)
        scale = abs(other) / max(abs(values.llc[before]), abs(values.llc[after]), np.finfo(float).tiny)
        share = abs(change) / max(abs(own.llc[before]), abs(own.llc[after]))
        if other * change > 0 and abs(other) > ERRORS * other_error:
            outcome["survives"].append(name)
            place = halfway(places, values, before, after, axis)
            shifts += [abs(place - there)] if place is not None and there is not None else []
        elif abs(other) > ERRORS * other_error or scale + ERRORS * other_error / max(abs(values.llc[after]), 1e-12) < share / 3:
            outcome["vanishes"].append(name)
        else:
            outcome["unknown"].append(name)
    return Robustness(**{key: tuple(names) for key, names in outcome.items()}, shift=max(shifts, default=None))


def across(values: Coarse, before: int, after: int) -> tuple[float, float]:
    """Return the change of λ̂ between two checkpoints, and its error."""
    return float(values.llc[after] - values.llc[before]), float(
        np.hypot(values.standard_error[before], values.standard_error[after])
    )


def halfway(places: np.ndarray, values: Coarse, before: int, after: int, axis: Axis) -> float | None:
    """Return where λ̂ is halfway between its values at two checkpoints; None where it passes that value more than once.

    Two neighbours have no checkpoint between them that could tell, so that is None as well.
    """
    if after - before < 2:
        return None
    levels = values.llc[before : after + 1]
    middle = (levels[0] + levels[-1]) / 2
    above = levels > middle
    turns = np.flatnonzero(above[1:] != above[:-1])
    if len(turns) != 1:
        return None
    first = before + int(turns[0])
    ends = axis.position(places[[first, first + 1]])
    share = (middle - values.llc[first]) / (values.llc[first + 1] - values.llc[first])
    return float(axis.value(ends[0] + share * (ends[1] - ends[0])))


def from_content(content: Mapping[str, Any]) -> tuple[list[int], dict[str, Coarse]]:
    """Return the checkpoints and the settings of `sensitivity.json`."""
    settings = {
        name: Coarse(np.asarray(values["llc"], float), np.asarray(values["standard_error"], float))
        for name, values in content["settings"].items()
    }
    return content["steps"], settings
