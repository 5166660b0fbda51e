"""The curves whose levels are read around the transitions of a run, with the noise of the search."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from jaxtyping import Int

from ontogeny.trajectory import MAIN_LOSSES, PASSED, Axis
from ontogeny.transitions.detection.curves import Curve, curves_of
from ontogeny.transitions.detection.noise import noise_beside, nulls_over
from ontogeny.transitions.detection.screening import groups_of
from ontogeny.transitions.detection.tables import LLC, Chains, Covariances, CurveName
from ontogeny.transitions.events import Event, Intervals, window
from ontogeny.transitions.evidence import Change, beside, change_across, homogeneous
from ontogeny.transitions.limits import FEWEST_CHECKPOINTS
from ontogeny.transitions.records import Evidence

NEGATIVE_LOG_PRIOR: CurveName = ("negative_log_prior", "")
HELD_BY_LOCALIZATION: CurveName = ("held_by_localization", "")
Curves = Mapping[CurveName, Curve]


def curves_with_levels(
    trajectory: pd.DataFrame, axis: Axis, covariance: Covariances | None, chains: Chains | None
) -> tuple[dict[CurveName, Curve], str | None]:
    """Return the curves whose levels count, and the verdict on λ̂ of the whole network.

    A λ̂ that failed its checks at too many checkpoints is left out. Its verdict is then "failed"; it is None where the table has
    no λ̂.
    """
    curves = {curve.name: curve for curve in curves_of(trajectory, axis=axis, covariance=covariance, chains=chains)}
    llc = curves.get(LLC)
    if llc is None or len(llc.values) >= FEWEST_CHECKPOINTS:
        return curves, PASSED if llc else None
    return {name: curve for name, curve in curves.items() if name != LLC}, "failed"


def exact_curve(name: CurveName, values: Mapping[float, float], axis: Axis) -> Curve:
    """Return a curve that is known without error, from checkpoint -> value."""
    checkpoints = np.array(sorted(values), float)
    levels = np.array([values[checkpoint] for checkpoint in sorted(values)], float)
    positions = axis.position(checkpoints)
    return Curve(observable=name[0], component=name[1], checkpoints=checkpoints, positions=positions, values=levels, noise=None)


def span(curves: Curves) -> tuple[float, float]:
    """Return the first and the last checkpoint of a run."""
    checkpoints = [value for curve in curves.values() for value in curve.checkpoints.tolist()]
    return min(checkpoints), max(checkpoints)


def passages_of(name: CurveName, passages: Sequence[Evidence], axis: Axis) -> list[tuple[float, float]]:
    """Return the positions of the start and the end of every passage of one curve."""
    return [(float(axis.position(row.start)), float(axis.position(row.end))) for row in passages if row.curve == name]


def with_search_noise(curves: Curves, passages: Sequence[Evidence], axis: Axis) -> dict[CurveName, Curve]:
    """Return the curves with the over-dispersion and autocorrelation that their residuals show.

    Levels are means of neighbours, so their errors depend on both. Chains know their own errors, and a curve that cannot be
    decided shows none: both are returned as they are.

    Args:
        passages: of all curves; they are part of the trend.
    """
    noisy: dict[CurveName, Curve] = {}
    for group in groups_of([curve for curve in curves.values() if curve.chains is None and not curve.undecided]):
        nulls = nulls_over(group[0])
        for curve in group:
            noise = noise_beside(curve, passages_of(curve.name, passages, axis), nulls)
            noisy[curve.name] = replace(curve, noise=noise)
    return {name: noisy.get(name, curve) for name, curve in curves.items()}


def changes_across(event: Event, events: Sequence[Event], curves: Curves, passages: Intervals) -> dict[CurveName, Change]:
    """Return what every curve does across one of the events, from levels that stop at the neighbouring changes."""
    changes = {name: change_across(curve, *window(event, events, name, passages)) for name, curve in curves.items()}
    return {name: change for name, change in changes.items() if change is not None}


def levels_beside(event: Event, events: Sequence[Event], curves: Curves, passages: Intervals) -> dict[str, float | None]:
    """Return the levels of λ̂ and of the loss on both sides of an event: llc_before, llc_after, loss_before, loss_after.

    None stands where a side has no clean level: no checkpoint, or the nearest lies within another passage of the same curve.
    """
    levels: dict[str, float | None] = {f"{kind}_{side}": None for kind in ("llc", "loss") for side in ("before", "after")}
    for kind, name in (("llc", LLC), ("loss", main_loss(curves))):
        if name in curves:
            before, after = beside(curves[name], *window(event, events, name, passages))
            levels[f"{kind}_before"] = clean_level(curves[name], before[::-1], passages.get(name, ()))
            levels[f"{kind}_after"] = clean_level(curves[name], after, passages.get(name, ()))
    return levels


def clean_level(curve: Curve, nearest_first: Int[np.ndarray, " places"], passages: Sequence[tuple[float, float]]) -> float | None:
    """Return the level of a curve on one side of an event; None where none is clean."""
    if not len(nearest_first) or any(start < curve.checkpoints[nearest_first[0]] < end for start, end in passages):
        return None
    return float(curve.values[homogeneous(curve, nearest_first)].mean())


def main_loss(curves: Curves) -> CurveName:
    """Return the name of the loss that free energies use."""
    return next(((name, "") for name in MAIN_LOSSES if (name, "") in curves), (MAIN_LOSSES[-1], ""))
