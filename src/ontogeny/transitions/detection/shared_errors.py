"""The covariance of the errors of λ̂ along a run: with common random numbers, neighbouring checkpoints err alike."""

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import nnls
from scipy.special import digamma

REACHES = 2.0 ** np.arange(7)
"""Distances, in checkpoints, over which a shared error may fade."""
FEWEST_CHAINS = 3
ROUNDING = 1e-12
NEIGHBOURS = 6
"""Checkpoints on either side whose errors are pooled."""


def chain_covariance(
    per_chain: Float[np.ndarray, "K C"], standard_error: Float[np.ndarray, " K"]
) -> Float[np.ndarray, "K K"] | None:
    """Return the covariance of the errors of λ̂ between checkpoints, from how each chain departs from the mean.

    A few chains give a matrix of low rank. So only the decay of the correlation with the distance between checkpoints is taken
    from them: a part that all checkpoints share, a part that fades exponentially, and a part that each checkpoint has alone.

    Args:
        per_chain: λ̂ of each chain, with the same random numbers at every checkpoint; NaN for the dead.
        standard_error: of the mean. An error from few chains is itself known to a quarter, so the errors of neighbours are
            pooled; unpooled, far more curves without a transition are flagged. None is pooled below its own size (`pooled`).
            Where the chains' own spread, pooled likewise, is larger, it is taken instead.

    Returns:
        NaN at checkpoints where a chain is dead, all chains agree, or the error is missing. None where fewer than three chains,
        or fewer than three other checkpoints, are left: what they share is then not known.
    """
    if per_chain.shape[1] < FEWEST_CHAINS:
        return None
    spread = np.linalg.norm(per_chain - per_chain.mean(axis=1, keepdims=True), axis=1)
    # This comparison is also false for NaN, where a chain is dead.
    usable = np.isfinite(standard_error) & (standard_error > 0) & (spread > ROUNDING * np.abs(per_chain).max(axis=1))
    index = np.flatnonzero(usable)
    if len(index) < 3:
        return None
    residuals = per_chain[usable] - per_chain[usable].mean(axis=1, keepdims=True)
    sizes = spread[usable, None]
    sample = (residuals / sizes) @ (residuals / sizes).T
    correlation = decaying(sample, np.abs(np.subtract.outer(index, index)), len(per_chain))
    errors = np.full(len(per_chain), np.nan)
    freedom = per_chain.shape[1] - 1
    own = sizes[:, 0] / np.sqrt(freedom * per_chain.shape[1])
    errors[usable] = np.maximum(pooled(standard_error[usable], 1.0), pooled(own, geometric_bias(freedom)))
    return correlation * np.outer(errors, errors)


def pooled(errors: Float[np.ndarray, "U ..."], bias: float) -> Float[np.ndarray, "U ..."]:
    """Return errors pooled over neighbours, none below a checkpoint's own.

    Where chains mix slowly on a few checkpoints, the errors of the neighbours are too small.

    Args:
        bias: the factor by which pooling makes the errors too small.
    """
    return np.maximum(bias * smoothed(errors), errors)


def pooled_spread(chains: Float[np.ndarray, "N B C"]) -> Float[np.ndarray, "N B"]:
    """Return the pooled standard error of the mean of C chains, of B curves."""
    freedom = chains.shape[-1] - 1
    return pooled(chains.std(axis=-1, ddof=1) / np.sqrt(freedom + 1), geometric_bias(freedom))


def smoothed(errors: Float[np.ndarray, "U ..."]) -> Float[np.ndarray, "U ..."]:
    """Return the root of the geometric mean of the variances of each checkpoint and of six on either side."""
    sums = np.concatenate([np.zeros_like(errors[:1]), np.cumsum(np.log(errors), axis=0)])
    index = np.arange(len(errors))
    first, last = np.maximum(index - NEIGHBOURS, 0), np.minimum(index + NEIGHBOURS + 1, len(errors))
    counts = (last - first).reshape(-1, *[1] * (errors.ndim - 1))
    return np.exp((sums[last] - sums[first]) / counts)


def geometric_bias(freedom: int) -> float:
    """Return the factor by which the root of a geometric mean of estimated variances is too small.

    Each variance is estimated with `freedom` degrees of freedom. The mean of the logarithm of a chi-squared variable of ν
    degrees of freedom is ψ(ν/2) + log 2.
    """
    return float(np.exp((np.log(freedom / 2) - digamma(freedom / 2)) / 2))


def decaying(sample: Float[np.ndarray, "U U"], distance: Int[np.ndarray, "U U"], count: int) -> Float[np.ndarray, "K K"]:
    """Return the correlation a + c exp(-distance / reach) off the diagonal that is closest to a sample's.

    The shares a and c are not negative, and a + c ≤ 1. The result is for `count` checkpoints.
    """
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
