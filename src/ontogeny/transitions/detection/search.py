"""Search a curve for passages: one after the other or several at once, each tested by simulation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr

from ontogeny.transitions.detection.changepoints import AGREEMENT, Passages, agrees, change_points
from ontogeny.transitions.detection.curves import Curve
from ontogeny.transitions.detection.derivative import SUPPORTED, Posterior, Process, processes
from ontogeny.transitions.detection.local_noise import DEGREES, roughness
from ontogeny.transitions.detection.noise import centred, smallest_variance
from ontogeny.transitions.detection.relaxation import relaxation, relaxation_times
from ontogeny.transitions.detection.shared_errors import pooled_spread
from ontogeny.transitions.detection.significance import (
    NO_STEP,
    Alternative,
    Scan,
    Whitened,
    likelihood_together,
    p_value,
    scan,
    simulate,
    simulate_trend,
    tail,
)
from ontogeny.transitions.detection.smoothing import (
    AUTOCORRELATIONS,
    WANDER,
    Null,
    noise_covariances,
    nulls_of,
    shortest_length,
    straight_line,
)

MOST_PASSAGES = 12
FEWEST_DRAWS, DRAWS_PER_TEST = 399, 20
"""Simulated curves. The largest tenth is then enough to fit a tail to, which thresholds below 1 / draws need (`p_value`)."""
SMALLEST_P_VALUE = 1e-3
"""The smallest p-value that is stated. The tail of the simulations is trusted so far; smaller ones only order the curves."""
BATCH = 40
"""Curves that are simulated at once."""
FAR = 15.0
"""Log likelihood by which an alternative is worse than the best for a curve, beyond which its simulations leave it out."""
CLEAR, FEWEST_CLEAR = 1e-3, 120
"""Share of its threshold that the p-value of a clear passage is below, after at least so many simulated curves."""
PLAUSIBLE = 2.0
"""Log likelihood by which a null is worse than the best of a curve, up to which it is simulated as well."""
WITHOUT_RELAXATION = 8.0
"""Log likelihood by which a smooth trend in which nothing relaxes is worse, up to which it has to be ruled out as well."""
ORDINARY = 0.2
"""A p-value under one null from which on no other is simulated."""
UNSURPRISING = 20
"""Simulated curves that reach an observed statistic, after which it needs no more of them."""


@dataclass(frozen=True)
class Search:
    """What curves on the same checkpoints with the same noise share while they are searched.

    Attributes:
        noises: what the covariance of the noise may be, up to a factor.
        rate: the slope of the straight line, per unit of the positions.
        noise_scale: the typical error of a checkpoint.
        scale: the size of the noise at each checkpoint, in units of its median, where no errors are given; else 1.
        chains: the number of chains from which the errors were estimated; 0 where they were not.
        elapsed: the checkpoints in units of the axis, from the first on.
        relaxations: what may relax beside the smooth trend. The first has no columns.
        made: the processes made so far, by their noise.
    """

    positions: Float[np.ndarray, " N"]
    noises: Sequence[Float[np.ndarray, "N N"]]
    nulls: Sequence[Null]
    line: Float[np.ndarray, "N 2"]
    rate: float
    passages: Passages
    noise_scale: float
    smallest_variance: float
    scale: Float[np.ndarray, " N"]
    chains: int
    elapsed: Float[np.ndarray, " N"]
    relaxations: Sequence[Float[np.ndarray, "N R"]]
    made: dict[int, list[Process]] = field(default_factory=dict)

    @classmethod
    def over(cls, curve: Curve) -> Self:
        """Return the search of a curve, and of all curves without errors on its checkpoints if it has none."""
        positions, noise = curve.positions, curve.noise
        noises = noise_covariances(noise, curve.scale)
        return cls(
            positions,
            noises,
            nulls_of(positions, noises),
            straight_line(positions),
            1 / float(np.ptp(positions)),
            Passages.over(positions, shortest_length(positions)),
            1.0 if noise is None else float(np.sqrt(np.median(np.diag(noise)))),
            smallest_variance(noise),
            curve.scale,
            0 if curve.chains is None else curve.chains.shape[1],
            curve.checkpoints - curve.checkpoints[0],
            (np.zeros((len(positions), 0)),),
        )

    @cached_property
    def whitened(self) -> list[Whitened]:
        """Return the passages in the coordinates of each null."""
        return [Whitened.of(null, self.passages) for null in self.nulls]

    def processes(self, kind: int) -> list[Process]:
        """Return the processes, with one of the noises, whose slope supports a passage."""
        if kind not in self.made:
            self.made[kind] = processes(self.positions, self.noises[kind])
        return self.made[kind]

    def times(self, columns: Float[np.ndarray, "N B"]) -> list[tuple[float, ...]]:
        """Return the times of the relaxations that each curve needs beside its smooth trend."""
        plain = scan(columns, [whitened.beside(self.line) for whitened in self.whitened], self.smallest_variance)
        return relaxation_times(columns, self.elapsed, self.line, self.whitened, plain, self.smallest_variance)

    def relaxing(self, times: Sequence[float]) -> "Search":
        """Return the search whose trend may relax in one of these times only."""
        more = replace(self, relaxations=(self.relaxations[0], *(relaxation(self.elapsed, time) for time in times)))
        more.__dict__["whitened"] = self.whitened
        return more

    def free(self, passages: Sequence[int]) -> Float[np.ndarray, "N P"]:
        """Return the free part of the trend: the straight line and passages."""
        return np.column_stack([self.line, self.passages.shapes(passages)])

    def beside(self, passages: Sequence[int] = ()) -> "Trend":
        """Return the search for passages beside those already accepted, which are part of the trend."""
        free = self.free(passages)
        relaxed = [own.beside(free, extra) for extra in self.relaxations for own in self.whitened]
        return Trend(self, free, relaxed)

    def varies(self, kind: int) -> bool:
        """Return whether the size of one of the noises varies from place to place."""
        return not self.chains and kind >= len(AUTOCORRELATIONS)

    def steadied(self, column: Float[np.ndarray, " N"], kind: int) -> Float[np.ndarray, " N"]:
        """Return a curve whose increments are divided by the size of its noise at their place."""
        if not self.varies(kind):
            return column
        increments = np.diff(column) / np.sqrt(self.scale[1:] * self.scale[:-1])
        return np.concatenate([column[:1], column[0] + np.cumsum(increments)])

    def simulated(self, generator: np.random.Generator, null: Null, variance: float, draws: int) -> Float[np.ndarray, "N draws"]:
        """Return curves without a transition.

        The size of the noise is estimated from each simulated curve as it was from the curve itself, and the noise is then
        made as large as the estimate of the curve says: an error that is too small by chance makes noise look surprising.
        """
        varying = self.varies(null.noise)
        if not varying and not self.chains:
            return simulate(generator, null, variance, draws)
        covariance = self.noises[0 if self.chains else null.noise]
        errors = np.sqrt(np.diag(covariance))[:, None]
        factor = np.linalg.cholesky(covariance / (errors * errors.T))
        if varying:
            noise = factor @ generator.standard_normal((len(errors), draws))
            noise /= roughness(noise, tuple(range(1, DEGREES + 1)))
        else:
            chains = np.tensordot(factor, generator.standard_normal((len(errors), draws, self.chains)), 1)
            # Only errors that are too small by chance matter.
            noise = chains.mean(axis=2) / np.minimum(pooled_spread(chains), 1 / np.sqrt(self.chains))
            noise += np.sqrt(WANDER[null.noise]) * generator.standard_normal(noise.shape)
        return np.sqrt(variance) * (errors * noise + simulate_trend(generator, null, draws))


@dataclass(frozen=True)
class Trend:
    """A search with the free part of its trend: the straight line, and passages accepted before."""

    search: Search
    free: Float[np.ndarray, "N P"]
    alternatives: Sequence[Alternative]

    def scan(self, columns: Float[np.ndarray, "N B"], at_least: float = -np.inf) -> Scan:
        """Return the next passage of each column.

        The statistic is 0 where ruptures places no change point at the passage, or the slope is not likely to have its sign, once
        what relaxes is taken off.

        Args:
            at_least: a smaller log likelihood ratio is the statistic as it is, without a look at change points and slopes.
        """
        result = scan(columns, self.alternatives, self.search.smallest_variance)
        noise = np.sqrt(result.variance) * self.search.noise_scale
        looked = np.flatnonzero(result.raw >= at_least)
        columns = self.without_relaxation(columns, result, looked)
        points = [np.zeros(0, int)] * columns.shape[1]
        for number in looked.tolist():
            points[number] = change_points(self.search.steadied(columns[:, number], int(result.noise[number])), noise[number])
        passages = self.search.passages
        ends = zip(passages.starts[result.passage], passages.ends[result.passage], strict=True)
        confirmed = np.array([agrees(int(start), int(end), own) for own, (start, end) in zip(points, ends, strict=True)])
        for kind in np.unique(result.noise[confirmed]).tolist():
            members = np.flatnonzero(confirmed & (result.noise == kind))
            confirmed[members] = self.slope_probabilities(columns, result, kind, members) >= SUPPORTED
        statistic = np.where(confirmed | (result.raw < at_least), result.raw, 0.0)
        return replace(result, statistic=statistic, points=points)

    def without_relaxation(
        self, columns: Float[np.ndarray, "N B"], result: Scan, looked: Int[np.ndarray, " L"]
    ) -> Float[np.ndarray, "N B"]:
        """Return columns, some of them without what relaxes in them beside their passage."""
        left = columns.copy()
        for number in looked.tolist():
            alternative = self.alternatives[result.chosen[number]]
            if alternative.relaxation.shape[1]:
                free = np.column_stack([self.free, self.search.passages.shapes([int(result.passage[number])])])
                left[:, [number]] -= relaxed(left[:, [number]], free, alternative)
        return left

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
        processes, variance = self.search.processes(kind), result.variance[members]
        mean, deviation = Posterior.of(processes, columns[:, members], self.free, rate, variance).slopes()
        # Halfway between checkpoints i and i + 1 is i + 1/2. The slope may be as far from the passage as ruptures.
        middles = np.arange(len(mean))[:, None] + 0.5
        passages, chosen = self.search.passages, result.passage[members]
        inside = (middles >= passages.starts[chosen] - AGREEMENT) & (middles <= passages.ends[chosen] + AGREEMENT)
        return ndtr(np.where(inside, result.sign[members] * mean / deviation, -np.inf).max(axis=0))

    def plausible(self, result: Scan, member: int) -> list[int]:
        """Return the alternatives whose nulls are nearly as likely as the best of a curve, the best first.

        They are the best of each noise with each relaxation.
        """
        worse, best = result.worse[:, member], {}
        for number in np.argsort(worse, kind="stable").tolist():
            alternative = self.alternatives[number]
            family = number // len(self.search.nulls)
            if worse[number] <= PLAUSIBLE:
                best.setdefault((alternative.whitened.null.noise, family), number)
        return list(best.values())

    def near(self, result: Scan, members: Int[np.ndarray, " B"]) -> "Trend":
        """Return the trend with the alternatives that are not far worse than the best for some of the scanned curves."""
        near = np.flatnonzero((result.behind[:, members] <= FAR).any(axis=1)).tolist()
        return replace(self, alternatives=[self.alternatives[number] for number in near])

    def simulated(
        self,
        generator: np.random.Generator,
        null: Alternative,
        variance: float,
        draws: int,
        relaxed: Float[np.ndarray, "N B"],
        at_least: float | None = None,
    ) -> Float[np.ndarray, " draws"]:
        """Return the statistic on curves without a transition: of a first passage, or of a further one.

        Args:
            null: the alternative whose null is simulated.
            relaxed: what relaxes in the curves that are tested; the simulated curves have them in turn.
            at_least: the statistic of a further passage below which its exact size does not matter; None for a first passage.
        """
        columns = self.search.simulated(generator, null.whitened.null, variance, draws)
        columns += relaxed[:, np.arange(draws) % relaxed.shape[1]]
        result = self.first(columns) if at_least is None else self.scan(columns, at_least)
        return result.statistic


def relaxed(
    columns: Float[np.ndarray, "N B"], free: Float[np.ndarray, "N P"], alternative: Alternative
) -> Float[np.ndarray, "N B"]:
    """Return what relaxes in each column beside a free part, under an alternative."""
    whitened = alternative.whitened.null.whitened
    design = whitened(np.column_stack([free, alternative.relaxation]))
    return alternative.relaxation @ np.linalg.lstsq(design, whitened(columns), rcond=None)[0][free.shape[1] :]


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

    The p-value is the largest under the nulls that are nearly as likely as the best.

    Args:
        group: curves that share their search.
        tests: the number of curves of the run.
        done: called with the number of curves that have just been tested.
    """
    trend, columns = search.beside(), np.column_stack([centred(curve)[0] for curve in group])
    result, p_values = trend.first(columns), np.zeros(len(group))
    draws = max(FEWEST_DRAWS, DRAWS_PER_TEST * tests)
    nulls = [trend.plausible(result, member) for member in range(len(group))]
    for turn in range(max(map(len, nulls))):
        own = np.array([own[turn] if turn < len(own) else -1 for own in nulls])
        for number in np.unique(own[(own >= 0) & (p_values < ORDINARY)]).tolist():
            members, null = np.flatnonzero((own == number) & (p_values < ORDINARY)), trend.alternatives[number]
            variance, statistics = float(result.null_variance[number, members].mean()), result.statistic[members]
            own_relaxed, near = relaxed(columns[:, members], trend.free, null), trend.near(result, members)
            generator = np.random.default_rng(seed)
            simulated = simulated_until_unsurprising(near, generator, null, variance, own_relaxed, statistics, draws)
            p_values[members] = np.maximum(p_values[members], [p_value(statistic, simulated) for statistic in statistics])
            done(len(members) if turn == 0 else 0)
    if len(search.relaxations) > 1:
        # What is nearly a relaxation, as a power law is, may be a smooth trend.
        near = np.flatnonzero(result.worse[: len(search.nulls)].min(axis=0) <= WITHOUT_RELAXATION)
        smooth = first_passages(search.relaxing(()), [group[member] for member in near], tests, seed) if len(near) else []
        p_values[near] = np.maximum(p_values[near], [passage.p_value for passage in smooth])
    return list(map(Passage, result.passage.tolist(), p_values.tolist(), result.together))


def simulated_until_unsurprising(
    trend: Trend,
    generator: np.random.Generator,
    null: Alternative,
    variance: float,
    relaxed: Float[np.ndarray, "N B"],
    statistics: Float[np.ndarray, " B"],
    draws: int,
) -> Float[np.ndarray, " draws"]:
    """Return the scan's statistic on `draws` curves without a transition, or on fewer where they suffice.

    They suffice once each of the observed statistics was reached often: a p-value stays valid when one stops for that (Besag
    and Clifford 1991). They also suffice where all lie far beyond them.
    """
    simulated = np.zeros(0)
    clear = CLEAR * FEWEST_DRAWS / draws**2
    while len(simulated) < draws and np.sum(simulated >= statistics.max()) < UNSURPRISING:
        if len(simulated) >= max(FEWEST_CLEAR, draws // 10) and all(tail(own, simulated) < clear for own in statistics):
            break
        batch = trend.simulated(generator, null, variance, min(BATCH, draws - len(simulated)), relaxed)
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
        p = 0.0
        for number in trend.plausible(result, 0):
            if p <= lower:
                generator = np.random.default_rng([seed, len(accepted)])
                p = max(p, p_value_at(trend, generator, result, number, values[:, None], lower))
        if p <= lower:
            accepted.append(Passage(int(result.passage[0]), p))
        elif not waiting:
            break
    return accepted


def p_value_at(
    trend: Trend,
    generator: np.random.Generator,
    result: Scan,
    number: int,
    column: Float[np.ndarray, "N 1"],
    level: float,
) -> float:
    """Return the Monte Carlo p-value of a curve's further passage; simulation ends as soon as it must exceed the level.

    Args:
        number: of the alternative whose null is simulated.
    """
    draws = max(FEWEST_DRAWS, int(np.ceil(2 / level)))
    null, variance = trend.alternatives[number], float(result.null_variance[number, 0])
    near, own_relaxed = trend.near(result, np.zeros(1, int)), relaxed(column, trend.free, null)
    simulated = np.zeros(0)
    while len(simulated) < draws and 1 + np.sum(simulated >= result.statistic[0]) <= level * (draws + 1):
        if len(simulated) >= max(FEWEST_CLEAR, draws // 10) and tail(result.statistic[0], simulated) < CLEAR * level:
            break
        batch = near.simulated(generator, null, variance, min(BATCH, draws - len(simulated)), own_relaxed, result.statistic[0])
        simulated = np.append(simulated, batch)
    return p_value(result.statistic[0], simulated)
