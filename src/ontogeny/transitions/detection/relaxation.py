"""Exponential relaxations in the axis's own unit, which the null hypothesis may have beside its smooth trend.

A curve that relaxes, 1 - exp(-t / τ), is a sigmoid two e-folds wide in log t: on a logarithmic axis no smooth trend follows it.
Its time τ is free, both with and without a passage, so each gives one.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ontogeny.transitions.detection.significance import Scan, Whitened

TIMES = 10
"""Times that are tried first."""
ROUNDS, LARGEST_MOVE = 8, 0.5
"""Of the refinement of a time, in units of its logarithm."""
SAME = 1e-3
"""Difference of the logarithms of two times that are one."""


def relaxation(elapsed: Float[np.ndarray, " N"], time: float) -> Float[np.ndarray, "N 1"]:
    """Return a relaxation from 0 to 1 at the time elapsed since the first checkpoint."""
    return -np.expm1(-elapsed / time)[:, None]


def times_over(elapsed: Float[np.ndarray, " N"]) -> Float[np.ndarray, " times"]:
    """Return times from the distance of the first checkpoints to half of the axis."""
    return np.geomspace(max(elapsed[1], elapsed[-1] * 1e-6), elapsed[-1] / 2, TIMES)


@dataclass(frozen=True)
class Best:
    """The best relaxation of each of B curves, of those tried, with or without a passage.

    Attributes:
        passage: the index of the passage; without one it means nothing.
    """

    likelihood: Float[np.ndarray, " B"]
    time: Float[np.ndarray, " B"]
    whitened: Int[np.ndarray, " B"]
    passage: Int[np.ndarray, " B"]

    @classmethod
    def none(cls, count: int) -> "Best":
        return cls(np.full(count, -np.inf), np.ones(count), np.zeros(count, int), np.zeros(count, int))

    def update(self, likelihood: Float[np.ndarray, "K B"], time: float, passage: Int[np.ndarray, "K B"]) -> None:
        """Take over the curves that another relaxation fits better."""
        whitened, index = likelihood.argmax(axis=0), np.arange(likelihood.shape[1])
        better = likelihood.max(axis=0) > self.likelihood
        self.likelihood[better], self.time[better] = likelihood[whitened, index][better], time
        self.passage[better], self.whitened[better] = passage[whitened, index][better], whitened[better]


def relaxation_times(
    columns: Float[np.ndarray, "N B"],
    elapsed: Float[np.ndarray, " N"],
    free: Float[np.ndarray, "N P"],
    whitened: Whitened,
    plain: Scan,
    smallest_variance: float,
) -> list[tuple[float, ...]]:
    """Return the times of the relaxations that the null of each curve needs: none, one or two.

    One is the best without a passage, the other the best with one, each where it beats the same without a relaxation.

    Args:
        plain: the scan of the columns without relaxations.
    """
    tried = whitened.among(np.flatnonzero(whitened.nulls.loose))
    coarse = best_of(columns, elapsed, free, tried, times_over(elapsed), smallest_variance)
    times = []
    for curve in range(columns.shape[1]):
        column = columns[:, [curve]]
        finer = [refined_best(column, elapsed, free, tried, best, curve, stepped) for stepped, best in enumerate(coarse)]
        # The coarse times leave too much of a large relaxation to say which null is best beside it.
        fine = best_of(column, elapsed, free, tried, finer, smallest_variance)
        finer = [refined_best(column, elapsed, free, tried, best, 0, stepped) for stepped, best in enumerate(fine)]
        fine = best_of(column, elapsed, free, tried, finer, smallest_variance)
        others = plain.without[curve], plain.without[curve] + plain.raw[curve]
        needed = [float(best.time[0]) for best, other in zip(fine, others, strict=True) if best.likelihood[0] > other]
        if len(needed) == 2 and abs(np.log(needed[0] / needed[1])) <= SAME:
            needed = needed[:1]
        times.append(tuple(needed))
    return times


def best_of(
    columns: Float[np.ndarray, "N B"],
    elapsed: Float[np.ndarray, " N"],
    free: Float[np.ndarray, "N P"],
    whitened: Whitened,
    times: Iterable[float],
    smallest_variance: float,
) -> tuple[Best, Best]:
    """Return the best relaxation of each curve, without a passage and with one."""
    alone, beside = Best.none(columns.shape[1]), Best.none(columns.shape[1])
    for time in dict.fromkeys(map(float, times)):
        fits = whitened.beside(free, relaxation(elapsed, time)).with_passage(columns, smallest_variance)
        alone.update(fits.without, time, fits.passage)
        beside.update(fits.likelihood, time, fits.passage)
    return alone, beside


def refined_best(
    column: Float[np.ndarray, "N 1"],
    elapsed: Float[np.ndarray, " N"],
    free: Float[np.ndarray, "N P"],
    whitened: Whitened,
    best: Best,
    curve: int,
    stepped: int,
) -> float:
    """Return the refined time of the best relaxation of a curve, with its passage where it is `stepped`."""
    step = whitened.passages.shapes([int(best.passage[curve])] if stepped else [])
    whitener = whitened.nulls.whiteners[best.whitened[curve]]
    return refined(column[:, 0], elapsed, np.column_stack([free, step]), whitener, float(best.time[curve]))


def refined(
    values: Float[np.ndarray, " N"],
    elapsed: Float[np.ndarray, " N"],
    free: Float[np.ndarray, "N P"],
    whitener: Float[np.ndarray, "N N"],
    start: float,
) -> float:
    """Return the time that fits best near a first guess, by Gauss and Newton; the guess where that runs away."""
    time, target = start, whitener @ values
    for _ in range(ROUNDS):
        by_logarithm = -elapsed / time * np.exp(-elapsed / time)
        design = whitener @ np.column_stack([relaxation(elapsed, time), by_logarithm, free])
        size, slope = np.linalg.lstsq(design, target, rcond=None)[0][:2]
        move = float(np.clip(slope / size, -LARGEST_MOVE, LARGEST_MOVE)) if size else 0.0
        time *= np.exp(move)
        if abs(np.log(time / start)) > 2:
            return start
    return time
