"""The null hypothesis: a smooth trend plus noise.

A curve without a transition is a straight line in the axis, plus a Gaussian process that needs at least a quarter of the
axis (and at least five checkpoint spacings) to turn, plus noise that neighbouring checkpoints may share. Growth that such a
trend can follow is no transition; with a shorter length-scale it would follow the transitions as well.

The hyperparameters lie on a small grid, so that the fit of one curve and of thousands of simulated ones is the same few
matrix products (the covariance depends on none of the values).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float
from scipy.linalg import solve_triangular
from sklearn.gaussian_process.kernels import RBF, Matern

SHARE_OF_AXIS = 0.25
SPACINGS = 5
LENGTHS = (1.0, 2.5)
"""Length-scales of the trend, in units of the shortest allowed."""
SIGNAL_TO_NOISE = (1e0, 3e1, 1e3, 1e6)
"""Variance of the trend over that of the noise; besides these, no trend but the straight line."""
JITTER = 1e-10
"""Of the trend's variance, on its diagonal: a smooth trend alone is singular to rounding."""
WANDER = (0.0, 0.3, 1.0)
"""Variance of what each checkpoint has alone, in units of that of its error, where the errors' covariance is given."""
AUTOCORRELATIONS = (0.0, 0.4, 0.7)
"""Correlation of the noise of neighbouring checkpoints, where it is not known."""


def shortest_length(positions: Float[np.ndarray, " N"]) -> float:
    """The shortest length-scale that a smooth trend may have, in units of the positions."""
    return max(SHARE_OF_AXIS * np.ptp(positions), SPACINGS * float(np.median(np.diff(positions))))


def straight_line(positions: Float[np.ndarray, " N"]) -> Float[np.ndarray, "N 2"]:
    """The part of the trend that is free: level and slope."""
    return np.column_stack([np.ones_like(positions), (positions - positions.mean()) / np.ptp(positions)])


def noise_covariances(count: int, noise: Float[np.ndarray, "N N"] | None) -> list[Float[np.ndarray, "N N"]]:
    """What the noise may be: as given if its covariances are, and with what each checkpoint has alone; else the errors with each
    autocorrelation.

    Training itself moves each checkpoint about a little, which no two chains can tell: their noise does not hold it.
    """
    if noise is not None and np.any(noise - np.diag(np.diag(noise))):
        return [noise + share * np.diag(np.diag(noise)) for share in WANDER]
    error = np.ones(count) if noise is None else np.sqrt(np.diag(noise))
    index = np.arange(count, dtype=float)[:, None]
    shared = [np.eye(count) if not r else Matern(-1 / np.log(r), nu=0.5)(index) for r in AUTOCORRELATIONS]
    return [error[:, None] * correlation * error for correlation in shared]


def nulls_of(
    positions: Float[np.ndarray, " N"], noises: Sequence[Float[np.ndarray, "N N"]], shapes: Float[np.ndarray, "N T"]
) -> list["Null"]:
    """A smooth curve with noise, for each point of the grid of hyperparameters.

    Args:
        noises: what the noise may be, up to a common factor.
        shapes: the alternatives.
    """
    scaled = [length * shortest_length(positions) for length in LENGTHS]
    trends = [RBF(length)(positions[:, None]) for length in scaled]
    # The median: one checkpoint with a huge error says nothing of how large the trend may be.
    levels = [float(np.median(np.diag(covariance))) for covariance in noises]
    trends = [np.asarray(trend) + JITTER * np.eye(len(positions)) for trend in trends]
    return [
        Null.of(covariance + ratio * levels[kind] * trend, kind, shapes)
        for kind, covariance in enumerate(noises)
        for ratio, trend in [(0.0, trends[0]), *((ratio, trend) for ratio in SIGNAL_TO_NOISE for trend in trends)]
    ]


@dataclass(frozen=True)
class Null:
    """One point of the grid: the coordinates in which a curve without a transition is white noise.

    Attributes:
        noise: which of the noises it has.
        factor: Cholesky factor of the covariance of trend and noise.
        whitener: its inverse.
        shapes: the alternatives, whitened.
        squares: their sums of squares.
    """

    noise: int
    factor: Float[np.ndarray, "N N"]
    whitener: Float[np.ndarray, "N N"]
    shapes: Float[np.ndarray, "N T"]
    squares: Float[np.ndarray, " T"]

    @classmethod
    def of(cls, covariance: Float[np.ndarray, "N N"], noise: int, shapes: Float[np.ndarray, "N T"]) -> Self:
        factor = np.linalg.cholesky(covariance)
        whitener = solve_triangular(factor, np.eye(len(factor)), lower=True)
        whitened = whitener @ shapes
        return cls(noise, factor, whitener, whitened, np.sum(whitened**2, axis=0))

    def without(self, free: Float[np.ndarray, "N P"]) -> tuple[Float[np.ndarray, "N P"], float]:
        """An orthonormal basis of the whitened free part, and the log determinant of the covariance that is left
        (restricted maximum likelihood)."""
        basis, triangle = np.linalg.qr(self.whitener @ free)
        determinant = np.log(np.diag(self.factor)).sum() + np.log(np.abs(np.diag(triangle))).sum()
        return basis, 2 * float(determinant)


def residuals(whitened: Float[np.ndarray, "N B"], basis: Float[np.ndarray, "N P"]) -> Float[np.ndarray, "N B"]:
    """What an orthonormal basis leaves of whitened columns."""
    return whitened - basis @ (basis.T @ whitened)


def log_likelihood(
    squares: Float[np.ndarray, " B"], log_determinant: float, freedom: int, smallest_variance: float
) -> tuple[Float[np.ndarray, " B"], Float[np.ndarray, " B"]]:
    """Profile log likelihood of whitened residuals, and the factor of the noise's variance at which it is reached.

    Args:
        squares: sums of squares of the whitened residuals.
        freedom: their degrees of freedom.
        smallest_variance: 1 where the errors are known (they may be too small, never too large).
    """
    variance = np.maximum(squares / freedom, smallest_variance)
    return -0.5 * (log_determinant + freedom * np.log(variance) + squares / variance), variance
