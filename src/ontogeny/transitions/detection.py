"""Which curves change faster than a smooth trend can, where, and by how much."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from jaxtyping import Float

from ontogeny.transitions.changepoints import Passages, agrees, change_points, passages
from ontogeny.transitions.curves import INVERSES, Curve, curves_of
from ontogeny.transitions.significance import Scan, p_value, q_values, scan, simulate
from ontogeny.transitions.smoothing import Null, log_likelihood, null_covariances, residuals, shortest_length, straight_line

COLUMNS = (
    "observable",
    "component",
    "start",
    "location",
    "end",
    "change",
    "change_standard_error",
    "p_value",
    "q_value",
    "direction",
    "decision",
    "reason",
)
CANDIDATE, UNDECIDED = "candidate", "undecided"
NOISE_FLOOR = 1e-4
"""Noise, as a share of a curve's spread, below which a curve without errors is not resolved."""
SMALLEST_SHARE = 0.1
"""A passage carries at least this share of the curve's whole range."""
SMALLEST_SHARE_OF_LLC = 0.02
"""... and of λ̂, at least this share of its level."""
MOST_PASSAGES = 5
FEWEST_DRAWS, DRAWS_PER_TEST, BATCH = 199, 20, 40


@dataclass(frozen=True)
class Search:
    """What the curves on the same checkpoints, with the same noise, share while they are searched."""

    nulls: Sequence[Null]
    line: Float[np.ndarray, "N 2"]
    passages: Passages
    noise_scale: float
    smallest_variance: float

    @classmethod
    def over(cls, positions: Float[np.ndarray, "N"], noise: Float[np.ndarray, "N N"] | None) -> Self:
        alternatives = passages(positions, shortest_length(positions))
        return cls(
            [Null.of(covariance, alternatives.shapes) for covariance in null_covariances(positions, noise)],
            straight_line(positions),
            alternatives,
            1.0 if noise is None else float(np.sqrt(np.diag(noise).mean())),
            NOISE_FLOOR**2 if noise is None else 1.0,
        )

    def free(self, found: Sequence[int]) -> Float[np.ndarray, "N P"]:
        return np.column_stack([self.line, self.passages.shapes[:, list(found)]])

    def scan(self, columns: Float[np.ndarray, "N B"], found: Sequence[int] = ()) -> Scan:
        """The next passage of each column, those already `found` being part of the trend."""
        return scan(columns, self.nulls, self.free(found), self.smallest_variance)

    def simulated(
        self, generator: np.random.Generator, null: int, variance: float, draws: int, found: Sequence[int] = ()
    ) -> Float[np.ndarray, "draws"]:
        """The scan's statistic on curves without a further transition."""
        return self.scan(simulate(generator, self.nulls[null], variance, draws), found).statistic


def detect_transitions(
    trajectory: pd.DataFrame,
    observables: Sequence[str] | None = None,
    axis: str = "step",
    scale: str = "log1p",
    alpha: float = 0.05,
    seed: int = 0,
    covariance: Float[np.ndarray, "K K"] | None = None,
) -> pd.DataFrame:
    """Candidate transitions of every curve, tested against a smooth trend with noise.

    A candidate is a passage between two levels that a likelihood-ratio scan finds more surprising than in simulations of the
    smooth trend (p = (1 + #) / (draws + 1), Benjamini-Hochberg over the curves at level alpha), where ruptures also places a
    change point, and that carries a tenth of the curve's range.

    Args:
        trajectory: the long table (`trajectory.SCHEMA`), with a column `axis`.
        observables: names to look at; None for all in the table.
        axis: the column along which development runs.
        scale: log1p, log or linear.
        alpha: false discovery rate over the curves.
        seed: of the simulations.
        covariance: of the errors of λ̂ between checkpoints, over all its rows in the order of the axis; None takes the
            standard errors, with an over-dispersion and autocorrelation as the curve shows them.

    Returns:
        A row per candidate: observable, component, start, location, end (in units of the axis), change and its standard
        error, p_value (of that passage), q_value, direction ("rise" or "fall"), decision "candidate" and reason "". A curve
        that cannot be decided has one row with decision "undecided", the reason, and no numbers.

    Raises:
        ValueError: a fault of the table or of an argument; see `curves_of`.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1; got {alpha}")
    curves = curves_of(trajectory, observables, axis, scale, covariance)
    open_cases = [curve for curve in curves if curve.undecided]
    decidable = [curve for curve in curves if not curve.undecided]
    rows = [undecided_row(curve) for curve in open_cases] + candidate_rows(decidable, scale, alpha, seed)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def undecided_row(curve: Curve) -> dict:
    return {"observable": curve.observable, "component": curve.component, "decision": UNDECIDED, "reason": curve.undecided}


def candidate_rows(curves: Sequence[Curve], scale: str, alpha: float, seed: int) -> list[dict]:
    """The candidates of all curves, after control of the false discovery rate over them."""
    tested = [result for group in groups_of(curves) for result in first_passages(group, len(curves), seed)]
    adjusted = q_values([first.p_value for _, _, first in tested])
    flagged = int(np.sum(adjusted <= alpha))
    rows = []
    for (curve, search, first), q_value in zip(tested, adjusted, strict=True):
        if q_value <= alpha:
            found = further_passages(curve, search, first, alpha * flagged / len(tested), seed)
            rows += rows_of(curve, search, found, lambda p, q=q_value: max(q, min(1.0, p * len(tested) / flagged)), scale)
    return rows


def groups_of(curves: Sequence[Curve]) -> list[list[Curve]]:
    """Curves without errors on the same checkpoints share their simulations; the others stand alone."""
    groups: dict[object, list[Curve]] = {}
    for number, curve in enumerate(curves):
        key = curve.positions.tobytes() if curve.noise is None else number
        groups.setdefault(key, []).append(curve)
    return list(groups.values())


@dataclass(frozen=True)
class Found:
    """A passage of a curve (its column in the shapes), and how surprising it was when it was found."""

    passage: int
    p_value: float


def centred(curve: Curve) -> tuple[Float[np.ndarray, "N"], float]:
    """The values about zero, in units of their spread where their noise is unknown; and that unit."""
    unit = float(curve.values.std()) if curve.noise is None else 1.0
    return (curve.values - curve.values.mean()) / unit, unit


def first_passages(group: Sequence[Curve], tests: int, seed: int) -> list[tuple[Curve, Search, Found]]:
    """The most likely passage of each curve of a group, tested against no passage at all."""
    search = Search.over(group[0].positions, group[0].noise)
    result = search.scan(np.column_stack([centred(curve)[0] for curve in group]))
    draws = max(FEWEST_DRAWS, DRAWS_PER_TEST * tests)
    nulls = result.null.tolist()
    simulated = {
        null: search.simulated(
            np.random.default_rng(seed), null, float(result.null_variance[result.null == null].mean()), draws
        )
        for null in sorted(set(nulls))
    }
    return [
        (curve, search, Found(int(result.passage[column]), p_value(result.statistic[column], simulated[nulls[column]])))
        for column, curve in enumerate(group)
    ]


def further_passages(curve: Curve, search: Search, first: Found, level: float, seed: int) -> list[Found]:
    """All passages of a flagged curve: each is tested with the earlier ones as part of the trend, until one is not surprising."""
    found = [first]
    values, _ = centred(curve)
    while len(found) < MOST_PASSAGES:
        earlier = [passage.passage for passage in found]
        result = search.scan(values[:, None], earlier)
        generator = np.random.default_rng([seed, len(found)])
        p = p_value_at(search, generator, result, earlier, level)
        if p > level:
            return found
        found.append(Found(int(result.passage[0]), p))
    return found


def p_value_at(
    search: Search, generator: np.random.Generator, result: Scan, earlier: Sequence[int], level: float
) -> float:
    """The Monte Carlo p-value of one curve's further passage, given up as soon as it is sure to exceed the level."""
    draws = max(FEWEST_DRAWS, int(np.ceil(2 / level)))
    null, variance = int(result.null[0]), float(result.null_variance[0])
    simulated = np.zeros(0)
    while len(simulated) < draws and 1 + np.sum(simulated >= result.statistic[0]) <= level * (draws + 1):
        batch = search.simulated(generator, null, variance, min(BATCH, draws - len(simulated)), earlier)
        simulated = np.append(simulated, batch)
    return p_value(result.statistic[0], simulated)


@dataclass(frozen=True)
class Fit:
    """All passages of a curve fitted together with its smooth trend, by generalised least squares.

    Attributes:
        changes: of each passage, in the curve's unit.
        covariance: of the changes.
        noise: standard deviation of the noise at a checkpoint.
    """

    changes: Float[np.ndarray, "J"]
    covariance: Float[np.ndarray, "J J"]
    noise: float


def fit(curve: Curve, search: Search, found: Sequence[Found]) -> Fit:
    """The changes at the hyperparameters that are most likely with these passages."""
    values, unit = centred(curve)
    columns = [passage.passage for passage in found]
    free = search.free(columns)
    freedom = len(values) - free.shape[1]
    fits = []
    for null in search.nulls:
        basis, determinant = null.without(free)
        squares = np.sum(residuals(null.whitener @ values[:, None], basis) ** 2, axis=0)
        likelihood, variance = log_likelihood(squares, determinant, freedom, search.smallest_variance)
        fits.append((float(likelihood[0]), float(variance[0])))
    best = max(range(len(fits)), key=lambda number: fits[number][0])
    variance, null = fits[best][1], search.nulls[best]
    inverse = np.linalg.pinv(null.whitener @ free)
    steps = slice(search.line.shape[1], None)
    return Fit(
        unit * (inverse @ null.whitener @ values)[steps],
        unit**2 * variance * (inverse @ inverse.T)[steps, steps],
        unit * float(np.sqrt(variance)) * search.noise_scale,
    )


def rows_of(
    curve: Curve, search: Search, found: Sequence[Found], q_value: Callable[[float], float], scale: str
) -> list[dict]:
    """A row for each passage, or run of joined passages, that is large enough and that ruptures confirms."""
    fitted = fit(curve, search, found)
    points = change_points(curve.values, fitted.noise)
    smallest = SMALLEST_SHARE * np.ptp(curve.values)
    if curve.observable == "llc":
        smallest = max(smallest, SMALLEST_SHARE_OF_LLC * abs(float(np.median(curve.values))))
    columns = np.array([passage.passage for passage in found])
    starts, ends = search.passages.starts[columns], search.passages.ends[columns]
    rows = []
    for members in joined(starts, ends, fitted.changes):
        start, end = int(starts[members].min()), int(ends[members].max())
        change = float(fitted.changes[members].sum())
        if abs(change) < smallest or not agrees(start, end, points):
            continue
        shape = search.passages.shapes[:, columns[members]] @ fitted.changes[members] / change
        smallest_p = min(found[member].p_value for member in members)
        rows.append(
            {
                "observable": curve.observable,
                "component": curve.component,
                "start": curve.axis[start],
                "location": float(INVERSES[scale](halfway(curve.positions[start : end + 1], shape[start : end + 1]))),
                "end": curve.axis[end],
                "change": change,
                "change_standard_error": float(np.sqrt(fitted.covariance[np.ix_(members, members)].sum())),
                "p_value": smallest_p,
                "q_value": q_value(smallest_p),
                "direction": "rise" if change > 0 else "fall",
                "decision": CANDIDATE,
                "reason": "",
            }
        )
    return sorted(rows, key=lambda row: row["location"])


def joined(starts: np.ndarray, ends: np.ndarray, changes: Float[np.ndarray, "J"]) -> list[list[int]]:
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


def halfway(positions: Float[np.ndarray, "W"], shape: Float[np.ndarray, "W"]) -> float:
    """Where a shape that goes from 0 to 1 first reaches a half, between the points if need be."""
    after = int(np.argmax(shape >= 0.5))
    low, high = shape[after - 1], shape[after]
    return float(positions[after - 1] + (0.5 - low) / (high - low) * (positions[after] - positions[after - 1]))
