"""Measure from the draws alone how much the localisation decides λ̂.

On a quadratic, with s = nβ h / (nβ h + γ) in a direction of curvature h, λ̂ = Σ ½ s and Var(nβ L) = Σ ½ s². Their ratio is a mean
of s: near 1 the loss decides how far chains go, near 0 the localisation does. For L = w^2k without localisation nβ L has a gamma
distribution of shape 1 / 2k, so both are 1 / 2k and the ratio is 1. SIVE (arXiv 2606.22389) estimates the learning coefficient
from the same variance, which needs no baseline.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ontogeny.sampling import diagnostics
from ontogeny.sampling.draws import Draws

PerCheckpoint = Float[np.ndarray, " checkpoints"]
PerChain = Float[np.ndarray, "checkpoints chains"]


class Localisation(NamedTuple):
    """λ̂ beside the variance of the loss under the same posterior.

    Attributes:
        llc_variance: (nβ)² Var(L), which needs no baseline.
        llc_variance_standard_error: from the spread over chains; NaN with a single chain.
        share: 1 - llc_variance / λ̂, the share of λ̂ that the localisation decides; `held_by_localization` in tables.
        share_standard_error: from the spread over chains.
    """

    llc_variance: PerCheckpoint
    llc_variance_standard_error: PerCheckpoint
    share: PerCheckpoint
    share_standard_error: PerCheckpoint


def localisation(draws: Draws) -> Localisation:
    """Return how much the localisation decides at each checkpoint.

    The noise that batches add to the losses is white, so with minibatches the variance is extrapolated from the autocovariances
    at lags 1 and 2 to lag 0. Chains that are short or few vary less about their own mean than the posterior does: the variance of
    that mean, from the spread over chains, is added. NaN where no chain lives, or where there are too few draws.
    """
    values = draws.inverse_temperature * np.asarray(draws.values, np.float64)
    alive = ~diagnostics.dead(values)
    means = diagnostics.chain_means(values)
    mean = diagnostics.nan_mean(means, axis=1)
    live = alive.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance_of_mean = np.nan_to_num(diagnostics.nan_deviation(means, axis=1) ** 2 / live)
        centred = np.where(alive[..., None], values, np.nan) - mean[:, None, None]
        per_chain = spread(centred, has_batches=draws.batch_size is not None) + variance_of_mean[:, None]
        variance = diagnostics.nan_mean(per_chain, axis=1)
        ratio = variance / mean
        return Localisation(
            variance,
            error_of_mean(per_chain, live),
            1 - ratio,
            error_of_mean((per_chain - ratio[:, None] * means) / mean[:, None], live),
        )


def spread(
    centred: Float[np.ndarray, "checkpoints chains draws"], *, has_batches: bool
) -> Float[np.ndarray, "checkpoints chains"]:
    """Return the variance of each chain about a common mean, without the white noise of batches."""
    if not has_batches:
        return np.mean(centred**2, axis=-1)
    if centred.shape[-1] < 3:
        return np.full(centred.shape[:2], np.nan)
    first, second = (np.mean(centred[..., lag:] * centred[..., :-lag], axis=-1) for lag in (1, 2))
    return 2 * first - second


def error_of_mean(values: PerChain, live: np.ndarray) -> PerCheckpoint:
    return diagnostics.nan_deviation(values, axis=1) / np.sqrt(live)
