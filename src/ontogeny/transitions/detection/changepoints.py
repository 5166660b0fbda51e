"""The alternatives: passages from one level to another, and change points by ruptures as another opinion."""

from dataclasses import dataclass

import numpy as np
import ruptures
from jaxtyping import Float

SMALLEST_SEGMENT = 3
"""A level is known from at least this many checkpoints."""
WIDTHS = (1, 2, 3, 4, 6, 9, 14, 20, 30)
"""Of a passage, in checkpoints."""
AGREEMENT = 1.5
"""Checkpoint spacings within which the two detectors must agree."""


@dataclass(frozen=True)
class Passages:
    """Smooth steps from 0 to 1, between the checkpoints `starts` and `ends` (indices into the curve)."""

    starts: np.ndarray
    ends: np.ndarray
    shapes: Float[np.ndarray, "N T"]

    def at(self, points: np.ndarray) -> np.ndarray:
        """The sharp steps at change points: as columns of the shapes, which begin with those of one checkpoint's width."""
        return points - SMALLEST_SEGMENT


def strides(widths: np.ndarray | int) -> np.ndarray:
    """How many checkpoints lie between the passages of a width that are tried."""
    return np.maximum(1, np.asarray(widths) // 4)


def passages(positions: Float[np.ndarray, " N"], widest: float) -> Passages:
    """Every passage of one of the widths, no wider than `widest` in units of the positions.

    A passage wider than the shortest length-scale of a trend could not be told from it.
    """
    count = len(positions)
    places = [
        (start, start + width)
        for width in WIDTHS
        for start in range(SMALLEST_SEGMENT - 1, count - SMALLEST_SEGMENT - width + 1, int(strides(width)))
        if width == 1 or positions[start + width] - positions[start] <= widest
    ]
    starts, ends = np.array(places).T
    return Passages(starts, ends, smooth_step(positions[:, None], positions[starts], positions[ends]))


def smooth_step(positions: np.ndarray, start: np.ndarray | float, end: np.ndarray | float) -> np.ndarray:
    """A cubic from 0 at `start` to 1 at `end`, level on both sides."""
    share = np.clip((positions - start) / (end - start), 0, 1)
    return share**2 * (3 - 2 * share)


def change_points(values: Float[np.ndarray, " N"], noise: float) -> np.ndarray:
    """Indices at which ruptures starts a new level, given the standard deviation of the noise.

    Levels are fitted over the checkpoints as they are: a piecewise constant fit does not depend on the axis, and resampling
    evenly in log step would either lose late checkpoints or count early ones many times over.
    """
    signal = values[:, None] / noise
    detector = ruptures.KernelCPD(kernel="linear", min_size=SMALLEST_SEGMENT, jump=1).fit(signal)
    # The Bayesian information criterion, one level more. Counting the place as well confirms fewer than 5% of curves without
    # a transition, and the whole procedure could not flag at the level that is asked for.
    ends = detector.predict(pen=np.log(len(values))) or []
    return np.array(ends[:-1], dtype=int)


def agrees(start: int, end: int, points: np.ndarray) -> bool:
    """Whether a change point lies within the passage from checkpoint `start` to `end`, give or take `AGREEMENT`."""
    boundaries = points - 0.5
    return bool(np.any((boundaries >= start - AGREEMENT) & (boundaries <= end + AGREEMENT)))
