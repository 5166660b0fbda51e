"""The slope of a curve with its uncertainty: the posterior of the derivative of a Gaussian process with the known errors.

A stage boundary is where the slope changes sign, or where it sets in and dies away. The papers read it off the zeros of the mean
of a process without a noise term (Hoogland et al. 2024, arXiv 2402.02364); here each comes with a probability.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from scipy.linalg import cho_factor, cho_solve
from scipy.special import ndtr

from ontogeny.transitions.curves import Curve
from ontogeny.transitions.evidence import noise_variance

LENGTHS = 1.5 * 2.0 ** np.arange(7)
"""Length-scales, in median checkpoint spacings; none longer than the axis."""
SIGNAL_TO_NOISE = 10.0 ** np.arange(-1, 7)
"""Variance of the process over that of the noise."""
RESOLVED = 0.95
KINDS = ("rise", "fall", "plateau")
RESTS = 2
PLATEAU = 0.1
"""A slope below this share of the steepest is flat."""


@dataclass(frozen=True)
class Slope:
    """The posterior of the slope, in the observable's unit per unit of the positions, halfway between checkpoints.

    Attributes:
        rises, falls: the probability that it is steeper than a plateau, upwards and downwards; the rest is that of a plateau.
    """

    positions: Float[np.ndarray, "M"]
    mean: Float[np.ndarray, "M"]
    deviation: Float[np.ndarray, "M"]
    rises: Float[np.ndarray, "M"]
    falls: Float[np.ndarray, "M"]

    def probability(self, low: float, high: float, sign: float) -> float:
        """The largest probability, between two positions, that the slope has this sign."""
        inside = (self.positions >= low) & (self.positions <= high)
        if not inside.any():
            return np.nan
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(np.nanmax(ndtr(sign * self.mean[inside] / self.deviation[inside]), initial=0.0))


def slope_of(curve: Curve) -> Slope:
    """The posterior at the likeliest hyperparameters of a small grid (a straight line is fitted freely beside the process)."""
    x, values = curve.positions, curve.values
    noise = np.eye(len(x)) * noise_variance(values) if curve.noise is None else curve.noise
    noise = noise + 1e-10 * max(float(np.var(values)), np.finfo(float).tiny) * np.eye(len(x))
    unit = float(np.diag(noise).mean())
    spacing = float(np.median(np.diff(x)))
    lengths = [length * spacing for length in LENGTHS if length * spacing <= np.ptp(x)]
    fits = [fitted(x, values, noise, length, ratio * unit) for length in lengths for ratio in SIGNAL_TO_NOISE]
    return derivative(x, values, noise, *max(fits)[1:])


def prior(x: Float[np.ndarray, "N"], other: Float[np.ndarray, "M"], length: float, variance: float) -> Float[np.ndarray, "N M"]:
    return variance * np.exp(-((x[:, None] - other) ** 2) / (2 * length**2))


def trend(x: Float[np.ndarray, "N"]) -> Float[np.ndarray, "N 2"]:
    return np.column_stack([np.ones_like(x), x])


def fitted(
    x: Float[np.ndarray, "N"], values: Float[np.ndarray, "N"], noise: Float[np.ndarray, "N N"], length: float, variance: float
) -> tuple[float, float, float]:
    """The restricted log likelihood of a length-scale and a variance, and they."""
    factor = cho_factor(prior(x, x, length, variance) + noise, lower=True)
    line = trend(x)
    solved = cho_solve(factor, np.column_stack([line, values]))
    information = line.T @ solved[:, :2]
    coefficients = np.linalg.solve(information, line.T @ solved[:, 2])
    rest = values - line @ coefficients
    squares = rest @ cho_solve(factor, rest)
    determinant = 2 * np.log(np.diag(factor[0])).sum() + np.linalg.slogdet(information)[1]
    return -0.5 * float(squares + determinant), length, variance


def derivative(
    x: Float[np.ndarray, "N"], values: Float[np.ndarray, "N"], noise: Float[np.ndarray, "N N"], length: float, variance: float
) -> Slope:
    """The posterior of the slope by universal kriging (Rasmussen and Williams 2006, sections 2.7 and 9.4)."""
    places = (x[1:] + x[:-1]) / 2
    factor = cho_factor(prior(x, x, length, variance) + noise, lower=True)
    line, along = trend(x), np.array([0.0, 1.0])
    cross = -(places[:, None] - x) / length**2 * prior(places, x, length, variance)
    solved = cho_solve(factor, np.column_stack([line, values]))
    information = np.linalg.inv(line.T @ solved[:, :2])
    coefficients = information @ (line.T @ solved[:, 2])
    mean = cross @ cho_solve(factor, values - line @ coefficients) + coefficients[1]
    left = along - cross @ solved[:, :2]
    explained = np.einsum("mn,nm->m", cross, cho_solve(factor, cross.T))
    spread = variance / length**2 - explained + np.einsum("mi,ij,mj->m", left, information, left)
    deviation = np.sqrt(np.maximum(spread, np.finfo(float).tiny))
    floor = PLATEAU * float(np.abs(mean).max())
    return Slope(places, mean, deviation, ndtr((mean - floor) / deviation), ndtr((-mean - floor) / deviation))


def boundaries(slope: Slope) -> list[dict]:
    """Where the curve goes over from rising, falling or resting to another of the three.

    A rise or a fall is known with 95%. Between two of them, or before and after, the curve rests where a plateau is likelier
    than not at some place; otherwise two rises are one, and a rise and a fall meet.

    Returns:
        For each: position, from, to ("rise", "fall" or "plateau") and the probability that both sides are so where each is
        clearest.
    """
    shares = np.stack([slope.rises, slope.falls, np.maximum(1 - slope.rises - slope.falls, 0)])
    return [boundary(slope.positions, shares, one, other) for one, other in pairwise(stretches(shares)) if one[0] != other[0]]


Stretch = tuple[int, int, int]
"""A row of the shares, and the first and the last place of a stretch."""


def stretches(shares: Float[np.ndarray, "3 M"]) -> list[Stretch]:
    """Rises, falls and plateaus in order."""
    kinds = np.where(shares[:2].max(axis=0) >= RESOLVED, shares[:2].argmax(axis=0), RESTS)
    edges = [0, *np.flatnonzero(np.diff(kinds)) + 1, len(kinds)]
    found = [(int(kinds[first]), first, last - 1) for first, last in pairwise(edges)]
    return [one for one in found if one[0] != RESTS or shares[RESTS, one[1] : one[2] + 1].max() > 0.5]


def boundary(positions: Float[np.ndarray, "M"], shares: Float[np.ndarray, "3 M"], one: Stretch, other: Stretch) -> dict:
    """Between two stretches that follow each other: where the second becomes the likelier."""
    (before, first, start), (after, end, last) = one, other
    between = slice(start, end + 1)
    tip = start + int(np.argmax(shares[after, between] >= shares[before, between]))
    clearest = shares[before, first : start + 1].max() * shares[after, end : last + 1].max()
    return {
        "position": float(positions[tip]),
        "from": KINDS[before],
        "to": KINDS[after],
        "probability": float(clearest),
    }
