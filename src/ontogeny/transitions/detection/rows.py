"""From the passages of a curve to rows of the table that detection returns."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from ontogeny.trajectory import Axis
from ontogeny.transitions.detection.curves import Curve
from ontogeny.transitions.detection.derivative import slope_of
from ontogeny.transitions.detection.fitting import fit, location_interval
from ontogeny.transitions.detection.monte_carlo import Passage
from ontogeny.transitions.detection.noise import noise_beside
from ontogeny.transitions.detection.search import Search
from ontogeny.transitions.detection.smoothing import shortest_length
from ontogeny.transitions.evidence import beside, contrast

SMALLEST_SHARE = 0.1
"""The share of the range around a passage, without the other passages and what relaxes, that it changes by at least."""
SLACK = 3
"""Checkpoints by which the interval of a location may be wider than its passage. Of joined passages, one is known so well."""


def passage_rows(curve: Curve, search: Search, passages: Sequence[Passage], smallest: float, axis: Axis) -> list[dict]:
    """Return a row for each passage, or run of joined passages, that changes enough and whose place is known.

    Args:
        smallest: what a passage changes by at least, beside `SMALLEST_SHARE` of the range around it.
    """
    fitted = fit(curve, search, passages)
    columns = np.array([passage.index for passage in passages])
    starts, ends = search.passages.starts[columns], search.passages.ends[columns]
    intervals = list(zip(curve.positions[starts], curve.positions[ends], strict=True))
    slope = slope_of(curve.positions, curve.values, noise_beside(curve, intervals, search.nulls, search.relaxations))
    still, shapes, rows = replace(curve, values=curve.values - fitted.relaxing), search.passages.shapes(columns), []
    for members in joined(starts, ends, fitted.changes):
        start, end = int(starts[members].min()), int(ends[members].max())
        change = float(fitted.changes[members].sum())
        rest = still.values - np.delete(shapes, members, axis=1) @ np.delete(fitted.changes, members)
        floor = max(smallest, SMALLEST_SHARE * range_around(curve, rest, start, end))
        if abs(change) < floor or contradicted(still, start, end, change, starts, ends):
            continue
        likely = np.array([location_interval(curve, search, fitted, passages, member) for member in members])
        if np.diff(np.interp(likely, curve.positions, np.arange(len(rest))), axis=1).min() > end - start + SLACK:
            continue
        low, high = likely.min(), likely.max()
        shape = shapes[:, members] @ fitted.changes[members] / change
        middle = halfway(curve.positions[start : end + 1], shape[start : end + 1])
        rows.append(
            {
                "observable": curve.observable,
                "component": curve.component,
                "start": curve.checkpoints[start],
                "location": float(axis.value(middle)),
                "location_low": float(axis.value(min(middle, low))),
                "location_high": float(axis.value(max(middle, high))),
                "end": curve.checkpoints[end],
                "slope_probability": slope.probability(curve.positions[start], curve.positions[end], np.sign(change)),
                "change": change,
                "change_standard_error": float(np.sqrt(fitted.covariance[np.ix_(members, members)].sum())),
                "p_value": min(passages[member].p_value for member in members),
                "direction": "rise" if change > 0 else "fall",
            }
        )
    return sorted(rows, key=lambda row: row["location"])


def mends_relaxation(curve: Curve, search: Search, passages: Sequence[Passage], rows: Sequence[dict]) -> bool:
    """Return whether one of the rows of passages only takes back some of what relaxes beside it.

    It goes one way while the curve, as it is fitted, goes the other way from its start to its end. A change that is sharper than
    a relaxation leaves such passages: the relaxation then fits the curve's ends and not its middle.
    """
    if not rows:
        return False
    relaxing = fit(curve, search, passages).relaxing
    ends = np.searchsorted(curve.checkpoints, [(row["start"], row["end"]) for row in rows])
    changes = np.array([row["change"] for row in rows])
    return bool(np.any(changes * (changes + np.diff(relaxing[ends], axis=1)[:, 0]) < 0))


def range_around(curve: Curve, values: Float[np.ndarray, " N"], start: int, end: int) -> float:
    """Return the range of values from the shortest length of a trend before a passage to as far behind it."""
    length, positions = shortest_length(curve.positions), curve.positions
    around = (positions >= positions[start] - length) & (positions <= positions[end] + length)
    return float(np.ptp(values[around]))


def contradicted(
    curve: Curve, start: int, end: int, change: float, starts: Int[np.ndarray, " J"], ends: Int[np.ndarray, " J"]
) -> bool:
    """Return whether the levels beside a passage, without what relaxes and up to its neighbours, do not change in its direction.

    A trend that bends for a blip elsewhere leaves such passages.
    """
    earliest, latest = max(ends[ends <= start], default=0), min(starts[starts >= end], default=len(curve.checkpoints) - 1)
    levels = contrast(curve, *beside(curve, *curve.checkpoints[[start, end, earliest, latest]]))
    return levels is not None and levels.difference * change <= 0


def joined(starts: np.ndarray, ends: np.ndarray, changes: Float[np.ndarray, " J"]) -> list[list[int]]:
    """Return the indices of passages that are one: those that overlap, or that meet and change in the same direction."""
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
    """Return where a shape that goes from 0 to 1 first reaches a half, between the points if need be."""
    after = int(np.argmax(shape >= 0.5))
    low, high = shape[after - 1], shape[after]
    return float(positions[after - 1] + (0.5 - low) / (high - low) * (positions[after] - positions[after - 1]))
