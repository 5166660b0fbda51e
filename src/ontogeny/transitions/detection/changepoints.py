"""The alternatives to a smooth trend: passages from one level to another, and change points by ruptures as a second opinion."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import ruptures
from jaxtyping import Float, Int
from scipy.sparse import csr_array

SMALLEST_SEGMENT = 3
"""Checkpoints from which a level is known."""
WIDTHS = (1, 2, 3, 4, 6, 9, 14, 20, 30)
"""Widths of the passages, in checkpoints."""
AGREEMENT = 1.5
"""Checkpoint spacings within which the two detectors must agree."""


@dataclass(frozen=True)
class Passages:
    """Smooth steps from 0 to 1 between the checkpoints `starts` and `ends` (indices into the curve).

    Attributes:
        mixtures: [T, N]: each passage as a mixture of sharp steps. Column j is the step that is 0 before checkpoint j and 1
            from it on. A passage of width w mixes w steps, so the matrix is sparse.
    """

    positions: Float[np.ndarray, " N"]
    starts: Int[np.ndarray, " T"]
    ends: Int[np.ndarray, " T"]
    mixtures: csr_array

    @classmethod
    def over(cls, positions: Float[np.ndarray, " N"], widest: float) -> Self:
        """Return every passage of one of the widths that is no wider than `widest`, in units of the positions.

        The first passages are those of the width of one checkpoint. A passage that is wider than the shortest length-scale of a
        trend could not be distinguished from a trend.
        """
        count = len(positions)
        intervals = [
            (start, start + width)
            for width in WIDTHS
            for start in range(SMALLEST_SEGMENT - 1, count - SMALLEST_SEGMENT - width + 1, int(strides(width)))
            if width == 1 or positions[start + width] - positions[start] <= widest
        ]
        starts, ends = np.array(intervals).T
        return cls(positions, starts, ends, mixtures_of(positions, starts, ends))

    def shapes(self, passages: Sequence[int] | Int[np.ndarray, " J"]) -> Float[np.ndarray, "N J"]:
        """Return the values of some of the passages at all checkpoints."""
        chosen = np.asarray(passages, dtype=int)
        return smooth_step(self.positions[:, None], self.positions[self.starts[chosen]], self.positions[self.ends[chosen]])

    def at(self, points: Int[np.ndarray, " J"]) -> Int[np.ndarray, " J"]:
        """Return the passages of the width of one checkpoint that end at change points."""
        return points - SMALLEST_SEGMENT


def mixtures_of(positions: Float[np.ndarray, " N"], starts: Int[np.ndarray, " T"], ends: Int[np.ndarray, " T"]) -> csr_array:
    """Return each passage as a mixture of sharp steps: its increments from checkpoint to checkpoint."""
    widths = ends - starts
    rows = np.repeat(np.arange(len(starts)), widths)
    # The increments of a passage lie at the checkpoints start + 1 to end.
    columns = np.arange(widths.sum()) - np.repeat(np.cumsum(widths) - widths, widths) + np.repeat(starts, widths) + 1
    low, high = positions[starts[rows]], positions[ends[rows]]
    increments = smooth_step(positions[columns], low, high) - smooth_step(positions[columns - 1], low, high)
    return csr_array((increments, (rows, columns)), shape=(len(starts), len(positions)))


def strides(widths: np.ndarray | int) -> np.ndarray:
    """Return how many checkpoints lie between neighbouring passages of a width."""
    return np.maximum(1, np.asarray(widths) // 4)


def smooth_step(positions: np.ndarray, start: np.ndarray | float, end: np.ndarray | float) -> np.ndarray:
    """Return a cubic from 0 at `start` to 1 at `end`, level on both sides."""
    share = np.clip((positions - start) / (end - start), 0, 1)
    return share**2 * (3 - 2 * share)


def change_points(values: Float[np.ndarray, " N"], noise: float) -> Int[np.ndarray, " P"]:
    """Return the indices at which ruptures starts a new level, given the standard deviation of the noise.

    Levels are fitted over the checkpoints as they are. A piecewise constant fit does not depend on the axis, and resampling
    evenly along it would lose checkpoints where they are dense or count them many times where they are sparse.
    """
    signal = values[:, None] / noise
    detector = ruptures.KernelCPD(kernel="linear", min_size=SMALLEST_SEGMENT, jump=1).fit(signal)
    # The Bayesian information criterion of one level more. With the place counted as well, fewer than 5% of the curves without
    # a transition are confirmed, and the whole procedure could not flag at the level that is asked for.
    ends = detector.predict(pen=np.log(len(values))) or []
    return np.array(ends[:-1], dtype=int)


def agrees(start: int, end: int, points: Int[np.ndarray, " P"]) -> bool:
    """Return whether a change point lies within the passage from checkpoint `start` to `end`, within `AGREEMENT` of it."""
    boundaries = points - 0.5
    return bool(np.any((boundaries >= start - AGREEMENT) & (boundaries <= end + AGREEMENT)))
