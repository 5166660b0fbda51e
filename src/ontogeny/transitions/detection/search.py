"""The passages of one curve: found one after the other or several at once, each tested by simulation, then fitted together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr
from scipy.stats import chi2

from ontogeny.transitions.detection.changepoints import AGREEMENT, Passages, agrees, change_points, passages, smooth_step, strides
from ontogeny.transitions.detection.curves import Curve
from ontogeny.transitions.detection.derivative import SUPPORTED, Posterior, Process, processes
from ontogeny.transitions.detection.significance import (
    NO_PASSAGE,
    Scan,
    likelihood_together,
    p_value,
    scan,
    signed_roots,
    simulate,
)
from ontogeny.transitions.detection.smoothing import (
    Null,
    log_likelihood,
    noise_covariances,
    nulls_of,
    residuals,
    shortest_length,
    straight_line,
)

NOISE_FLOOR = 1e-4
"""Noise, as a share of a curve's spread, below which a curve without errors is not resolved."""
MOST_PASSAGES = 12
LIKELY = float(chi2.ppf(0.95, 1))
"""Twice the log likelihood that a place may lose and still lie in the 95% interval."""
FEWEST_DRAWS, DRAWS_PER_TEST = 299, 20
"""So that the largest tenth is enough to fit a tail to, which thresholds below 1 / draws need (`p_value`)."""
BATCH = 40
UNSURPRISING = 20
"""Simulated curves that reach an observed statistic, after which it needs no more of them."""


@dataclass(frozen=True)
class Search:
    """What the curves on the same checkpoints, with the same noise, share while they are searched.

    Attributes:
        noises: what the noise may be, up to a factor.
        processes: for each noise, those whose slope is looked at.
    """

    noises: Sequence[Float[np.ndarray, "N N"]]
    nulls: Sequence[Null]
    line: Float[np.ndarray, "N 2"]
    rate: float
    passages: Passages
    processes: Sequence[Sequence[Process]]
    noise_scale: float
    smallest_variance: float

    @classmethod
    def over(cls, curve: Curve) -> Self:
        positions, noise = curve.positions, curve.noise
        alternatives, noises = passages(positions, shortest_length(positions)), noise_covariances(len(positions), noise)
        return cls(
            noises,
            nulls_of(positions, noises, alternatives.shapes),
            straight_line(positions),
            1 / float(np.ptp(positions)),
            alternatives,
            [processes(positions, covariance) for covariance in noises],
            1.0 if noise is None else float(np.sqrt(np.median(np.diag(noise)))),
            smallest_variance(noise),
        )

    def free(self, found: Sequence[int]) -> Float[np.ndarray, "N P"]:
        return np.column_stack([self.line, self.passages.shapes[:, list(found)]])

    def scan(self, columns: Float[np.ndarray, "N B"], found: Sequence[int] = ()) -> Scan:
        """The next passage of each column, those already `found` being part of the trend; its statistic is 0 where ruptures
        places no change point or the slope is not likely to have its sign."""
        result = scan(columns, self.nulls, self.free(found), self.smallest_variance)
        noise = np.sqrt(result.variance) * self.noise_scale
        points = [change_points(column, level) for column, level in zip(columns.T, noise, strict=True)]
        ends = zip(self.passages.starts[result.passage], self.passages.ends[result.passage], strict=True)
        confirmed = np.array([agrees(int(start), int(end), own) for own, (start, end) in zip(points, ends, strict=True)])
        for kind in np.unique(result.noise[confirmed]).tolist():
            members = np.flatnonzero(confirmed & (result.noise == kind))
            confirmed[members] = self.slope_probabilities(columns, result, found, kind, members) >= SUPPORTED
        return replace(result, statistic=np.where(confirmed, result.statistic, 0.0), points=points)

    def first(self, columns: Float[np.ndarray, "N B"]) -> Scan:
        """The first passage of each column; or steps at all its change points, where they gain more together.

        A regular staircase is a trend with autocorrelated noise to each of its steps, but not to all of them at once. Each after
        the first costs log N, as the Bayesian information criterion has it for its place and its size.
        """
        result = self.scan(columns)
        counts = np.array([len(points) for points in result.points])
        some = np.flatnonzero((counts > 1) & (counts <= MOST_PASSAGES))
        members = np.full((len(some), MOST_PASSAGES), NO_PASSAGE)
        for row, column in zip(members, some.tolist(), strict=True):
            row[: counts[column]] = self.passages.at(result.points[column])
        likelihood = likelihood_together(columns[:, some], self.nulls, self.line, self.smallest_variance, members)
        statistic = np.zeros(len(counts))
        statistic[some] = likelihood - result.without[some] - (counts[some] - 1) * np.log(len(columns))
        together = [
            self.passages.at(points).tolist() if gain > alone else []
            for points, gain, alone in zip(result.points, statistic, result.statistic, strict=True)
        ]
        return replace(result, statistic=np.maximum(statistic, result.statistic), together=together)

    def slope_probabilities(
        self, columns: Float[np.ndarray, "N A"], result: Scan, found: Sequence[int], kind: int, members: Int[np.ndarray, " B"]
    ) -> Float[np.ndarray, " B"]:
        """How likely the slope has the passage's sign somewhere in it, of those columns that have one of the noises."""
        free = self.free(found)
        rate = np.zeros(free.shape[1])
        rate[1] = self.rate
        posterior = Posterior.of(self.processes[kind], columns[:, members], free, rate, result.variance[members])
        mean, deviation = posterior.slopes()
        # Halfway between checkpoints i and i + 1 is i + 1/2: as far from the passage as ruptures may be.
        places = np.arange(len(mean))[:, None] + 0.5
        starts, ends = self.passages.starts[result.passage[members]], self.passages.ends[result.passage[members]]
        inside = (places >= starts - AGREEMENT) & (places <= ends + AGREEMENT)
        return ndtr(np.where(inside, result.sign[members] * mean / deviation, -np.inf).max(axis=0))

    def simulated(
        self, generator: np.random.Generator, null: int, variance: float, draws: int, found: Sequence[int] | None = None
    ) -> Float[np.ndarray, " draws"]:
        """The statistic on curves without a transition; or of a scan for one that follows those found."""
        columns = simulate(generator, self.nulls[null], variance, draws)
        return (self.first(columns) if found is None else self.scan(columns, found)).statistic


def smallest_variance(noise: Float[np.ndarray, "N N"] | None) -> float:
    """The smallest factor of the noise: where errors are known, they may be too small, never too large."""
    return NOISE_FLOOR**2 if noise is None else 1.0


@dataclass(frozen=True)
class Found:
    """A passage of a curve (its column in the shapes), and how surprising it was when it was found.

    Attributes:
        together: in place of the one passage, all that were tested together; the p-value is theirs.
    """

    passage: int
    p_value: float
    together: Sequence[int] = ()


def centred(curve: Curve) -> tuple[Float[np.ndarray, " N"], float]:
    """The values about zero, in units of their spread where their noise is unknown; and that unit."""
    unit = float(curve.values.std()) if curve.noise is None else 1.0
    return (curve.values - curve.values.mean()) / unit, unit


def first_passages(group: Sequence[Curve], tests: int, seed: int) -> list[tuple[Curve, Search, Found]]:
    """The most likely passage, or several, of each curve of a group, tested against no passage at all."""
    search = Search.over(group[0])
    result = search.first(np.column_stack([centred(curve)[0] for curve in group]))
    draws = max(FEWEST_DRAWS, DRAWS_PER_TEST * tests)
    p_values = np.ones(len(group))
    for null in np.unique(result.null).tolist():
        members = np.flatnonzero(result.null == null)
        variance, statistics = float(result.null_variance[members].mean()), result.statistic[members]
        simulated = simulated_until_unsurprising(search, np.random.default_rng(seed), null, variance, statistics, draws)
        p_values[members] = [p_value(statistic, simulated) for statistic in statistics]
    found = map(Found, result.passage.tolist(), p_values.tolist(), result.together)
    return [(curve, search, first) for curve, first in zip(group, found, strict=True)]


def simulated_until_unsurprising(
    search: Search,
    generator: np.random.Generator,
    null: int,
    variance: float,
    statistics: Float[np.ndarray, " B"],
    draws: int,
) -> Float[np.ndarray, " draws"]:
    """The scan's statistic on curves without a transition: `draws` of them, fewer where each of the observed statistics is
    reached often enough by then (the p-value is valid whenever one stops for that: Besag and Clifford 1991)."""
    simulated = np.zeros(0)
    while len(simulated) < draws and np.sum(simulated >= statistics.max()) < UNSURPRISING:
        batch = search.simulated(generator, null, variance, min(BATCH, draws - len(simulated)))
        simulated = np.append(simulated, batch)
    return simulated


def further_passages(curve: Curve, search: Search, first: Found, level: float, seed: int) -> list[Found]:
    """All passages of a flagged curve: each is tested with the earlier ones as part of the trend, until one is not surprising.

    The jth is tested at level / j: tested at the level, as the first one is, one in twenty that are found would be false. Of
    several that were surprising together each is left out in turn, in order of place, and what then is most likely is tested in
    its stead; j counts those accepted so far, which are not tested again where a later one is dropped.
    """
    waiting, found = list(first.together), [] if first.together else [first]
    values, _ = centred(curve)
    while len(found) < MOST_PASSAGES:
        waiting = waiting[1:]
        earlier = [*(passage.passage for passage in found), *waiting]
        result = search.scan(values[:, None], earlier)
        generator = np.random.default_rng([seed, len(found)])
        lower = level / (len(found) + 1)
        p = p_value_at(search, generator, result, earlier, lower)
        if p <= lower:
            found.append(Found(int(result.passage[0]), p))
        elif not waiting:
            break
    return found


def p_value_at(search: Search, generator: np.random.Generator, result: Scan, earlier: Sequence[int], level: float) -> float:
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
        null, variance: the hyperparameters, as an index into the search's and the factor of the covariance.
    """

    changes: Float[np.ndarray, " J"]
    covariance: Float[np.ndarray, "J J"]
    null: int
    variance: float


def fit(curve: Curve, search: Search, found: Sequence[Found]) -> Fit:
    """The changes at the hyperparameters that are most likely with these passages."""
    values, unit = centred(curve)
    columns = [passage.passage for passage in found]
    free = search.free(columns)
    best, variance = likeliest(values, search.nulls, free, search.smallest_variance)
    null = search.nulls[best]
    inverse = np.linalg.pinv(null.whitener @ free)
    steps = slice(search.line.shape[1], None)
    return Fit(
        unit * (inverse @ null.whitener @ values)[steps],
        unit**2 * variance * (inverse @ inverse.T)[steps, steps],
        best,
        variance,
    )


def likeliest(
    values: Float[np.ndarray, " N"], nulls: Sequence[Null], free: Float[np.ndarray, "N P"], smallest: float
) -> tuple[int, float]:
    """The index of the likeliest of the hyperparameters, and the factor of its covariance."""
    fits = []
    for null in nulls:
        basis, determinant = null.without(free)
        squares = np.sum(residuals(null.whitener @ values[:, None], basis) ** 2, axis=0)
        likelihood, variance = log_likelihood(squares, determinant, len(values) - free.shape[1], smallest)
        fits.append((float(likelihood[0]), float(variance[0])))
    best = max(range(len(fits)), key=lambda number: fits[number][0])
    return best, fits[best][1]


def noise_beside(curve: Curve, intervals: Sequence[tuple[float, float]]) -> Float[np.ndarray, "N N"]:
    """The covariance of a curve's noise as the search would have it, with over-dispersion and autocorrelation.

    Args:
        intervals: start and end of the curve's passages, in units of the positions; they are part of the trend.
    """
    values, unit = centred(curve)
    line, noises = straight_line(curve.positions), noise_covariances(len(values), curve.noise)
    free = np.column_stack([line, *(smooth_step(curve.positions, start, end) for start, end in intervals)])
    nulls = nulls_of(curve.positions, noises, line[:, :0])
    best, variance = likeliest(values, nulls, free, smallest_variance(curve.noise))
    return unit**2 * variance * noises[nulls[best].noise]


def whereabouts(curve: Curve, search: Search, fitted: Fit, found: Sequence[Found], member: int) -> tuple[float, float]:
    """The 95% interval of where a passage is halfway, in positions: those that are nearly as likely in its stead.

    From the profile likelihood at the fitted hyperparameters, the other passages being part of the trend; wider by half of what
    lies between the places that are tried.
    """
    values, _ = centred(curve)
    null = search.nulls[fitted.null]
    basis, _ = null.without(search.free([other.passage for place, other in enumerate(found) if place != member]))
    gains = signed_roots(null, basis, residuals(null.whitener @ values[:, None], basis))[0] ** 2
    likely = gains >= gains[found[member].passage] - LIKELY * fitted.variance
    starts, ends = search.passages.starts[likely], search.passages.ends[likely]
    strides_of = strides(ends - starts)

    def middle(by: np.ndarray) -> Float[np.ndarray, " likely"]:
        index = np.arange(len(values))
        return (np.interp(starts + by, index, curve.positions) + np.interp(ends + by, index, curve.positions)) / 2

    # Halfway between a passage's ends, in positions, and half of what lies between it and the next that is tried.
    return float(middle(-strides_of / 2).min()), float(middle(strides_of / 2).max())
