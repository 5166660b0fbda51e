"""The slope of a curve with its uncertainty: the posterior of the derivative of a Gaussian process with the noise of the search.

A stage boundary is where the slope changes sign, or where it sets in and dies away. The papers read it off the zeros of the mean
of a process without a noise term (Hoogland et al. 2024, arXiv 2402.02364); here each comes with a probability. It is also one of
the detectors that must support a passage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import solve_triangular
from scipy.special import ndtr

from ontogeny.trajectory import Axis
from ontogeny.transitions.detection.smoothing import straight_line
from ontogeny.transitions.records import Boundary

LENGTHS = 1.5 * 2.5 ** np.arange(5)
"""Length-scales, in median checkpoint spacings; none longer than the axis."""
SIGNAL_TO_NOISE = 10.0 ** np.array([-1, 0, 1, 2, 4, 6])
"""Variance of the process over that of the noise."""
RESOLVED = 0.95
KINDS = ("rise", "fall", "plateau")
RESTS = 2
PLATEAU = 0.1
"""A slope below this share of the steepest is flat."""
SUPPORTED = 0.8
"""The probability that the slope has a passage's sign, from which on it supports the passage (docs/detection.md has others)."""


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
        """The largest probability, between two positions, that the slope has this sign."""
        inside = (self.positions >= low) & (self.positions <= high)
        if not inside.any():
            return np.nan
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(np.nanmax(ndtr(sign * self.mean[inside] / self.deviation[inside]), initial=0.0))


@dataclass(frozen=True)
class Process:
    """A Gaussian process of one length-scale, seen through noise, in coordinates where both are independent (noise: variance 1).

    Attributes:
        rotation: from the checkpoints to these coordinates.
        shares: variance of the process in them, where it has that of the noise.
        slopes: covariance of its slope halfway between checkpoints with them.
        steepness: variance of its slope.
    """

    rotation: Float[np.ndarray, "N N"]
    shares: Float[np.ndarray, " N"]
    slopes: Float[np.ndarray, "M N"]
    steepness: float

    @classmethod
    def of(cls, x: Float[np.ndarray, " N"], noise: Float[np.ndarray, "N N"], length: float) -> Self:
        unit = float(np.diag(noise).mean())
        whitener = solve_triangular(np.linalg.cholesky(noise), np.eye(len(x)), lower=True)
        shares, vectors = np.linalg.eigh(whitener @ (unit * bell(x, x, length)) @ whitener.T)
        rotation = vectors.T @ whitener
        places = (x[1:] + x[:-1]) / 2
        slopes = -(places[:, None] - x) / length**2 * unit * bell(places, x, length)
        return cls(rotation, np.maximum(shares, 0), slopes @ rotation.T, unit / length**2)


def bell(x: Float[np.ndarray, " N"], other: Float[np.ndarray, " M"], length: float) -> Float[np.ndarray, "N M"]:
    return np.exp(-((x[:, None] - other) ** 2) / (2 * length**2))


def processes(x: Float[np.ndarray, " N"], noise: Float[np.ndarray, "N N"]) -> list[Process]:
    """One for each length-scale."""
    spacing = float(np.median(np.diff(x)))
    return [Process.of(x, noise, length * spacing) for length in LENGTHS if length * spacing <= np.ptp(x)]


@dataclass(frozen=True)
class Posterior:
    """The likeliest process for each of B curves; a straight line, and whatever else, is fitted freely beside it.

    Attributes:
        process, ratio: of each curve: the place of its process, and the variance of that over the noise's.
        variance: factor of the noise's covariance, for each curve.
        rate: slope of each free column; passages found before count as flat.
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
        """By restricted maximum likelihood, on a small grid, with the noise as given."""
        best, process, ratio = np.full(columns.shape[1], -np.inf), np.zeros(columns.shape[1], int), np.ones(columns.shape[1])
        for number, one in enumerate(processes):
            rotated, line = one.rotation @ columns, one.rotation @ free
            for share in SIGNAL_TO_NOISE:
                scales = 1 / np.sqrt(1 + share * one.shares)
                basis, triangle = np.linalg.qr(scales[:, None] * line)
                scaled = scales[:, None] * rotated
                squares = np.sum(scaled**2, axis=0) - np.sum((basis.T @ scaled) ** 2, axis=0)
                determinant = np.log(np.abs(np.diag(triangle))).sum() - np.log(scales).sum()
                likelihood = -0.5 * squares / variance - determinant
                better = likelihood > best
                best[better], process[better], ratio[better] = likelihood[better], number, share
        return cls(processes, columns, free, rate, variance, process, ratio)

    def slopes(self) -> tuple[Float[np.ndarray, "M B"], Float[np.ndarray, "M B"]]:
        """Mean and deviation of the slope by universal kriging (Rasmussen and Williams 2006, sections 2.7 and 9.4)."""
        mean = np.empty((len(self.columns) - 1, self.columns.shape[1]))
        spread = np.empty_like(mean)
        for number, ratio in set(zip(self.process.tolist(), self.ratio.tolist(), strict=True)):
            members = (self.process == number) & (self.ratio == ratio)
            one = self.processes[number]
            weights = 1 / (1 + ratio * one.shares)[:, None]
            line, values = one.rotation @ self.free, one.rotation @ self.columns[:, members]
            information = np.linalg.pinv(line.T @ (weights * line))
            coefficients = information @ (line.T @ (weights * values))
            cross = ratio * one.slopes
            mean[:, members] = cross @ (weights * (values - line @ coefficients)) + self.rate @ coefficients
            left = self.rate - cross @ (weights * line)
            known = cross**2 @ weights[:, 0] - np.einsum("mi,ij,mj->m", left, information, left)
            spread[:, members] = (ratio * one.steepness - known)[:, None]
        return mean, np.sqrt(self.variance * np.maximum(spread, np.finfo(float).tiny))


def slope_of(x: Float[np.ndarray, " N"], values: Float[np.ndarray, " N"], noise: Float[np.ndarray, "N N"]) -> Slope:
    """The posterior at the likeliest hyperparameters, at the given noise (`search.noise_beside`)."""
    noise = noise + 1e-10 * max(float(np.var(values)), np.finfo(float).tiny) * np.eye(len(x))
    rate = np.array([0, 1 / np.ptp(x)])
    fitted = Posterior.of(processes(x, noise), values[:, None], straight_line(x), rate, np.ones(1))
    mean, deviation = (one[:, 0] for one in fitted.slopes())
    floor = PLATEAU * float(np.abs(mean).max())
    places = (x[1:] + x[:-1]) / 2
    return Slope(places, mean, deviation, ndtr((mean - floor) / deviation), ndtr((-mean - floor) / deviation))


def boundaries(slope: Slope, axis: Axis) -> list[Boundary]:
    """Return where the curve turns from rising, falling or resting to another of the three, in the unit of the axis.

    A rise or a fall is known with 95%. Between two of them, and before and after, the curve rests where a plateau is likelier
    than not at some place. Otherwise two rises are one, and a rise and a fall meet. The probability of a boundary is that both
    sides are what they are called, each where it is clearest.
    """
    shares = np.stack([slope.rises, slope.falls, np.maximum(1 - slope.rises - slope.falls, 0)])
    pairs = pairwise(stretches(shares))
    return [boundary(slope.positions, shares, *pair, axis) for pair in pairs if pair[0].kind != pair[1].kind]


@dataclass(frozen=True)
class Stretch:
    """A row of the shares, and the first and the last index of the stretch in which it holds."""

    kind: int
    first: int
    last: int


def stretches(shares: Float[np.ndarray, "3 M"]) -> list[Stretch]:
    """Return rises, falls and plateaus in order."""
    kinds = np.where(shares[:2].max(axis=0) >= RESOLVED, shares[:2].argmax(axis=0), RESTS)
    edges = [0, *np.flatnonzero(np.diff(kinds)) + 1, len(kinds)]
    every = [Stretch(int(kinds[first]), int(first), int(last) - 1) for first, last in pairwise(edges)]
    return [part for part in every if part.kind != RESTS or shares[RESTS, part.first : part.last + 1].max() > 0.5]


def boundary(
    positions: Float[np.ndarray, " M"], shares: Float[np.ndarray, "3 M"], before: Stretch, after: Stretch, axis: Axis
) -> Boundary:
    """Return the boundary between two stretches that follow each other: where the second becomes the likelier."""
    between = slice(before.last, after.first + 1)
    turn = before.last + int(np.argmax(shares[after.kind, between] >= shares[before.kind, between]))
    certainty = shares[before.kind, before.first : before.last + 1].max() * shares[after.kind, after.first : after.last + 1].max()
    return Boundary(
        location=float(axis.value(positions[turn])),
        before=KINDS[before.kind],
        after=KINDS[after.kind],
        probability=float(certainty),
    )
