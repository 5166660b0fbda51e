"""The null hypothesis: a smooth trend plus noise.

A curve without a transition is a straight line in the axis, plus a Gaussian process that needs at least a quarter of the axis
(and at least five checkpoint spacings) to turn, plus noise that neighbouring checkpoints may share. It may also relax
exponentially in the axis's own unit (`relaxation`). Growth that such a trend can follow is no transition. With a shorter
length-scale the trend would follow the transitions as well.

The hyperparameters lie on a small grid. The covariances do not depend on the values, so the fit of one curve and of thousands
of simulated ones needs the same factorisations.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.linalg import solve_triangular
from sklearn.gaussian_process.kernels import RBF, Matern

SHARE_OF_AXIS = 0.25
SPACINGS = 5
LENGTHS = (1.0, 2.5)
"""Length-scales of the trend, in units of the shortest allowed."""
SIGNAL_TO_NOISE = (1e0, 3e1, 1e3, 1e6)
"""Variance of the trend over that of the noise. The grid also has the straight line alone."""
JITTER = 1e-10
"""Share of the trend's variance on its diagonal: a smooth trend alone is singular to rounding."""
PENALTY = 20.0
"""Unit of a relaxation's size, in errors. The determinant then takes off about what the Bayesian information criterion does for
a size and a time of 100 checkpoints."""
WANDER = (0.0, 0.3, 1.0)
"""Variance that each checkpoint has alone, in units of that of its error, where the errors' covariance is given."""
AUTOCORRELATIONS = (0.0, 0.4, 0.7, 0.9)
"""Correlation of the noise of neighbouring checkpoints, where it is not known."""


def shortest_length(positions: Float[np.ndarray, " N"]) -> float:
    """Return the shortest length-scale that a smooth trend may have, in units of the positions."""
    return max(SHARE_OF_AXIS * np.ptp(positions), SPACINGS * float(np.median(np.diff(positions))))


def straight_line(positions: Float[np.ndarray, " N"]) -> Float[np.ndarray, "N 2"]:
    """Return the part of the trend that is free: level and slope."""
    return np.column_stack([np.ones_like(positions), (positions - positions.mean()) / np.ptp(positions)])


def noise_covariances(noise: Float[np.ndarray, "N N"] | None, scale: Float[np.ndarray, " N"]) -> list[Float[np.ndarray, "N N"]]:
    """Return what the covariance of the noise may be.

    Args:
        noise: the covariance that is given, or None.
        scale: the size of the noise at each checkpoint, where no covariance is given. Where it varies, noise of one size is
            possible too, and comes first: a steep trend looks like large noise.

    A covariance that is given is taken as it is, and with variance that each checkpoint has alone: training itself moves each
    checkpoint a little, which no two chains can show. Errors without covariances are taken with each autocorrelation.
    """
    if noise is not None and np.any(noise - np.diag(np.diag(noise))):
        return [noise + share * np.diag(np.diag(noise)) for share in WANDER]
    errors = [np.ones(len(scale))] if noise is None else [np.sqrt(np.diag(noise))]
    errors += [scale] if np.any(scale != 1) else []
    index = np.arange(len(scale), dtype=float)[:, None]
    shared = [np.eye(len(scale)) if not r else Matern(-1 / np.log(r), nu=0.5)(index) for r in AUTOCORRELATIONS]
    return [error[:, None] * correlation * error for error in errors for correlation in shared]


@dataclass(frozen=True)
class Null:
    """One point of the grid of hyperparameters.

    Attributes:
        noise: the index of the noise's covariance.
        factor: the Cholesky factor of the covariance of trend and noise.
        level: the typical variance of the noise.
        weight: the variance of the trend.
        trend: the covariance of a trend of variance 1.
        loose: whether the trend is the one that is tried first beside a relaxation.
    """

    noise: int
    factor: Float[np.ndarray, "N N"]
    level: float
    weight: float
    trend: Float[np.ndarray, "N N"]
    loose: bool

    def whitened(self, columns: Float[np.ndarray, "N B"]) -> Float[np.ndarray, "N B"]:
        """Return columns in the coordinates in which a curve without a transition is white noise."""
        return solve_triangular(self.factor, columns, lower=True, check_finite=False)

    def penalised(self, relaxation: Float[np.ndarray, "N R"]) -> Float[np.ndarray, "N R"]:
        """Return a relaxation in the unit in which the determinant takes its freedom off the likelihood."""
        return PENALTY * self.level**0.5 * relaxation

    def without(self, free: Float[np.ndarray, "N P"]) -> tuple[Float[np.ndarray, "N P"], float]:
        """Return an orthonormal basis of the whitened free part, and the log determinant of the covariance that is left
        (restricted maximum likelihood)."""
        basis, triangle = np.linalg.qr(self.whitened(free))
        determinant = np.log(np.diag(self.factor)).sum() + np.log(np.abs(np.diag(triangle))).sum()
        return basis, 2 * float(determinant)


def nulls_of(positions: Float[np.ndarray, " N"], noises: Sequence[Float[np.ndarray, "N N"]]) -> list[Null]:
    """Return a smooth curve with noise for each point of the grid of hyperparameters.

    Args:
        noises: what the covariance of the noise may be, up to a common factor.
    """
    shortest = shortest_length(positions)
    trends = [np.asarray(RBF(length * shortest)(positions[:, None])) + JITTER * np.eye(len(positions)) for length in LENGTHS]
    # The median, because one checkpoint with a huge error does not limit the trend.
    levels = [float(np.median(np.diag(covariance))) for covariance in noises]
    return [
        Null(
            kind,
            np.linalg.cholesky(covariance + ratio * levels[kind] * trend),
            levels[kind],
            ratio * levels[kind],
            trend,
            ratio == SIGNAL_TO_NOISE[1] and trend is trends[-1],
        )
        for kind, covariance in enumerate(noises)
        for ratio, trend in [(0.0, trends[0]), *((ratio, trend) for ratio in SIGNAL_TO_NOISE for trend in trends)]
    ]


def residuals(whitened: Float[np.ndarray, "N B"], basis: Float[np.ndarray, "N P"]) -> Float[np.ndarray, "N B"]:
    """Return what an orthonormal basis leaves of whitened columns."""
    return whitened - basis @ (basis.T @ whitened)


def log_likelihood(
    squares: Float[np.ndarray, " B"], log_determinant: float, freedom: int, smallest_variance: float
) -> tuple[Float[np.ndarray, " B"], Float[np.ndarray, " B"]]:
    """Return the profile log likelihood of whitened residuals, and the factor of the noise's variance that maximises it.

    Args:
        squares: sums of squares of the whitened residuals.
        freedom: their degrees of freedom.
        smallest_variance: 1 where the errors are known, which may be too small but never too large.
    """
    variance = np.maximum(squares / freedom, smallest_variance)
    return -0.5 * (log_determinant + freedom * np.log(variance) + squares / variance), variance


@dataclass(frozen=True)
class Likeliest:
    """The likeliest hyperparameters.

    Attributes:
        null: their index.
        relaxed: the index of the relaxation beside them.
        variance: the factor of their covariance.
    """

    null: int
    relaxed: int
    variance: float


def likeliest(
    values: Float[np.ndarray, " N"],
    nulls: Sequence[Null],
    free: Float[np.ndarray, "N P"],
    smallest: float,
    relaxations: Sequence[Float[np.ndarray, "N R"]] = (),
) -> Likeliest:
    """Return the likeliest hyperparameters, with no relaxation or one of those that are given."""
    best, fitted = -np.inf, Likeliest(0, 0, 1.0)
    for relaxed, extra in enumerate(relaxations or (free[:, :0],)):
        for number, null in enumerate(nulls):
            basis, determinant = null.without(np.column_stack([free, null.penalised(extra)]))
            squares = np.sum(residuals(null.whitened(values[:, None]), basis) ** 2, axis=0)
            likelihood, variance = log_likelihood(squares, determinant, len(values) - free.shape[1], smallest)
            if likelihood[0] > best:
                best, fitted = float(likelihood[0]), Likeliest(number, relaxed, float(variance[0]))
    return fitted
