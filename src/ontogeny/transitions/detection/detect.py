"""Which curves change faster than a smooth trend can, where, and by how much."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from ontogeny.trajectory import Axis
from ontogeny.transitions.detection.curves import Curve, curves_of
from ontogeny.transitions.detection.derivative import slope_of
from ontogeny.transitions.detection.search import Found, Search, first_passages, fit, further_passages, noise_beside, whereabouts
from ontogeny.transitions.detection.significance import q_values
from ontogeny.transitions.detection.tables import Chains, Covariances
from ontogeny.transitions.evidence import beside, contrast

COLUMNS = (
    "observable",
    "component",
    "start",
    "location",
    "location_low",
    "location_high",
    "end",
    "change",
    "change_standard_error",
    "p_value",
    "q_value",
    "slope_probability",
    "direction",
    "decision",
    "reason",
)
CANDIDATE, UNDECIDED, VOID = "candidate", "undecided", "void"
SMALLEST_SHARE = 0.1
"""A passage carries at least this share of the curve's whole range."""
SMALLEST_SHARE_OF_LEVEL = 0.02
"""... and at least this share of the largest value of its observable, over all components: exact curves resolve drifts, and the
features of dead columns dance around 0, without any development."""


def detect_transitions(
    trajectory: pd.DataFrame,
    observables: Sequence[str] | None = None,
    axis: str = "step",
    scale: str = "log1p",
    alpha: float = 0.05,
    seed: int = 0,
    covariance: Covariances | None = None,
    chains: Chains | None = None,
    interventions: Mapping[float, str] | None = None,
) -> pd.DataFrame:
    """Candidate transitions of every curve, tested against a smooth trend with noise.

    A candidate is a passage between two levels that a smooth trend with the known errors cannot follow, where ruptures also
    places a change point and the slope's posterior has its sign with 80% (each within 1.5 checkpoints). It is found by a
    likelihood-ratio scan, alone or with all change points of the curve together, and more surprising than what the same detectors
    together find in simulations of the smooth trend (p = (1 + #) / (draws + 1), Benjamini-Hochberg over the curves at level
    alpha). It carries a tenth of the curve's range and 2% of its largest value.

    Args:
        trajectory: the long table (`trajectory.SCHEMA`), with a column `axis`.
        observables: names to look at; None for all in the table.
        axis: the column along which development runs.
        scale: log1p, log or linear.
        alpha: false discovery rate over the curves.
        seed: of the simulations.
        covariance: of the errors between checkpoints, over all rows of a curve in the order of the axis: (observable, component)
            -> matrix [K, K], or one matrix for λ̂ of the whole network. Curves without take the standard errors, with an
            over-dispersion and autocorrelation as the curve shows them.
        chains: (observable, component) -> [K, C], the values of which a curve is the mean; its covariance is estimated from
            them (`chain_covariance`).
        interventions: places on the axis where the training itself was changed -> what was changed.

    Returns:
        A row per candidate: observable, component, start, location with its 95% interval, end (in units of the axis), change
        and its standard error, p_value (of that passage), q_value, slope_probability (that the slope has the change's sign
        where it is clearest within the passage, see `slope_of`), direction ("rise" or "fall"), decision "candidate" and
        reason "". Where an intervention lies within the passage or a checkpoint beside it, the decision is "void" and the
        reason names it. A curve that cannot be decided has one row with decision "undecided", the reason, and no numbers.

    Raises:
        ValueError: a fault of the table or of an argument; see `curves_of`.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1; got {alpha}")
    along = Axis(axis, scale, unit=axis)
    curves = curves_of(trajectory, observables, along, covariance, chains)
    open_cases = [curve for curve in curves if curve.undecided]
    decidable = [curve for curve in curves if not curve.undecided]
    rows = candidate_rows(decidable, along, alpha, seed)
    axes = {(curve.observable, curve.component): curve.checkpoints for curve in decidable}
    judged = [row | voided(row, axes[row["observable"], row["component"]], interventions or {}) for row in rows]
    flagged = {(row["observable"], row["component"]) for row in rows}
    silent = [curve for curve in decidable if curve.too_noisy and (curve.observable, curve.component) not in flagged]
    undecided = [undecided_row(curve, curve.undecided) for curve in open_cases]
    undecided += [undecided_row(curve, curve.too_noisy) for curve in silent]
    return pd.DataFrame(undecided + judged, columns=list(COLUMNS))


def voided(row: Mapping, axis: Float[np.ndarray, " N"], interventions: Mapping[float, str]) -> dict[str, str]:
    """What becomes of a row where the training was changed between the checkpoint before its start and the one after its end."""
    first, last = np.searchsorted(axis, [row["start"], row["end"]])
    low, high = axis[max(first - 1, 0)], axis[min(last + 1, len(axis) - 1)]
    inside = [f"{what} at {place:g}" for place, what in sorted(interventions.items()) if low <= place <= high]
    return {"decision": VOID, "reason": f"coincides with {', '.join(inside)}"} if inside else {}


def undecided_row(curve: Curve, reason: str) -> dict:
    return {"observable": curve.observable, "component": curve.component, "decision": UNDECIDED, "reason": reason}


def candidate_rows(curves: Sequence[Curve], axis: Axis, alpha: float, seed: int) -> list[dict]:
    """The candidates of all curves, after control of the false discovery rate over them."""
    smallest = smallest_changes(curves)
    movers = [curve for curve in curves if np.ptp(curve.values) >= smallest[curve.observable, curve.component]]
    tested = [result for group in groups_of(movers) for result in first_passages(group, len(curves), seed)]
    still = len(curves) - len(movers)
    adjusted = q_values([first.p_value for _, _, first in tested] + still * [1.0])[: len(tested)]
    flagged = int(np.sum(adjusted <= alpha))
    rows = []
    for (curve, search, first), q_value in zip(tested, adjusted, strict=True):
        if q_value <= alpha and (found := further_passages(curve, search, first, alpha * flagged / len(curves), seed)):
            large = large_passages(curve, search, found, smallest[curve.observable, curve.component], axis)
            rows += [row | {"q_value": max(q_value, min(1.0, row["p_value"] * len(curves) / flagged))} for row in large]
    return rows


def smallest_changes(curves: Sequence[Curve]) -> dict[tuple[str, str], float]:
    """(observable, component) -> the smallest change, in the observable's unit, that is called a transition."""
    levels: dict[str, float] = {}
    for curve in curves:
        levels[curve.observable] = max(levels.get(curve.observable, 0.0), float(np.abs(curve.values).max()))
    return {
        (curve.observable, curve.component): max(
            SMALLEST_SHARE * float(np.ptp(curve.values)), SMALLEST_SHARE_OF_LEVEL * levels[curve.observable]
        )
        for curve in curves
    }


def groups_of(curves: Sequence[Curve]) -> list[list[Curve]]:
    """Curves without errors on the same checkpoints share their simulations; the others stand alone."""
    groups: dict[object, list[Curve]] = {}
    for number, curve in enumerate(curves):
        key = curve.positions.tobytes() if curve.noise is None else number
        groups.setdefault(key, []).append(curve)
    return list(groups.values())


def large_passages(curve: Curve, search: Search, found: Sequence[Found], smallest: float, axis: Axis) -> list[dict]:
    """A row for each passage, or run of joined passages, that changes by `smallest`."""
    fitted = fit(curve, search, found)
    columns = np.array([passage.passage for passage in found])
    starts, ends = search.passages.starts[columns], search.passages.ends[columns]
    intervals = list(zip(curve.positions[starts], curve.positions[ends], strict=True))
    slope = slope_of(curve.positions, curve.values, noise_beside(curve, intervals))
    rows = []
    for members in joined(starts, ends, fitted.changes):
        start, end = int(starts[members].min()), int(ends[members].max())
        change = float(fitted.changes[members].sum())
        if abs(change) < smallest or contradicted(curve, start, end, change, starts, ends):
            continue
        intervals = [whereabouts(curve, search, fitted, found, member) for member in members]
        inside = curve.positions[start], curve.positions[end]
        shape = search.passages.shapes[:, columns[members]] @ fitted.changes[members] / change
        place = halfway(curve.positions[start : end + 1], shape[start : end + 1])
        rows.append(
            {
                "observable": curve.observable,
                "component": curve.component,
                "start": curve.checkpoints[start],
                "location": float(axis.value(place)),
                "location_low": float(axis.value(min([place, *(low for low, _ in intervals)]))),
                "location_high": float(axis.value(max([place, *(high for _, high in intervals)]))),
                "end": curve.checkpoints[end],
                "slope_probability": slope.probability(*inside, np.sign(change)),
                "change": change,
                "change_standard_error": float(np.sqrt(fitted.covariance[np.ix_(members, members)].sum())),
                "p_value": min(found[member].p_value for member in members),
                "direction": "rise" if change > 0 else "fall",
                "decision": CANDIDATE,
                "reason": "",
            }
        )
    return sorted(rows, key=lambda row: row["location"])


def contradicted(
    curve: Curve, start: int, end: int, change: float, starts: Int[np.ndarray, " J"], ends: Int[np.ndarray, " J"]
) -> bool:
    """Whether the curve's own levels beside a passage, up to its neighbours', do not go its way: a trend that bends for a blip
    elsewhere leaves such passages."""
    earliest, latest = max(ends[ends <= start], default=0), min(starts[starts >= end], default=len(curve.checkpoints) - 1)
    levels = contrast(curve, *beside(curve, *curve.checkpoints[[start, end, earliest, latest]]))
    return levels is not None and levels.difference * change <= 0


def joined(starts: np.ndarray, ends: np.ndarray, changes: Float[np.ndarray, " J"]) -> list[list[int]]:
    """Passages that overlap, or that meet and go the same way, are one: lists of their indices."""
    groups: list[list[int]] = []
    for member in np.argsort(starts, kind="stable").tolist():
        last = max((ends[other] for other in groups[-1]), default=-1) if groups else -1
        same_way = bool(groups) and changes[member] * sum(changes[other] for other in groups[-1]) > 0
        if groups and (starts[member] < last or (starts[member] == last and same_way)):
            groups[-1].append(member)
        else:
            groups.append([member])
    return groups


def halfway(positions: Float[np.ndarray, " W"], shape: Float[np.ndarray, " W"]) -> float:
    """Where a shape that goes from 0 to 1 first reaches a half, between the points if need be."""
    after = int(np.argmax(shape >= 0.5))
    low, high = shape[after - 1], shape[after]
    return float(positions[after - 1] + (0.5 - low) / (high - low) * (positions[after] - positions[after - 1]))
