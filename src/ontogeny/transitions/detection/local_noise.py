"""The size of a curve's noise from place to place, from its third differences, and the outliers that it shows."""

import numpy as np
from jaxtyping import Float
from numpy.lib.stride_tricks import sliding_window_view
from numpy.polynomial.legendre import legvander

DEGREES = 3
"""Of the polynomial that the logarithm of the size of the noise is along a curve."""
FEWEST = 16
"""Checkpoints from which the size of the noise is looked at."""
SIGNIFICANT = 2.8
"""Two standard errors of a coefficient for white noise, times the root of the number of checkpoints."""
SMALLEST_SIZE = 0.1
"""A third difference counts as no smaller than this share of their median, and as no larger than one over it."""
NORMAL_MEDIAN = 0.6745
"""Median of the size of a standard normal variable."""
THIRD_DIFFERENCE = 20**0.5
"""Standard deviation of the third differences of white noise. Smooth trends hardly have any."""
OUTLYING = 4.0
"""Distance of a value from the median of five neighbours, in units of the noise, beyond which it is moved towards it."""


def varying_degrees(values: Float[np.ndarray, " N"]) -> tuple[int, ...]:
    """Return the degrees of the polynomial by which a curve shows that its noise varies; none where it does not."""
    if len(values) < FEWEST or not np.median(np.abs(np.diff(values, 3))):
        return ()
    sizes = np.abs(coefficients(values[:, None])[:, 0])
    return tuple((1 + np.flatnonzero(sizes > SIGNIFICANT / np.sqrt(len(values)))).tolist())


def roughness(columns: Float[np.ndarray, "N B"], degrees: tuple[int, ...]) -> Float[np.ndarray, "N B"]:
    """Return the size of the third differences along curves, in units of the median over the checkpoints.

    Its logarithm is a polynomial in the checkpoints' number, of some degrees.
    """
    count, chosen = len(columns), np.array(degrees, int)
    smooth = polynomials(np.arange(count), count)[:, chosen - 1] @ coefficients(columns)[chosen - 1]
    return np.exp(smooth - np.median(smooth, axis=0))


def coefficients(columns: Float[np.ndarray, "N B"]) -> Float[np.ndarray, "degrees B"]:
    """Return the coefficients of the logarithm of the size of third differences; a sharp step is in three of them."""
    sizes, count = np.abs(np.diff(columns, 3, axis=0)), len(columns)
    typical = np.median(sizes, axis=0)
    logarithm = np.log(np.clip(sizes, SMALLEST_SIZE * typical, typical / SMALLEST_SIZE))
    design = np.column_stack([np.ones(count - 3), polynomials(np.arange(count - 3) + 1.5, count)])
    return np.linalg.lstsq(design, logarithm, rcond=None)[0][1:]


def polynomials(places: Float[np.ndarray, " M"], count: int) -> Float[np.ndarray, "M degrees"]:
    """Return polynomials of mean square 1 over a curve."""
    return legvander(2 * places / (count - 1) - 1, DEGREES)[:, 1:] * np.sqrt(2 * np.arange(1, DEGREES + 1) + 1)


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
