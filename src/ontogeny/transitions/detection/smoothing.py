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
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.linalg import get_lapack_funcs
from sklearn.gaussian_process.kernels import RBF, Matern

(INVERSE,) = get_lapack_funcs(("trtri",))
"""LAPACK's inverse of an upper triangular matrix."""
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


def noise_covariances(
    noise: Float[np.ndarray, "N N"] | None, scale: Float[np.ndarray, " N"], estimated: bool = False
) -> list[Float[np.ndarray, "N N"]]:
    """Return what the covariance of the noise may be.

    Args:
        noise: the covariance that is given, or None.
        scale: the size of the noise at each checkpoint, where no covariance is given. Where it varies, noise of one size is
            possible too, and comes first: a steep trend looks like large noise.
        estimated: whether the covariance comes from chains, which may find that checkpoints share no noise.

    A covariance that is given is taken as it is, and with variance that each checkpoint has alone: training itself moves each
    checkpoint a little, which no two chains can show. Errors without covariances are taken with each autocorrelation.
    """
    if noise is not None and (estimated or np.any(noise - np.diag(np.diag(noise)))):
        return [noise + share * np.diag(np.diag(noise)) for share in WANDER]
    errors = [np.ones(len(scale))] if noise is None else [np.sqrt(np.diag(noise))]
    errors += [scale] if np.any(scale != 1) else []
    index = np.arange(len(scale), dtype=float)[:, None]
    shared = [np.eye(len(scale)) if not r else Matern(-1 / np.log(r), nu=0.5)(index) for r in AUTOCORRELATIONS]
    return [error[:, None] * correlation * error for error in errors for correlation in shared]


@dataclass(frozen=True)
class Nulls:
    """K points of the grid of hyperparameters.

    Attributes:
        noise: the index of the noise's covariance.
        factors: the Cholesky factors of the covariance of trend and noise.
        levels: the typical variance of the noise.
        weights: the variance of the trend.
        trend: the index of the trend.
        trends: the covariances of trends of variance 1.
    """

    noise: Int[np.ndarray, " K"]
    factors: Float[np.ndarray, "K N N"]
    levels: Float[np.ndarray, " K"]
    weights: Float[np.ndarray, " K"]
    trend: Int[np.ndarray, " K"]
    trends: Float[np.ndarray, "L N N"]

    @cached_property
    def whiteners(self) -> Float[np.ndarray, "K N N"]:
        """Return the inverses of the factors: in their coordinates a curve without a transition is white noise."""
        return np.stack([INVERSE(factor.T)[0].T for factor in self.factors])

    @property
    def loose(self) -> Bool[np.ndarray, " K"]:
        """Return which trends are tried first beside a relaxation or several steps: the line alone and a slow one."""
        slow = (self.trend == len(self.trends) - 1) & np.isclose(self.weights, SIGNAL_TO_NOISE[1] * self.levels)
        return slow | (self.weights == 0)

    def among(self, chosen: Int[np.ndarray, " C"]) -> "Nulls":
        """Return some of the nulls."""
        parts = (self.noise[chosen], self.factors[chosen], self.levels[chosen], self.weights[chosen], self.trend[chosen])
        fewer = Nulls(*parts, self.trends)
        fewer.__dict__["whiteners"] = self.whiteners[chosen]
        return fewer

    def whitened(self, columns: Float[np.ndarray, "N B"]) -> Float[np.ndarray, "K N B"]:
        """Return columns in the coordinates of each null."""
        count, size, _ = self.whiteners.shape
        return (self.whiteners.reshape(count * size, size) @ columns).reshape(count, size, -1)

    def without(self, free: Float[np.ndarray, "N P"], relaxation: Float[np.ndarray, "N R"]) -> "Projection":
        """Return what takes a free part, and a relaxation, off columns (restricted maximum likelihood)."""
        units = PENALTY * np.sqrt(self.levels)
        scaled = self.whitened(relaxation) * units[:, None, None]
        bases, triangles = np.linalg.qr(np.concatenate([self.whitened(free), scaled], axis=2))
        diagonals = np.abs(np.diagonal(triangles, axis1=1, axis2=2))
        determinants = np.log(np.diagonal(self.factors, axis1=1, axis2=2)).sum(axis=1) + np.log(diagonals).sum(axis=1)
        amplitudes = np.zeros((len(units), len(free)))
        if relaxation.shape[1]:
            last = bases[:, None, :, -1] @ self.whiteners
            amplitudes = last[:, 0] * (units / triangles[:, -1, -1])[:, None]
        return Projection(bases, 2 * determinants, amplitudes)


@dataclass(frozen=True)
class Projection:
    """What takes the free part and the relaxation of K nulls off columns.

    Attributes:
        bases: an orthonormal basis of the whitened free part with the relaxation.
        determinants: the log determinants of the covariances that are left. The unit of a relaxation is such that they take its
            freedom off the likelihood.
        amplitudes: the products of a column with them are the sizes of what relaxes in it; 0 where nothing may.
    """

    bases: Float[np.ndarray, "K N P"]
    determinants: Float[np.ndarray, " K"]
    amplitudes: Float[np.ndarray, "K N"]

    def residuals(self, whitened: Float[np.ndarray, "K N B"]) -> Float[np.ndarray, "K N B"]:
        """Return what is left of whitened columns."""
        return whitened - self.bases @ (self.bases.transpose(0, 2, 1) @ whitened)


def nulls_of(positions: Float[np.ndarray, " N"], noises: Sequence[Float[np.ndarray, "N N"]]) -> Nulls:
    """Return a smooth curve with noise for each point of the grid of hyperparameters.

    Args:
        noises: what the covariance of the noise may be, up to a common factor.
    """
    shortest = shortest_length(positions)
    trends = [np.asarray(RBF(length * shortest)(positions[:, None])) + JITTER * np.eye(len(positions)) for length in LENGTHS]
    # The median, because one checkpoint with a huge error does not limit the trend.
    levels = np.array([np.median(np.diag(covariance)) for covariance in noises])
    ratios = [(0.0, 0), *((ratio, trend) for ratio in SIGNAL_TO_NOISE for trend in range(len(trends)))]
    grid = [(kind, ratio, trend) for kind in range(len(noises)) for ratio, trend in ratios]
    noise, shares, trend = (np.array(column) for column in zip(*grid, strict=True))
    covariances = np.stack([noises[kind] + ratio * levels[kind] * trends[which] for kind, ratio, which in grid])
    return Nulls(noise, np.linalg.cholesky(covariances), levels[noise], shares * levels[noise], trend, np.stack(trends))


def log_likelihood(
    squares: Float[np.ndarray, "*K B"], log_determinant: Float[np.ndarray, "*K 1"], freedom: int, smallest_variance: float
) -> tuple[Float[np.ndarray, "*K B"], Float[np.ndarray, "*K B"]]:
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
    nulls: Nulls,
    free: Float[np.ndarray, "N P"],
    smallest: float,
    relaxations: Sequence[Float[np.ndarray, "N R"]] = (),
) -> Likeliest:
    """Return the likeliest hyperparameters, with no relaxation or one of those that are given."""
    best, fitted, whitened = -np.inf, Likeliest(0, 0, 1.0), nulls.whitened(values[:, None])
    for relaxed, extra in enumerate(relaxations or (free[:, :0],)):
        projection = nulls.without(free, extra)
        squares = np.sum(projection.residuals(whitened)[:, :, 0] ** 2, axis=1)
        likelihood, variance = log_likelihood(squares, projection.determinants, len(values) - free.shape[1], smallest)
        number = int(likelihood.argmax())
        if likelihood[number] > best:
            best, fitted = float(likelihood[number]), Likeliest(number, relaxed, float(variance[number]))
    return fitted
