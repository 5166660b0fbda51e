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


def candidate_rows(
    curves: Sequence[Curve], axis: Axis, alpha: float, seed: int, progress: Callable[[int], None]
) -> list[tuple[Curve, dict]]:
    """Return the candidates of all curves, after control of the false discovery rate over them."""
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
    rows = []
    for group in tested:
        for curve, row in further_rows(group, flagged, count, level, seed, smallest, axis, report):
            own = min(1.0, row["p_value"] * count / len(flagged))
            p_value = max(row["p_value"], SMALLEST_P_VALUE)
            rows.append((curve, row | {"p_value": p_value, "q_value": max(adjusted[curve.name], own, p_value)}))
    return rows


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
    tests: int,
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
            plain = search.relaxing(())
            (other,) = first_passages(plain, [curve], tests, seed, level)
            # The curve has to be surprising in both.
            other = replace(other, p_value=max(other.p_value, first.p_value))
            rows, _ = (
                rows_beside(curve, plain, other, level, seed, smallest[curve.name], axis)
                if other.p_value <= level
                else ([], False)
            )
        yield from ((curve, row) for row in rows)
        done(1)


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
