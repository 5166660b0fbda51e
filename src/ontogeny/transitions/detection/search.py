"""Search curves for passages, one after the other or several at once, beside a smooth trend."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import ndtr

from ontogeny.transitions.detection.changepoints import AGREEMENT, Passages, agrees, change_points
from ontogeny.transitions.detection.curves import Curve
from ontogeny.transitions.detection.derivative import SUPPORTED, Posterior, Process, processes
from ontogeny.transitions.detection.local_noise import DEGREES, roughness
from ontogeny.transitions.detection.noise import smallest_variance
from ontogeny.transitions.detection.relaxation import relaxation, relaxation_times
from ontogeny.transitions.detection.shared_errors import pooled_spread
from ontogeny.transitions.detection.significance import (
    NO_STEP,
    Alternatives,
    Scan,
    Whitened,
    likelihood_together,
    scan,
    simulate,
    simulate_trend,
)
from ontogeny.transitions.detection.smoothing import (
    AUTOCORRELATIONS,
    WANDER,
    Nulls,
    noise_covariances,
    nulls_of,
    shortest_length,
    straight_line,
)

MOST_PASSAGES = 12
FAR = 8.0
"""Log likelihood by which an alternative is worse than the best for a curve, beyond which its simulations leave it out."""
PLAUSIBLE = 2.0
"""Log likelihood by which a null is worse than the best of a curve, up to which it is simulated as well."""
MOST_PLAUSIBLE = 4
"""Nulls of a curve that are simulated."""
LOOKED_AT = 0.3
"""Share of simulated curves, those with the largest raw statistics, whose slope is looked at. The tail needs a tenth."""


@dataclass(frozen=True)
class Null:
    """A null that is simulated.

    Attributes:
        nulls: among which it is.
        number: its index among them.
        variance: the factor of its covariance.
        relaxing: what relaxes in the curves that are tested; the simulated curves have them in turn.
    """

    nulls: Nulls
    number: int
    variance: float
    relaxing: Float[np.ndarray, "N B"]


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
    nulls: Nulls
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
        noises = noise_covariances(noise, curve.scale, estimated=curve.chains is not None)
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
    def whitened(self) -> Whitened:
        """Return the passages in the coordinates of each null."""
        return Whitened.of(self.nulls, self.passages)

    def processes(self, kind: int) -> list[Process]:
        """Return the processes, with one of the noises, whose slope supports a passage."""
        if kind not in self.made:
            self.made[kind] = processes(self.positions, self.noises[kind])
        return self.made[kind]

    def times(self, columns: Float[np.ndarray, "N B"], passages: Sequence[int] = ()) -> list[tuple[float, ...]]:
        """Return the times of the relaxations that each curve needs beside its smooth trend, with passages that are known."""
        free = self.free(passages)
        plain = scan(columns, [self.whitened.beside(free)], self.smallest_variance)
        return relaxation_times(columns, self.elapsed, free, self.whitened, plain, self.smallest_variance)

    def relaxing_beside(self, column: Float[np.ndarray, "N 1"], passages: Sequence[int]) -> "Search":
        """Return the search whose trend may relax as one curve does beside passages, where it may relax at all."""
        return self.relaxing(self.times(column, passages)[0]) if len(self.relaxations) > 1 else self

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
        return Trend(self, free, [self.whitened.beside(free, extra) for extra in self.relaxations])

    def varies(self, kind: int) -> bool:
        """Return whether the size of one of the noises varies from place to place."""
        return not self.chains and kind >= len(AUTOCORRELATIONS)

    def steadied(self, column: Float[np.ndarray, " N"], kind: int) -> Float[np.ndarray, " N"]:
        """Return a curve whose increments are divided by the size of its noise at their place."""
        if not self.varies(kind):
            return column
        increments = np.diff(column) / np.sqrt(self.scale[1:] * self.scale[:-1])
        return np.concatenate([column[:1], column[0] + np.cumsum(increments)])

    def simulated(self, generator: np.random.Generator, null: Null, draws: int) -> Float[np.ndarray, "N draws"]:
        """Return curves without a transition.

        The size of the noise is estimated from each simulated curve as it was from the curve itself, and the noise is then
        made as large as the estimate of the curve says: an error that is too small by chance makes noise look surprising.
        """
        nulls, kind = null.nulls, int(null.nulls.noise[null.number])
        varying = self.varies(kind)
        if not varying and not self.chains:
            return simulate(generator, nulls.factors[null.number], null.variance, draws)
        covariance = self.noises[0 if self.chains else kind]
        errors = np.sqrt(np.diag(covariance))[:, None]
        factor = np.linalg.cholesky(covariance / (errors * errors.T))
        if varying:
            noise = factor @ generator.standard_normal((len(errors), draws))
            noise /= roughness(noise, tuple(range(1, DEGREES + 1)))
        else:
            chains = np.tensordot(factor, generator.standard_normal((len(errors), draws, self.chains)), 1)
            # Only errors that are too small by chance matter.
            noise = chains.mean(axis=2) / np.minimum(pooled_spread(chains), 1 / np.sqrt(self.chains))
            noise += np.sqrt(WANDER[kind]) * generator.standard_normal(noise.shape)
        return np.sqrt(null.variance) * (errors * noise + simulate_trend(generator, nulls, null.number, draws))


@dataclass(frozen=True)
class Trend:
    """A search with the free part of its trend: the straight line, and passages accepted before.

    Attributes:
        alternatives: those without a relaxation, and those with each that the search has.
    """

    search: Search
    free: Float[np.ndarray, "N P"]
    alternatives: Sequence[Alternatives]

    @cached_property
    def loose(self) -> list[Alternatives]:
        """Return the alternatives among which several steps are tried together."""
        parts = [own.among(np.flatnonzero(own.whitened.nulls.loose)) for own in self.alternatives]
        return [own for own in parts if len(own.noise)] or list(self.alternatives)

    @cached_property
    def places(self) -> list[tuple[int, int]]:
        """Return the number of its relaxation, and the index in it, of each alternative."""
        return [(group, index) for group, own in enumerate(self.alternatives) for index in range(len(own.noise))]

    def scan(self, columns: Float[np.ndarray, "N B"], at_least: float = -np.inf) -> Scan:
        """Return the next passage of each column.

        The statistic is 0 where ruptures places no change point at the passage, or the slope is not likely to have its sign, once
        what relaxes is taken off.

        Args:
            at_least: a smaller log likelihood ratio is the statistic as it is, without a look at change points and slopes.
        """
        result = scan(columns, self.alternatives, self.search.smallest_variance)
        looked = np.flatnonzero(result.raw >= at_least)
        left = self.without_relaxation(columns[:, looked], result.of(looked))
        points = self.change_points(left, result.of(looked))
        statistic = result.raw.copy()
        statistic[looked[~self.confirmed(left, result.of(looked), points)]] = 0
        return replace(result, statistic=statistic)

    def first(self, columns: Float[np.ndarray, "N B"], observed: float | None = None) -> Scan:
        """Return the first passage of each column, or steps at all its change points where these gain more together.

        To each of its steps a regular staircase is a trend with autocorrelated noise, but not to all of them at once. Each step
        after the first costs log N, as in the Bayesian information criterion for its place and size.

        Args:
            observed: the smallest statistic that the columns are simulated for. Raw statistics below it that do not matter for
                the tail are taken as they are. None where all are wanted.
        """
        result = scan(columns, self.alternatives, self.search.smallest_variance)
        left = self.without_relaxation(columns, result)
        points = self.change_points(left, result)
        joint = self.joint(columns, result, points)
        floor = -np.inf if observed is None else min(observed, np.quantile(result.raw, 1 - LOOKED_AT))
        looked = np.flatnonzero((result.raw >= floor) & (result.raw > joint))
        statistic = result.raw.copy()
        confirmed = self.confirmed(left[:, looked], result.of(looked), [points[number] for number in looked.tolist()])
        statistic[looked[~confirmed]] = 0
        together = [
            self.search.passages.at(own).tolist() if gain > alone else []
            for own, gain, alone in zip(points, joint, statistic, strict=True)
        ]
        return replace(result, statistic=np.maximum(statistic, joint), together=together)

    def joint(
        self, columns: Float[np.ndarray, "N B"], result: Scan, points: Sequence[Int[np.ndarray, " P"]]
    ) -> Float[np.ndarray, " B"]:
        """Return the log likelihood gained by steps at all change points of each column, less what they cost; 0 at least."""
        counts = np.array([len(own) for own in points])
        several = np.flatnonzero((counts > 1) & (counts <= MOST_PASSAGES))
        statistic = np.zeros(len(counts))
        if len(several):
            members = np.full((len(several), MOST_PASSAGES), NO_STEP)
            for row, column in zip(members, several.tolist(), strict=True):
                row[: counts[column]] = points[column]
            likelihood = likelihood_together(columns[:, several], self.loose, self.search.smallest_variance, members)
            statistic[several] = likelihood - result.without[several] - (counts[several] - 1) * np.log(len(columns))
        return np.maximum(statistic, 0)

    def without_relaxation(self, columns: Float[np.ndarray, "N B"], result: Scan) -> Float[np.ndarray, "N B"]:
        """Return columns without what relaxes in them beside their passage."""
        if not any(own.relaxation.shape[1] for own in self.alternatives):
            return columns
        places = np.array(self.places)[result.chosen]
        rest = columns - result.change * self.search.passages.shapes(result.passage)
        left = columns.copy()
        for group, own in enumerate(self.alternatives):
            members = np.flatnonzero(places[:, 0] == group)
            if own.relaxation.shape[1] and len(members):
                sizes = np.einsum("bn,nb->b", own.projection.amplitudes[places[members, 1]], rest[:, members])
                left[:, members] -= own.relaxation * sizes
        return left

    def change_points(self, columns: Float[np.ndarray, "N B"], result: Scan) -> list[Int[np.ndarray, " P"]]:
        """Return where ruptures places change points in each column, given the noise chosen with its passage."""
        noise = np.sqrt(result.variance) * self.search.noise_scale
        kinds = result.noise.tolist()
        return [change_points(self.search.steadied(columns[:, number], kind), noise[number]) for number, kind in enumerate(kinds)]

    def confirmed(
        self, columns: Float[np.ndarray, "N B"], result: Scan, points: Sequence[Int[np.ndarray, " P"]]
    ) -> Bool[np.ndarray, " B"]:
        """Return whether change points and the slope support the passage of each column."""
        passages = self.search.passages
        ends = zip(passages.starts[result.passage], passages.ends[result.passage], strict=True)
        confirmed = np.array([agrees(int(start), int(end), own) for own, (start, end) in zip(points, ends, strict=True)], bool)
        for kind in np.unique(result.noise[confirmed]).tolist():
            members = np.flatnonzero(confirmed & (result.noise == kind))
            confirmed[members] = self.slope_probabilities(columns, result, kind, members) >= SUPPORTED
        return confirmed

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
        return ndtr(np.where(inside, np.sign(result.change[members]) * mean / deviation, -np.inf).max(axis=0))

    def plausible(self, result: Scan, member: int) -> list[int]:
        """Return the alternatives whose nulls are nearly as likely as the best of a curve, the best first.

        They are the best of each noise with each relaxation.
        """
        worse, best = result.worse[:, member], {}
        for number in np.argsort(worse, kind="stable").tolist():
            group, index = self.places[number]
            if worse[number] <= PLAUSIBLE:
                best.setdefault((int(self.alternatives[group].noise[index]), group), number)
        return list(best.values())[:MOST_PLAUSIBLE]

    def near(self, result: Scan, members: Int[np.ndarray, " B"]) -> "Trend":
        """Return the trend with the alternatives that are not far worse than the best for some of the scanned curves."""
        near = (result.behind[:, members] <= FAR).any(axis=1)
        counts = [len(own.noise) for own in self.alternatives]
        chosen = map(np.flatnonzero, np.split(near, np.cumsum(counts)[:-1]))
        pairs = zip(self.alternatives, chosen, strict=True)
        return Trend(self.search, self.free, [own.among(some) for own, some in pairs if len(some)])

    def null(self, columns: Float[np.ndarray, "N B"], result: Scan, number: int, members: Int[np.ndarray, " B"]) -> Null:
        """Return the null of an alternative as it is fitted to some of the scanned curves."""
        group, index = self.places[number]
        own = self.alternatives[group]
        relaxing = np.zeros_like(columns[:, members])
        if own.relaxation.shape[1]:
            relaxing = own.relaxation * (own.projection.amplitudes[index] @ columns[:, members])
        return Null(own.whitened.nulls, index, float(result.null_variance[number, members].mean()), relaxing)

    def simulated(
        self, generator: np.random.Generator, nulls: Sequence[Null], draws: int, observed: float, first: bool
    ) -> Float[np.ndarray, " draws"]:
        """Return the statistic on curves without a transition: of a first passage, or of a further one.

        Args:
            nulls: those that are simulated, in equal parts.
            observed: the smallest observed statistic; the exact size of smaller ones matters for a tail only.
        """
        parts = []
        for number, null in enumerate(nulls):
            own = (draws + number) // len(nulls)
            relaxing = null.relaxing[:, np.arange(own) % null.relaxing.shape[1]]
            parts.append(self.search.simulated(generator, null, own) + relaxing)
        columns = np.column_stack(parts)
        return (self.first(columns, observed) if first else self.scan(columns, observed)).statistic
