"""The noise of a curve, as the search has it."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ontogeny.transitions.detection.changepoints import smooth_step
from ontogeny.transitions.detection.curves import Curve
from ontogeny.transitions.detection.local_noise import noise_size, without_outliers
from ontogeny.transitions.detection.smoothing import Nulls, likeliest, noise_covariances, nulls_of, straight_line

NOISE_FLOOR = 1e-4
"""Noise, as a share of a curve's spread, below which a curve without errors is not resolved."""


def smallest_variance(noise: Float[np.ndarray, "N N"] | None) -> float:
    """Return the smallest factor of the noise. Known errors may be too small, never too large."""
    return NOISE_FLOOR**2 if noise is None else 1.0


def centred(curve: Curve) -> tuple[Float[np.ndarray, " N"], float]:
    """Return the values about zero without outliers, in units of their spread where their noise is unknown, and that unit."""
    stated = 0.0 if curve.noise is None else np.sqrt(np.diag(curve.noise))
    values = without_outliers(curve.values, np.maximum(stated, noise_size(curve.values) * curve.scale))
    unit = float(values.std()) if curve.noise is None else 1.0
    return (values - values.mean()) / unit, unit


def nulls_over(curve: Curve) -> Nulls:
    """Return the nulls of a curve. Curves without errors on the same checkpoints have the same nulls, where their noise does
    not vary."""
    return nulls_of(curve.positions, noise_covariances(curve.noise, curve.scale, estimated=curve.chains is not None))


def noise_beside(
    curve: Curve,
    intervals: Sequence[tuple[float, float]],
    nulls: Nulls,
    relaxations: Sequence[Float[np.ndarray, "N R"]] = (),
) -> Float[np.ndarray, "N N"]:
    """Return the covariance of a curve's noise with the over-dispersion and autocorrelation that its residuals show.

    Args:
        intervals: the positions of the start and the end of the curve's passages, which are part of the trend.
        nulls: those of the curve (`nulls_over`).
        relaxations: those that the search of the curve has.
    """
    values, unit = centred(curve)
    steps = (smooth_step(curve.positions, start, end) for start, end in intervals)
    free = np.column_stack([straight_line(curve.positions), *steps])
    best = likeliest(values, nulls, free, smallest_variance(curve.noise), relaxations)
    return (
        unit**2
        * best.variance
        * noise_covariances(curve.noise, curve.scale, estimated=curve.chains is not None)[int(nulls.noise[best.null])]
    )
