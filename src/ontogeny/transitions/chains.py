"""How the errors of λ̂ go together along a run: common random numbers make neighbouring checkpoints err alike."""

import numpy as np
from jaxtyping import Float
from scipy.optimize import nnls

REACHES = 2.0 ** np.arange(7)
"""Distances, in checkpoints, over which a shared error may fade."""
FEWEST_CHAINS = 3


def chain_covariance(
    per_chain: Float[np.ndarray, "K C"], standard_error: Float[np.ndarray, "K"]
) -> Float[np.ndarray, "K K"] | None:
    """The covariance of the errors of λ̂ between checkpoints, from how chain by chain it departs from the mean.

    A few chains give a matrix of low rank, so only the correlation's decay with the distance between checkpoints is taken from
    them: a part that all checkpoints share, a part that fades exponentially, and a part of each checkpoint alone.

    Args:
        per_chain: λ̂ of each chain, with the same random numbers at every checkpoint; NaN for the dead.
        standard_error: of the mean; the covariance has its squares on the diagonal.

    Returns:
        None where fewer than three chains live throughout, or an error is missing: then nothing is known of what they share.
    """
    living = per_chain[:, np.isfinite(per_chain).all(axis=0)]
    if living.shape[1] < FEWEST_CHAINS or len(living) < 3 or not np.all(np.isfinite(standard_error) & (standard_error > 0)):
        return None
    residuals = living - living.mean(axis=1, keepdims=True)
    residuals = residuals / np.linalg.norm(residuals, axis=1, keepdims=True)
    if not np.all(np.isfinite(residuals)):
        return None
    sample = residuals @ residuals.T
    distance = np.abs(np.subtract.outer(np.arange(len(sample)), np.arange(len(sample))))
    return decaying(sample, distance) * np.outer(standard_error, standard_error)


def decaying(sample: Float[np.ndarray, "K K"], distance: np.ndarray) -> Float[np.ndarray, "K K"]:
    """The correlation a + c exp(-distance / reach) off the diagonal closest to a sample's, with a, c ≥ 0 and a + c ≤ 1."""
    apart = np.arange(1, len(sample))
    pairs = len(sample) - apart
    means = np.array([np.diagonal(sample, offset).mean() for offset in apart])
    weights = np.sqrt(pairs)
    fits = []
    for reach in REACHES:
        shapes = np.column_stack([np.ones(len(apart)), np.exp(-apart / reach)])
        shares, left = nnls(shapes * weights[:, None], means * weights)
        fits.append((float(left), reach, shares / max(1.0, shares.sum())))
    _, reach, (common, fading) = min(fits, key=lambda fit: fit[0])
    correlation = common + fading * np.exp(-distance / reach)
    np.fill_diagonal(correlation, 1.0)
    return correlation
