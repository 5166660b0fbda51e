"""Exponential relaxations in the axis's own unit, which the null hypothesis may have beside its smooth trend.

A curve that relaxes, 1 - exp(-t / τ), is a sigmoid two e-folds wide in log t: on a logarithmic axis no smooth trend follows it.
Its time τ is free, both with and without a passage, so each gives one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ontogeny.transitions.detection.significance import Scan, Whitened, best_passages

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

    def update(self, likelihood: np.ndarray, time: float, whitened: int, passage: Int[np.ndarray, " B"]) -> None:
        """Take over the curves that another relaxation fits better."""
        better = likelihood > self.likelihood
        self.likelihood[better], self.passage[better] = likelihood[better], passage[better]
        self.time[better], self.whitened[better] = time, whitened


def relaxation_times(
    columns: Float[np.ndarray, "N B"],
    elapsed: Float[np.ndarray, " N"],
    free: Float[np.ndarray, "N P"],
    whitened: Sequence[Whitened],
    plain: Scan,
    smallest_variance: float,
) -> list[tuple[float, ...]]:
    """Return the times of the relaxations that the null of each curve needs: none, one or two.

    One is the best without a passage, the other the best with one, each where it beats the same without a relaxation.

    Args:
        plain: the scan of the columns without relaxations.
    """
    tried = [own for own in whitened if own.null.loose or not own.null.weight]
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
    whitened: Sequence[Whitened],
    times: Iterable[float],
    smallest_variance: float,
) -> tuple[Best, Best]:
    """Return the best relaxation of each curve, without a passage and with one."""
    alone, beside = Best.none(columns.shape[1]), Best.none(columns.shape[1])
    for time in dict.fromkeys(map(float, times)):
        column = relaxation(elapsed, time)
        for number, own in enumerate(whitened):
            alternative = own.beside(free, column)
            left = alternative.residuals(columns)
            squares = np.einsum("nb,nb->b", left, left)
            passage, gain, _ = best_passages(alternative.signed_roots(left))
            alone.update(alternative.log_likelihood(squares, smallest_variance)[0], time, number, passage)
            with_passage = np.maximum(squares - gain, 0)
            beside.update(alternative.log_likelihood(with_passage, smallest_variance)[0], time, number, passage)
    return alone, beside


def refined_best(
    column: Float[np.ndarray, "N 1"],
    elapsed: Float[np.ndarray, " N"],
    free: Float[np.ndarray, "N P"],
    whitened: Sequence[Whitened],
    best: Best,
    curve: int,
    stepped: int,
) -> float:
    """Return the refined time of the best relaxation of a curve, with its passage where it is `stepped`."""
    chosen = whitened[best.whitened[curve]]
    step = chosen.passages.shapes([int(best.passage[curve])] if stepped else [])
    return refined(column[:, 0], elapsed, np.column_stack([free, step]), chosen, float(best.time[curve]))


def refined(
    values: Float[np.ndarray, " N"],
    elapsed: Float[np.ndarray, " N"],
    free: Float[np.ndarray, "N P"],
    whitened: Whitened,
    start: float,
) -> float:
    """Return the time that fits best near a first guess, by Gauss and Newton; the guess where that runs away."""
    time, null = start, whitened.null
    target = null.whitened(values[:, None])[:, 0]
    for _ in range(ROUNDS):
        by_logarithm = -elapsed / time * np.exp(-elapsed / time)
        design = null.whitened(np.column_stack([relaxation(elapsed, time), by_logarithm, free]))
        size, slope = np.linalg.lstsq(design, target, rcond=None)[0][:2]
        move = float(np.clip(slope / size, -LARGEST_MOVE, LARGEST_MOVE)) if size else 0.0
        time *= np.exp(move)
        if abs(np.log(time / start)) > 2:
            return start
    return time
