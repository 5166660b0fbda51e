"""The slope of a curve with its uncertainty: the posterior of the derivative of a Gaussian process with the noise of the search.

Stage boundaries are read off it, and it is one of the detectors that must support a passage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import solve_triangular
from scipy.special import ndtr

from ontogeny.transitions.detection.smoothing import straight_line

LENGTHS = 1.5 * 2.5 ** np.arange(5)
"""Length-scales, in median checkpoint spacings; none longer than the axis."""
SIGNAL_TO_NOISE = 10.0 ** np.array([-1, 0, 1, 2, 4, 6])
"""Variance of the process over that of the noise."""
PLATEAU = 0.1
"""A slope below this share of the steepest is flat."""
SUPPORTED = 0.8
"""The probability of the slope's sign from which on it supports a passage (docs/detection.md compares others)."""


@dataclass(frozen=True)
class Slope:
    """The posterior of the slope, in the observable's unit per unit of the positions, halfway between checkpoints.

    Attributes:
        rises, falls: the probability that it is steeper than a plateau, upwards and downwards; the rest is that of a plateau.
    """

    positions: Float[np.ndarray, " M"]
    mean: Float[np.ndarray, " M"]
    deviation: Float[np.ndarray, " M"]
    rises: Float[np.ndarray, " M"]
    falls: Float[np.ndarray, " M"]

    def probability(self, low: float, high: float, sign: float) -> float:
        """Return the largest probability, between two positions, that the slope has this sign; NaN where no slope lies there."""
        inside = (self.positions >= low) & (self.positions <= high)
        if not inside.any():
            return np.nan
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(np.nanmax(ndtr(sign * self.mean[inside] / self.deviation[inside]), initial=0.0))


@dataclass(frozen=True)
class Process:
    """A Gaussian process of one length-scale in coordinates in which it is independent and the noise has variance 1.

    Attributes:
        rotation: from the checkpoints to these coordinates.
        shares: the variance of the process in them, if it has that of the noise.
        slopes: the covariance of its slope halfway between checkpoints with them.
        steepness: the variance of its slope.
    """

    rotation: Float[np.ndarray, "N N"]
    shares: Float[np.ndarray, " N"]
    slopes: Float[np.ndarray, "M N"]
    steepness: float

    @classmethod
    def of(cls, x: Float[np.ndarray, " N"], noise: Float[np.ndarray, "N N"], length: float) -> Self:
        """Return the process of a length-scale, in units of the positions x, seen through noise."""
        unit = float(np.diag(noise).mean())
        factor = np.linalg.cholesky(noise)
        half = solve_triangular(factor, unit * bell(x, x, length), lower=True, check_finite=False)
        shares, vectors = np.linalg.eigh(solve_triangular(factor, half.T, lower=True, check_finite=False))
        rotation = solve_triangular(factor, vectors, lower=True, trans=1, check_finite=False).T
        middles = (x[1:] + x[:-1]) / 2
        slopes = -(middles[:, None] - x) / length**2 * unit * bell(middles, x, length)
        return cls(rotation, np.maximum(shares, 0), slopes @ rotation.T, unit / length**2)


def bell(x: Float[np.ndarray, " N"], other: Float[np.ndarray, " M"], length: float) -> Float[np.ndarray, "N M"]:
    """Return the squared-exponential covariance."""
    return np.exp(-((x[:, None] - other) ** 2) / (2 * length**2))


def processes(x: Float[np.ndarray, " N"], noise: Float[np.ndarray, "N N"]) -> list[Process]:
    """Return a process for each length-scale."""
    spacing = float(np.median(np.diff(x)))
    return [Process.of(x, noise, length * spacing) for length in LENGTHS if length * spacing <= np.ptp(x)]


@dataclass(frozen=True)
class Posterior:
    """The likeliest process for each of B curves, with a straight line and possibly more fitted freely beside it.

    Attributes:
        free: the columns that are fitted freely.
        rate: the slope of each free column; passages count as flat.
        variance: the factor of the noise's covariance, for each curve.
        process: the index of each curve's process.
        ratio: the variance of that process over the noise's.
    """

    processes: Sequence[Process]
    columns: Float[np.ndarray, "N B"]
    free: Float[np.ndarray, "N free"]
    rate: Float[np.ndarray, " free"]
    variance: Float[np.ndarray, " B"]
    process: Int[np.ndarray, " B"]
    ratio: Float[np.ndarray, " B"]

    @classmethod
    def of(
        cls,
        processes: Sequence[Process],
        columns: Float[np.ndarray, "N B"],
        free: Float[np.ndarray, "N free"],
        rate: Float[np.ndarray, " free"],
        variance: Float[np.ndarray, " B"],
    ) -> Self:
        """Choose by restricted maximum likelihood on a small grid, with the noise as given."""
        count, shares = columns.shape[1], SIGNAL_TO_NOISE
        best, process, ratio = np.full(count, -np.inf), np.zeros(count, int), np.ones(count)
        for number, candidate in enumerate(processes):
            rotated, line = candidate.rotation @ columns, candidate.rotation @ free
            weights = 1 / (1 + shares[:, None] * candidate.shares)
            bases, triangles = np.linalg.qr(np.sqrt(weights)[:, :, None] * line)
            along = (np.sqrt(weights)[:, :, None] * bases).transpose(0, 2, 1) @ rotated
            squares = weights @ rotated**2 - np.sum(along**2, axis=1)
            determinants = np.log(np.abs(np.diagonal(triangles, axis1=1, axis2=2))).sum(axis=1)
            determinants -= 0.5 * np.log(weights).sum(axis=1)
            likelihood = -0.5 * squares / variance - determinants[:, None]
            better = likelihood.max(axis=0) > best
            best = np.maximum(best, likelihood.max(axis=0))
            process[better], ratio[better] = number, shares[likelihood.argmax(axis=0)][better]
        return cls(processes, columns, free, rate, variance, process, ratio)

    def slopes(self) -> tuple[Float[np.ndarray, "M B"], Float[np.ndarray, "M B"]]:
        """Return mean and deviation of the slope by universal kriging (Rasmussen and Williams 2006, sections 2.7 and 9.4)."""
        mean = np.empty((len(self.columns) - 1, self.columns.shape[1]))
        spread = np.empty_like(mean)
        for number in np.unique(self.process).tolist():
            process = self.processes[number]
            line, squared = process.rotation @ self.free, process.slopes**2
            for ratio in np.unique(self.ratio[self.process == number]).tolist():
                members = (self.process == number) & (self.ratio == ratio)
                weights = 1 / (1 + ratio * process.shares)
                values = process.rotation @ self.columns[:, members]
                information = np.linalg.pinv(line.T @ (weights[:, None] * line))
                coefficients = information @ (line.T @ (weights[:, None] * values))
                rest = ratio * (process.slopes @ (weights[:, None] * (values - line @ coefficients)))
                mean[:, members] = rest + self.rate @ coefficients
                left = self.rate - ratio * (process.slopes @ (weights[:, None] * line))
                explained = ratio**2 * (squared @ weights) - np.einsum("mi,ij,mj->m", left, information, left)
                spread[:, members] = (ratio * process.steepness - explained)[:, None]
        return mean, np.sqrt(self.variance * np.maximum(spread, np.finfo(float).tiny))


def slope_of(x: Float[np.ndarray, " N"], values: Float[np.ndarray, " N"], noise: Float[np.ndarray, "N N"]) -> Slope:
    """Return the posterior at the likeliest hyperparameters, with the noise as given (`noise.noise_beside`)."""
    noise = noise + 1e-10 * max(float(np.var(values)), np.finfo(float).tiny) * np.eye(len(x))
    rate = np.array([0, 1 / np.ptp(x)])
    fitted = Posterior.of(processes(x, noise), values[:, None], straight_line(x), rate, np.ones(1))
    mean, deviation = (columns[:, 0] for columns in fitted.slopes())
    floor = PLATEAU * float(np.abs(mean).max())
    middles = (x[1:] + x[:-1]) / 2
    return Slope(middles, mean, deviation, ndtr((mean - floor) / deviation), ndtr((-mean - floor) / deviation))
