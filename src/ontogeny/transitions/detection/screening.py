"""Test all curves of a run together, and search those that are flagged for further passages."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ontogeny.trajectory import Axis
from ontogeny.transitions.detection.curves import Curve
from ontogeny.transitions.detection.monte_carlo import SMALLEST_P_VALUE, Passage, first_passages, further_passages
from ontogeny.transitions.detection.noise import centred
from ontogeny.transitions.detection.rows import mends_relaxation, passage_rows
from ontogeny.transitions.detection.search import Search
from ontogeny.transitions.detection.significance import q_values
from ontogeny.transitions.detection.tables import CurveName, spelled

SMALLEST_SHARE_OF_LEVEL = 0.02
"""The share of the largest value of its observable, over all components, that a passage changes by at least. Exact curves
resolve drifts, and the features of dead columns vary around 0, without any development."""


@dataclass(frozen=True)
class Screened:
    """What was found in the curves of a run.

    Attributes:
        candidates: the rows of candidates, each with its curve.
        relaxing: curves that have no candidate, but would have one if nothing relaxed, and why that is no transition.
    """

    candidates: Sequence[tuple[Curve, dict]]
    relaxing: Sequence[tuple[Curve, str]]


def screened(curves: Sequence[Curve], axis: Axis, alpha: float, seed: int, progress: Callable[[int], None]) -> Screened:
    """Look for candidates in all curves, with control of the false discovery rate over them."""
    smallest, count = smallest_changes(curves), len(curves)
    movers = [curve for curve in curves if np.ptp(curve.values) >= smallest[curve.name]]
    done = still = count - len(movers)

    def report(number: int) -> None:
        nonlocal done
        done += number
        progress(done)

    tested = [part for group in groups_of(movers) for part in first_tests(group, count, alpha, seed, report)]
    p_values = [first.p_value for group in tested for first in group.firsts]
    names = [curve.name for group in tested for curve in group.curves]
    adjusted = dict(zip(names, q_values(p_values + still * [1.0])[: len(names)].tolist(), strict=True))
    flagged = {name for name, q_value in adjusted.items() if q_value <= alpha}
    report(count - len(flagged))
    level = alpha * len(flagged) / max(count, 1)
    rows, relaxing = [], []
    for group in tested:
        if group.times and group.curves[0].name not in flagged:
            relaxing += as_well_relaxing(group, alpha / count, seed, smallest[group.curves[0].name], axis)
        for curve, row in further_rows(group, flagged, level, seed, smallest, axis, report):
            own = min(1.0, row["p_value"] * count / len(flagged))
            p_value = max(row["p_value"], SMALLEST_P_VALUE)
            rows.append((curve, row | {"p_value": p_value, "q_value": max(adjusted[curve.name], own, p_value)}))
    return Screened(rows, relaxing)


@dataclass(frozen=True)
class Tested:
    """Curves that share their search, and the first passage of each.

    Attributes:
        times: of what may relax in them.
    """

    curves: Sequence[Curve]
    firsts: Sequence[Passage]
    times: Sequence[float]


def first_tests(group: Sequence[Curve], tests: int, alpha: float, seed: int, done: Callable[[int], None]) -> list[Tested]:
    """Test the first passage of curves that share their search, those that relax one by one."""
    try:
        search = Search.over(group[0])
        times = search.times(np.column_stack([centred(curve)[0] for curve in group]))
        parts = [([curve], own) for curve, own in zip(group, times, strict=True) if own]
        if still := [curve for curve, own in zip(group, times, strict=True) if not own]:
            parts.append((still, ()))
        tested = []
        for curves, own in parts:
            tested.append(Tested(curves, first_passages(search.relaxing(own), curves, tests, seed, alpha, done), own))
    except np.linalg.LinAlgError as error:
        names = ", ".join(spelled(curve.name) for curve in group)
        raise ValueError(f"{names}: the errors differ too much in size to be calculated with ({error})") from None
    return tested


def further_rows(
    group: Tested,
    flagged: Collection[CurveName],
    level: float,
    seed: int,
    smallest: Mapping[CurveName, float],
    axis: Axis,
    done: Callable[[int], None],
) -> Iterator[tuple[Curve, dict]]:
    """Search the flagged curves of a group for further passages, and yield a row for each passage that is large enough.

    Where a passage only mends the relaxation beside it, the curve does not follow a relaxation and is searched without one.
    """
    pairs = [(curve, first) for curve, first in zip(group.curves, group.firsts, strict=True) if curve.name in flagged]
    if not pairs:
        return
    search = Search.over(group.curves[0]).relaxing(group.times)
    for curve, first in pairs:
        rows, mending = rows_beside(curve, search, first, level, seed, smallest[curve.name], axis)
        if mending:
            rows = rows_without_relaxation(curve, level, seed, smallest[curve.name], axis, first.p_value)
        yield from ((curve, row) for row in rows)
        done(1)


def rows_without_relaxation(curve: Curve, level: float, seed: int, smallest: float, axis: Axis, least: float = 0.0) -> list[dict]:
    """Return a row for each passage of a curve in which nothing relaxes, where its first passage is surprising at a level.

    Args:
        least: the smallest p-value that the first passage has.
    """
    search = Search.over(curve)
    (first,) = first_passages(search, [curve], 1, seed, level)
    first = replace(first, p_value=max(first.p_value, least))
    return rows_beside(curve, search, first, level, seed, smallest, axis)[0] if first.p_value <= level else []


def as_well_relaxing(group: Tested, level: float, seed: int, smallest: float, axis: Axis) -> Iterator[tuple[Curve, str]]:
    """Yield the curve of a group, and why it has no candidate, where it would have one if nothing relaxed."""
    (curve,) = group.curves
    for row in rows_without_relaxation(curve, level, seed, smallest, axis)[:1]:
        where = f"the change at {row['start']:g} to {row['end']:g}"
        yield curve, f"{where} is as well a relaxation with a time of {group.times[0]:.3g}"


def rows_beside(
    curve: Curve, search: Search, first: Passage, level: float, seed: int, smallest: float, axis: Axis
) -> tuple[list[dict], bool]:
    """Return a row for each passage of a flagged curve that is large enough, and whether one mends what relaxes beside it."""
    passages = further_passages(curve, search, first, level, seed)
    if not passages:
        return [], False
    final = search.relaxing_beside(centred(curve)[0][:, None], [passage.index for passage in passages])
    rows = passage_rows(curve, final, passages, smallest, axis)
    return rows, mends_relaxation(curve, final, passages, rows)


def smallest_changes(curves: Sequence[Curve]) -> dict[CurveName, float]:
    """Return the smallest change of each curve, in the observable's unit, that is called a transition."""
    levels: dict[str, float] = {}
    for curve in curves:
        levels[curve.observable] = max(levels.get(curve.observable, 0.0), float(np.abs(curve.values).max()))
    return {curve.name: SMALLEST_SHARE_OF_LEVEL * levels[curve.observable] for curve in curves}


def groups_of(curves: Sequence[Curve]) -> list[list[Curve]]:
    """Return curves that share their search: those without errors on the same checkpoints, where their noise does not vary; the
    others stand alone."""
    groups: dict[object, list[Curve]] = {}
    for number, curve in enumerate(curves):
        key = number if curve.noise is not None else (curve.positions.tobytes(), np.round(curve.scale, 6).tobytes())
        groups.setdefault(key, []).append(curve)
    return list(groups.values())
