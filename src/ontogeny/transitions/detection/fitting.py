"""All passages of a curve fitted together: their changes, and the intervals of their locations."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import chi2

from ontogeny.transitions.detection.changepoints import strides
from ontogeny.transitions.detection.curves import Curve
from ontogeny.transitions.detection.monte_carlo import Passage
from ontogeny.transitions.detection.noise import centred
from ontogeny.transitions.detection.search import Search
from ontogeny.transitions.detection.smoothing import likeliest

LIKELY = float(chi2.ppf(0.95, 1))
"""Twice the log likelihood that a location in the 95% interval may lose."""


@dataclass(frozen=True)
class Fit:
    """All passages of a curve fitted together with its smooth trend, by generalised least squares.

    Attributes:
        changes: of each passage, in the curve's unit.
        covariance: of the changes.
        null: the index of the likeliest hyperparameters.
        relaxation: what relaxes beside the trend; no columns where nothing does.
        relaxing: the relaxation as it is fitted, in the curve's unit.
        variance: the factor of their covariance.
    """

    changes: Float[np.ndarray, " J"]
    covariance: Float[np.ndarray, "J J"]
    null: int
    relaxation: Float[np.ndarray, "N R"]
    relaxing: Float[np.ndarray, " N"]
    variance: float


def fit(curve: Curve, search: Search, passages: Sequence[Passage]) -> Fit:
    """Return the changes at the hyperparameters that are likeliest with these passages."""
    values, unit = centred(curve)
    free = search.free([passage.index for passage in passages])
    best = likeliest(values, search.nulls, free, search.smallest_variance, search.relaxations)
    whitener, extra = search.nulls.whiteners[best.null], search.relaxations[best.relaxed]
    inverse = np.linalg.pinv(whitener @ np.column_stack([free, extra]))
    steps = slice(search.line.shape[1], free.shape[1])
    coefficients = unit * (inverse @ (whitener @ values))
    return Fit(
        coefficients[steps],
        unit**2 * best.variance * (inverse @ inverse.T)[steps, steps],
        best.null,
        extra,
        extra @ coefficients[free.shape[1] :],
        best.variance,
    )


def location_interval(curve: Curve, search: Search, fitted: Fit, passages: Sequence[Passage], member: int) -> tuple[float, float]:
    """Return the 95% interval of where a passage is halfway, in positions.

    The interval holds all passages that are nearly as likely in its stead, from the profile likelihood at the fitted
    hyperparameters with the other passages as part of the trend. It is wider by half of the distance between the passages that
    are tried.
    """
    values, _ = centred(curve)
    others = [passage.index for number, passage in enumerate(passages) if number != member]
    alternatives = search.whitened.among(np.array([fitted.null])).beside(search.free(others), fitted.relaxation)
    gains = alternatives.signed_roots(alternatives.residuals(values[:, None]), 0)[:, 0] ** 2
    likely = gains >= gains[passages[member].index] - LIKELY * fitted.variance
    starts, ends = search.passages.starts[likely], search.passages.ends[likely]
    apart = strides(ends - starts)

    def middle(by: np.ndarray) -> Float[np.ndarray, " likely"]:
        """Return the positions halfway between the passages' ends, moved by a number of checkpoints."""
        index = np.arange(len(values))
        return (np.interp(starts + by, index, curve.positions) + np.interp(ends + by, index, curve.positions)) / 2

    return float(middle(-apart / 2).min()), float(middle(apart / 2).max())
