"""Levels of a curve before and after a passage, and their difference with its error."""

from dataclasses import dataclass

import numpy as np

from ontogeny.transitions.detection.curves import Curve, noise_variance

WINDOW = 3
"""Checkpoints that make up a level."""


@dataclass(frozen=True)
class Change:
    """A level before, a level after, and the standard error of their difference.

    Attributes:
        degrees_of_freedom: of the standard error. An error from few chains is itself uncertain, so Student's t holds.
    """

    before: float
    after: float
    standard_error: float
    degrees_of_freedom: float = np.inf

    @property
    def difference(self) -> float:
        return self.after - self.before


def change_across(curve: Curve, start: float, end: float, earliest: float = -np.inf, latest: float = np.inf) -> Change | None:
    """Return the change between the levels of a curve up to `start` and from `end`, each the mean of at most 3 checkpoints.

    Args:
        start, end: the passage, in units of the axis; checkpoints strictly inside count for neither level.
        earliest, latest: checkpoints beyond these, where the neighbouring passages are, count for neither level.

    Returns:
        None where a side has no checkpoint.
    """
    before = np.flatnonzero((curve.checkpoints <= start) & (curve.checkpoints >= earliest))[-WINDOW:]
    after = np.flatnonzero((curve.checkpoints >= end) & (curve.checkpoints <= latest))[:WINDOW]
    return contrast(curve, before, after)


def change_within(curve: Curve, start: float, end: float) -> Change | None:
    """Return the change from the first to the last checkpoints of a stretch; None where it has fewer than two."""
    inside = np.flatnonzero((curve.checkpoints >= start) & (curve.checkpoints <= end))
    size = min(WINDOW, len(inside) // 2)
    return contrast(curve, inside[:size], inside[len(inside) - size :])


def contrast(curve: Curve, before: np.ndarray, after: np.ndarray) -> Change | None:
    """Return the difference of two means, given the indices of their checkpoints.

    With chains, its error is that of the mean of the chains' own differences, in which errors that all checkpoints share
    cancel. Without, it follows from the covariance of the noise.
    """
    if not len(before) or not len(after):
        return None
    weights = np.zeros(len(curve.values))
    weights[before] -= 1 / len(before)
    weights[after] += 1 / len(after)
    levels = float(curve.values[before].mean()), float(curve.values[after].mean())
    if curve.chains is not None:
        differences = weights @ curve.chains
        return Change(*levels, float(differences.std(ddof=1) / np.sqrt(len(differences))), len(differences) - 1)
    noise = np.eye(len(weights)) * noise_variance(curve.values) if curve.noise is None else curve.noise
    error = float(np.sqrt(max(weights @ noise @ weights, 0.0)))
    return Change(*levels, error)
