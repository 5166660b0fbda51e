"""How the errors of λ̂ go together along a run: common random numbers make neighbouring checkpoints err alike."""

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import nnls
from scipy.special import digamma

REACHES = 2.0 ** np.arange(7)
"""Distances, in checkpoints, over which a shared error may fade."""
FEWEST_CHAINS = 3
ROUNDING = 1e-12
NEIGHBOURS = 6


def chain_covariance(
    per_chain: Float[np.ndarray, "K C"], standard_error: Float[np.ndarray, " K"]
) -> Float[np.ndarray, "K K"] | None:
    """The covariance of the errors of λ̂ between checkpoints, from how chain by chain it departs from the mean.

    A few chains give a matrix of low rank, so only the correlation's decay with the distance between checkpoints is taken from
    them: a part that all checkpoints share, a part that fades exponentially, and a part of each checkpoint alone.

    Args:
        per_chain: λ̂ of each chain, with the same random numbers at every checkpoint; NaN for the dead.
        standard_error: of the mean. From few chains it is itself known to a quarter, so those of neighbours are pooled: taken as
            they are, they make far more curves without a transition look as though they had one. Where the chains' own
            spread, pooled likewise, is larger, it is taken instead.

    Returns:
        NaN at checkpoints where a chain is dead, all agree, or the error is missing. None where fewer than three chains, or
        three of the others, are left: then nothing is known of what they share.
    """
    if per_chain.shape[1] < FEWEST_CHAINS:
        return None
    spread = np.linalg.norm(per_chain - per_chain.mean(axis=1, keepdims=True), axis=1)
    # Written so that NaN, where a chain is dead, is not usable either.
    usable = np.isfinite(standard_error) & (standard_error > 0) & (spread > ROUNDING * np.abs(per_chain).max(axis=1))
    places = np.flatnonzero(usable)
    if len(places) < 3:
        return None
    residuals = per_chain[usable] - per_chain[usable].mean(axis=1, keepdims=True)
    sizes = spread[usable, None]
    sample = (residuals / sizes) @ (residuals / sizes).T
    correlation = decaying(sample, np.abs(np.subtract.outer(places, places)), len(per_chain))
    errors = np.full(len(per_chain), np.nan)
    freedom = per_chain.shape[1] - 1
    own = smoothed(sizes[:, 0] / np.sqrt(freedom * per_chain.shape[1])) * geometric_bias(freedom)
    errors[usable] = np.maximum(smoothed(standard_error[usable]), own)
    return correlation * np.outer(errors, errors)


def smoothed(errors: Float[np.ndarray, " U"]) -> Float[np.ndarray, " U"]:
    """The root of the geometric mean of the variances of each checkpoint and of six on either side."""
    sums = np.concatenate([[0], np.cumsum(np.log(errors))])
    places = np.arange(len(errors))
    first, last = np.maximum(places - NEIGHBOURS, 0), np.minimum(places + NEIGHBOURS + 1, len(errors))
    return np.exp((sums[last] - sums[first]) / (last - first))


def geometric_bias(freedom: int) -> float:
    """By how much the root of a geometric mean of variances, each estimated with some degrees of freedom, is too small.

    The mean of the logarithm of a chi-squared variable of ν degrees of freedom is ψ(ν/2) + log 2.
    """
    return float(np.exp((np.log(freedom / 2) - digamma(freedom / 2)) / 2))


def decaying(sample: Float[np.ndarray, "U U"], distance: Int[np.ndarray, "U U"], count: int) -> Float[np.ndarray, "K K"]:
    """The correlation a + c exp(-distance / reach) off the diagonal closest to a sample's, a, c ≥ 0, a + c ≤ 1, of K places."""
    pairs = np.triu_indices(len(sample), 1)
    numbers = np.bincount(distance[pairs])
    sums = np.bincount(distance[pairs], weights=sample[pairs])
    apart = np.flatnonzero(numbers)
    means, weights = sums[apart] / numbers[apart], np.sqrt(numbers[apart])
    fits = []
    for reach in REACHES:
        shapes = np.column_stack([np.ones(len(apart)), np.exp(-apart / reach)])
        shares, left = nnls(shapes * weights[:, None], means * weights)
        fits.append((float(left), reach, shares / max(1.0, shares.sum())))
    _, reach, (common, fading) = min(fits, key=lambda fit: fit[0])
    index = np.arange(count)
    correlation = common + fading * np.exp(-np.abs(np.subtract.outer(index, index)) / reach)
    np.fill_diagonal(correlation, 1.0)
    return correlation
