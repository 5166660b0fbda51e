"""Search a curve for passages: one after the other or several at once, each tested by simulation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr

from ontogeny.transitions.detection.changepoints import AGREEMENT, Passages, agrees, change_points
from ontogeny.transitions.detection.curves import Curve
from ontogeny.transitions.detection.derivative import SUPPORTED, Posterior, Process, processes
from ontogeny.transitions.detection.noise import centred, smallest_variance
from ontogeny.transitions.detection.significance import (
    NO_STEP,
    Alternative,
    Scan,
    Whitened,
    likelihood_together,
    p_value,
    scan,
    simulate,
)
from ontogeny.transitions.detection.smoothing import Null, noise_covariances, nulls_of, shortest_length, straight_line

MOST_PASSAGES = 12
FEWEST_DRAWS, DRAWS_PER_TEST = 299, 20
"""Simulated curves. The largest tenth is then enough to fit a tail to, which thresholds below 1 / draws need (`p_value`)."""
BATCH = 40
"""Curves that are simulated at once."""
UNSURPRISING = 20
"""Simulated curves that reach an observed statistic, after which it needs no more of them."""


@dataclass(frozen=True)
class Search:
    """What curves on the same checkpoints with the same noise share while they are searched.

    Attributes:
        noises: what the covariance of the noise may be, up to a factor.
        rate: the slope of the straight line, per unit of the positions.
        noise_scale: the typical error of a checkpoint.
    """

    positions: Float[np.ndarray, " N"]
    noises: Sequence[Float[np.ndarray, "N N"]]
    nulls: Sequence[Null]
    line: Float[np.ndarray, "N 2"]
    rate: float
    passages: Passages
    noise_scale: float
    smallest_variance: float

    @classmethod
    def over(cls, curve: Curve) -> Self:
        """Return the search of a curve, and of all curves without errors on its checkpoints if it has none."""
        positions, noise = curve.positions, curve.noise
        noises = noise_covariances(len(positions), noise)
        return cls(
            positions,
            noises,
            nulls_of(positions, noises),
            straight_line(positions),
            1 / float(np.ptp(positions)),
            Passages.over(positions, shortest_length(positions)),
            1.0 if noise is None else float(np.sqrt(np.median(np.diag(noise)))),
            smallest_variance(noise),
        )

    @cached_property
    def whitened(self) -> list[Whitened]:
        """Return the passages in the coordinates of each null."""
        return [Whitened.of(null, self.passages) for null in self.nulls]

    @cached_property
    def processes(self) -> list[list[Process]]:
        """Return for each noise the processes whose slope supports a passage."""
        return [processes(self.positions, covariance) for covariance in self.noises]

    def free(self, passages: Sequence[int]) -> Float[np.ndarray, "N P"]:
        """Return the free part of the trend: the straight line and passages."""
        return np.column_stack([self.line, self.passages.shapes(passages)])

    def beside(self, passages: Sequence[int] = ()) -> "Trend":
        """Return the search for passages beside those already accepted, which are part of the trend."""
        free = self.free(passages)
        return Trend(self, free, [whitened.beside(free) for whitened in self.whitened])


@dataclass(frozen=True)
class Trend:
    """A search with the free part of its trend: the straight line, and passages accepted before."""

    search: Search
    free: Float[np.ndarray, "N P"]
    alternatives: Sequence[Alternative]

    def scan(self, columns: Float[np.ndarray, "N B"]) -> Scan:
        """Return the next passage of each column.

        The statistic is 0 where ruptures places no change point at the passage, or the slope is not likely to have its sign.
        """
        result = scan(columns, self.alternatives, self.search.smallest_variance)
        noise = np.sqrt(result.variance) * self.search.noise_scale
        points = [change_points(column, level) for column, level in zip(columns.T, noise, strict=True)]
        passages = self.search.passages
        ends = zip(passages.starts[result.passage], passages.ends[result.passage], strict=True)
        confirmed = np.array([agrees(int(start), int(end), own) for own, (start, end) in zip(points, ends, strict=True)])
        for kind in np.unique(result.noise[confirmed]).tolist():
            members = np.flatnonzero(confirmed & (result.noise == kind))
            confirmed[members] = self.slope_probabilities(columns, result, kind, members) >= SUPPORTED
        return replace(result, statistic=np.where(confirmed, result.statistic, 0.0), points=points)

    def first(self, columns: Float[np.ndarray, "N B"]) -> Scan:
        """Return the first passage of each column, or steps at all its change points where these gain more together.

        To each of its steps a regular staircase is a trend with autocorrelated noise, but not to all of them at once. Each step
        after the first costs log N, as in the Bayesian information criterion for its place and size.
        """
        result = self.scan(columns)
        counts = np.array([len(points) for points in result.points])
        several = np.flatnonzero((counts > 1) & (counts <= MOST_PASSAGES))
        statistic = np.zeros(len(counts))
        if len(several):
            members = np.full((len(several), MOST_PASSAGES), NO_STEP)
            for row, column in zip(members, several.tolist(), strict=True):
                row[: counts[column]] = result.points[column]
            likelihood = likelihood_together(columns[:, several], self.alternatives, self.search.smallest_variance, members)
            statistic[several] = likelihood - result.without[several] - (counts[several] - 1) * np.log(len(columns))
        together = [
            self.search.passages.at(points).tolist() if gain > alone else []
            for points, gain, alone in zip(result.points, statistic, result.statistic, strict=True)
        ]
        return replace(result, statistic=np.maximum(statistic, result.statistic), together=together)

    def slope_probabilities(
        self, columns: Float[np.ndarray, "N A"], result: Scan, kind: int, members: Int[np.ndarray, " B"]
    ) -> Float[np.ndarray, " B"]:
        """Return the probability that the slope has the passage's sign somewhere in it, of columns with one of the noises."""
        rate = np.zeros(self.free.shape[1])
        rate[1] = self.search.rate
        processes, variance = self.search.processes[kind], result.variance[members]
        mean, deviation = Posterior.of(processes, columns[:, members], self.free, rate, variance).slopes()
        # Halfway between checkpoints i and i + 1 is i + 1/2. The slope may be as far from the passage as ruptures.
        middles = np.arange(len(mean))[:, None] + 0.5
        passages, chosen = self.search.passages, result.passage[members]
        inside = (middles >= passages.starts[chosen] - AGREEMENT) & (middles <= passages.ends[chosen] + AGREEMENT)
        return ndtr(np.where(inside, result.sign[members] * mean / deviation, -np.inf).max(axis=0))

    def simulated(
        self, generator: np.random.Generator, null: int, variance: float, draws: int, first: bool
    ) -> Float[np.ndarray, " draws"]:
        """Return the statistic on curves without a transition, of a `first` passage or of a further one."""
        columns = simulate(generator, self.search.nulls[null], variance, draws)
        return (self.first(columns) if first else self.scan(columns)).statistic


@dataclass(frozen=True)
class Passage:
    """A passage of a curve, and how surprising it was when it was tested.

    Attributes:
        index: the passage, among those of the search.
        together: several passages that were tested together in its place; the p-value is then theirs.
    """

    index: int
    p_value: float
    together: Sequence[int] = ()


def first_passages(
    search: Search, group: Sequence[Curve], tests: int, seed: int, done: Callable[[int], None] = lambda count: None
) -> list[Passage]:
    """Return the most likely passage, or several, of each curve of a group, tested against no passage at all.

    Args:
        group: curves that share their search.
        tests: the number of curves of the run.
        done: called with the number of curves that have just been tested.
    """
    trend = search.beside()
    result = trend.first(np.column_stack([centred(curve)[0] for curve in group]))
    draws = max(FEWEST_DRAWS, DRAWS_PER_TEST * tests)
    p_values = np.ones(len(group))
    for null in np.unique(result.null).tolist():
        members = np.flatnonzero(result.null == null)
        variance, statistics = float(result.null_variance[members].mean()), result.statistic[members]
        simulated = simulated_until_unsurprising(trend, np.random.default_rng(seed), null, variance, statistics, draws)
        p_values[members] = [p_value(statistic, simulated) for statistic in statistics]
        done(len(members))
    return list(map(Passage, result.passage.tolist(), p_values.tolist(), result.together))


def simulated_until_unsurprising(
    trend: Trend,
    generator: np.random.Generator,
    null: int,
    variance: float,
    statistics: Float[np.ndarray, " B"],
    draws: int,
) -> Float[np.ndarray, " draws"]:
    """Return the scan's statistic on `draws` curves without a transition, or on fewer where they suffice.

    They suffice once each of the observed statistics was reached often. A p-value stays valid when one stops for that (Besag
    and Clifford 1991).
    """
    simulated = np.zeros(0)
    while len(simulated) < draws and np.sum(simulated >= statistics.max()) < UNSURPRISING:
        batch = trend.simulated(generator, null, variance, min(BATCH, draws - len(simulated)), first=True)
        simulated = np.append(simulated, batch)
    return simulated


def further_passages(curve: Curve, search: Search, first: Passage, level: float, seed: int) -> list[Passage]:
    """Return all passages of a flagged curve: each is tested with the earlier ones as part of the trend.

    The search ends at the first passage that is not surprising. The jth passage is tested at level / j; if all were tested at
    the level, one in twenty passages would be false. Of several passages that were surprising together, each is left out in
    turn, in order of place, and what is then most likely is tested in its stead. There j counts those accepted so far, which
    are not tested again where a later one is dropped.
    """
    waiting, accepted = list(first.together), [] if first.together else [first]
    values, _ = centred(curve)
    while len(accepted) < MOST_PASSAGES:
        waiting = waiting[1:]
        trend = search.beside([*(passage.index for passage in accepted), *waiting])
        result = trend.scan(values[:, None])
        lower = level / (len(accepted) + 1)
        p = p_value_at(trend, np.random.default_rng([seed, len(accepted)]), result, lower)
        if p <= lower:
            accepted.append(Passage(int(result.passage[0]), p))
        elif not waiting:
            break
    return accepted


def p_value_at(trend: Trend, generator: np.random.Generator, result: Scan, level: float) -> float:
    """Return the Monte Carlo p-value of a curve's further passage; simulation ends as soon as it must exceed the level."""
    draws = max(FEWEST_DRAWS, int(np.ceil(2 / level)))
    null, variance = int(result.null[0]), float(result.null_variance[0])
    simulated = np.zeros(0)
    while len(simulated) < draws and 1 + np.sum(simulated >= result.statistic[0]) <= level * (draws + 1):
        batch = trend.simulated(generator, null, variance, min(BATCH, draws - len(simulated)), first=False)
        simulated = np.append(simulated, batch)
    return p_value(result.statistic[0], simulated)
