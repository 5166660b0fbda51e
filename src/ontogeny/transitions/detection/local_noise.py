"""The size of a curve's noise from place to place, from its third differences, and the outliers that it shows."""

from functools import cache

import numpy as np
from jaxtyping import Float
from numpy.lib.stride_tricks import sliding_window_view

SHARE_OF_CURVE = 0.1
"""The share of a curve's checkpoints, on either side, whose differences give the size of the noise at a place."""
FEWEST_BESIDE = 5
"""Checkpoints on either side that are needed at least."""
NORMAL_MEDIAN = 0.6745
"""Median of the size of a standard normal variable."""
THIRD_DIFFERENCE = 20**0.5
"""Standard deviation of the third differences of white noise. Smooth trends hardly have any."""
LARGEST_RATIO = 5.0
"""Bound on the size of the noise at a place, in units of its median, and on one over it."""
SURE = 0.9
"""Share of the curves with noise of one size that vary less than a curve whose noise is taken to vary."""
SIMULATED = 400
OUTLYING = 4.0
"""Distance of a value from the median of five neighbours, in units of the noise, beyond which it is moved towards it."""


def local_scale(values: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """Return the standard deviation of a curve's noise at each checkpoint, in units of its median.

    It is 1 everywhere where the curve does not show that the noise varies.
    """
    count = len(values)
    if count < 4 * FEWEST_BESIDE:
        return np.ones(count)
    scale = roughness(values[:, None])[:, 0]
    if not np.all(np.isfinite(scale)) or np.ptp(np.log(scale)) <= largest_variation(count):
        return np.ones(count)
    return np.clip(scale, 1 / LARGEST_RATIO, LARGEST_RATIO)


@cache
def largest_variation(count: int) -> float:
    """Return the range of the logarithm of `roughness` that curves with noise of one size seldom exceed."""
    noise = np.random.default_rng(0).standard_normal((count, SIMULATED))
    return float(np.quantile(np.ptp(np.log(roughness(noise)), axis=0), SURE))


def roughness(columns: Float[np.ndarray, "N B"]) -> Float[np.ndarray, "N B"]:
    """Return the size of the third differences about each checkpoint, in units of the median over the checkpoints.

    It is the running median over a tenth of the curve on either side, smoothed likewise. A sharp step is in three differences
    of it.
    """
    beside = max(FEWEST_BESIDE, round(SHARE_OF_CURVE * len(columns)))
    sizes = np.abs(np.diff(columns, 3, axis=0))
    padded = np.pad(sizes, ((beside + 1, beside + 2), (0, 0)), mode="reflect")
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm = np.log(np.median(sliding_window_view(padded, 2 * beside + 1, axis=0), axis=-1))
        padded = np.pad(logarithm, ((beside, beside), (0, 0)), mode="edge")
        smooth = sliding_window_view(padded, 2 * beside + 1, axis=0).mean(axis=-1)
        return np.exp(smooth - np.median(smooth, axis=0))


def noise_size(values: Float[np.ndarray, " N"]) -> float:
    """Return the standard deviation of a curve's noise, from the median size of its third differences."""
    return float(np.median(np.abs(np.diff(values, 3)))) / NORMAL_MEDIAN / THIRD_DIFFERENCE if len(values) > 3 else np.inf


def without_outliers(values: Float[np.ndarray, " N"], sizes: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """Return a curve whose outliers lie as far from their neighbours as noise of a size does.

    An outlier is one or two checkpoints that depart from the median of five. A step or a steep trend holds none, because the
    median of a monotone stretch is its middle. The first and last two checkpoints are left as they are.
    """
    if len(values) < 5:
        return values
    middle = np.median(sliding_window_view(values, 5), axis=-1)
    bound = OUTLYING * sizes[2:-2]
    return np.concatenate([values[:2], np.clip(values[2:-2], middle - bound, middle + bound), values[-2:]])
