"""Levels of a curve before and after a passage, and their difference with its error."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ontogeny.transitions.detection.curves import Curve, noise_variance

WINDOW = 3
"""The largest number of checkpoints in a level."""
CONSISTENT = 3.0
"""The largest difference, in its standard errors, between a checkpoint of a level and the mean of those nearer to the passage."""


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
    """Return the change between the levels of a curve up to `start` and from `end`.

    A level is the mean of up to `WINDOW` checkpoints of the stretch that touches the passage (`homogeneous`).

    Args:
        start, end: the passage, in units of the axis; checkpoints strictly inside count for neither level.
        earliest, latest: checkpoints beyond these, where the neighbouring passages are, count for neither level.

    Returns:
        None where a side has no checkpoint.
    """
    before, after = beside(curve, start, end, earliest, latest)
    return contrast(curve, homogeneous(curve, before[::-1]), homogeneous(curve, after))


def beside(
    curve: Curve, start: float, end: float, earliest: float = -np.inf, latest: float = np.inf
) -> tuple[Int[np.ndarray, " before"], Int[np.ndarray, " after"]]:
    """Return the indices of up to `WINDOW` checkpoints on each side of a passage, in order."""
    before = np.flatnonzero((curve.checkpoints <= start) & (curve.checkpoints >= earliest))[-WINDOW:]
    after = np.flatnonzero((curve.checkpoints >= end) & (curve.checkpoints <= latest))[:WINDOW]
    return before, after


def homogeneous(curve: Curve, nearest_first: Int[np.ndarray, " places"]) -> Int[np.ndarray, " level"]:
    """Return the checkpoints that form one level, in order.

    The level starts at the checkpoint nearest to the passage. It extends outwards while the next value agrees with the mean of
    those already taken, given the curve's noise. It ends at the first that does not: behind it lies another change.
    """
    count = min(1, len(nearest_first))
    while count < len(nearest_first):
        weights = np.array([*[-1 / count] * count, 1.0])
        places = nearest_first[: count + 1]
        error = np.sqrt(max(weights @ noise_of_values(curve)[np.ix_(places, places)] @ weights, 0.0))
        if abs(weights @ curve.values[places]) > CONSISTENT * error:
            break
        count += 1
    return np.sort(nearest_first[:count])


def change_within(curve: Curve, start: float, end: float) -> Change | None:
    """Return the change between the levels at the two ends of a stretch; None where it has fewer than two checkpoints."""
    inside = np.flatnonzero((curve.checkpoints >= start) & (curve.checkpoints <= end))
    size = min(WINDOW, len(inside) // 2)
    return contrast(curve, homogeneous(curve, inside[:size]), homogeneous(curve, inside[len(inside) - size :][::-1]))


def last_level(curve: Curve) -> float:
    """Return the level at the last checkpoints of a curve."""
    return float(curve.values[homogeneous(curve, np.arange(len(curve.values))[::-1][:WINDOW])].mean())


def noise_of_values(curve: Curve) -> Float[np.ndarray, "N N"]:
    """Return the covariance of a curve's errors; where it is not known, independent errors as large as the curve scatters."""
    return np.eye(len(curve.values)) * noise_variance(curve.values) if curve.noise is None else curve.noise


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
    error = float(np.sqrt(max(weights @ noise_of_values(curve) @ weights, 0.0)))
    return Change(*levels, error)
