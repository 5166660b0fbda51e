"""The health of chains: R-hat, effective sample size, drift, draws below L(w*), dead chains, and the error of a mean.

Draws come as `Draws.values`: [K, chains, draws], NaN where a chain is dead. A chain with a NaN among its draws is left out of
everything.
"""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import stdtrit

Trace = Float[np.ndarray, "checkpoints chains draws"]
Chains = Float[np.ndarray, "chains draws"]
PerCheckpoint = Float[np.ndarray, " checkpoints"]

STRETCHES = 20
"""Stretches of a trace whose means `share_below` compares with L(w*)."""


def dead(trace: Trace) -> Bool[np.ndarray, "checkpoints chains"]:
    """Return which chains met a value that is not finite."""
    return np.asarray(~np.isfinite(trace).all(axis=-1))


def split_r_hat(trace: Trace) -> PerCheckpoint:
    """Return Gelman and Rubin's R-hat over the halves of the live chains (BDA3, section 11.4): ArviZ's `method="split"`."""
    return over_live_chains(potential_scale_reduction, trace)


def effective_sample_size(trace: Trace) -> PerCheckpoint:
    """Return the number of independent draws with the same error of the mean, over the halves of the live chains.

    It is that of Geyer's initial monotone sequence with the variance between chains included, as in Stan and ArviZ's
    `method="mean"`. 0 for a constant trace, NaN where no chain lives.
    """
    return over_live_chains(independent_draws, trace)


def over_live_chains(diagnostic: Callable[[Chains], float], trace: Trace) -> PerCheckpoint:
    """Return a diagnostic of the halves of the live chains at each checkpoint; NaN where none lives or draws are too few."""
    alive, half = ~dead(trace), trace.shape[-1] // 2
    if half < 2:
        return np.full(len(trace), np.nan)
    halves = [values[living, : 2 * half].reshape(-1, half) for values, living in zip(trace, alive, strict=True)]
    return np.array([diagnostic(chains) if len(chains) else np.nan for chains in halves])


def potential_scale_reduction(chains: Chains) -> float:
    """Return R-hat; NaN where no chain moves."""
    draws = chains.shape[1]
    within, between = chains.var(axis=1, ddof=1).mean(), chains.mean(axis=1).var(ddof=1)
    return math.sqrt((draws - 1) / draws + between / within) if within > 0 else math.nan


def independent_draws(chains: Chains) -> float:
    """Return the effective sample size (Geyer 1992; BDA3, section 11.5).

    By NumPy: the functions of libraries take a second to import and compile, for a hundredth of a second of work.
    """
    count, draws = chains.shape
    covariance = autocovariance(chains).mean(axis=0)
    within = covariance[0] * draws / (draws - 1)
    total = covariance[0] + chains.mean(axis=1).var(ddof=1)
    if not total > 0:
        return 0.0
    correlation = 1 - (within - covariance) / total
    correlation[0] = 1
    pairs = correlation[: max((draws - 1) // 2 * 2, 2)].reshape(-1, 2).sum(axis=1)
    end = len(pairs) - 1 if (pairs > 0).all() else int(np.argmin(pairs > 0))
    # As in Stan, the even lag of the pair where the sequence ends counts once, if positive.
    last = max(correlation[2 * end], 0.0)
    time = 2 * np.minimum.accumulate(pairs[:end]).sum() - 1 + last
    size = count * draws
    return float(size / max(time, 1 / math.log10(size)))


def autocovariance(chains: Chains) -> Chains:
    """Return the autocovariance of every chain at each lag, divided by the number of draws, by the Fourier transform."""
    draws = chains.shape[1]
    spectrum = np.fft.rfft(chains - chains.mean(axis=1, keepdims=True), 2 * draws)
    return np.fft.irfft(np.abs(spectrum) ** 2, 2 * draws)[:, :draws] / draws


def standard_error(trace: Trace, sample_size: PerCheckpoint) -> PerCheckpoint:
    """Return the error of the mean over live chains and draws: the larger of two estimates.

    - between chains: the standard deviation of the chains' means over √chains. It holds whatever the autocorrelation, but
      has `chains - 1` degrees of freedom only;
    - within chains: the standard deviation of the draws over √(effective sample size), the Monte Carlo standard error
      of Stan and ArviZ. It is precise once chains mix, and too small while they have not.

    Either alone is too small in a case that happens. The larger is somewhat too large when both are right. NaN where no
    chain lives.
    """
    alive = ~dead(trace)
    means = chain_means(trace)
    chains = alive.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        between = nan_deviation(means, axis=1) / np.sqrt(chains)
        within = deviation(trace) / np.sqrt(sample_size)
    return np.fmax(between, within)


def interval(
    per_chain: Float[np.ndarray, "checkpoints chains"], level: float = 0.95
) -> tuple[Float[np.ndarray, " checkpoints"], Float[np.ndarray, " checkpoints"]]:
    """Return the interval for the mean from the means of the live chains, by Student's t with `live chains - 1` degrees of
    freedom.

    Chains are independent, so it holds whatever the autocorrelation. NaN where fewer than two chains live.

    Raises:
        ValueError: `level` does not lie between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"level: must lie between 0 and 1, got {level}")
    live = np.isfinite(per_chain).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        quantile = stdtrit(np.where(live > 1, live - 1, np.nan), (1 + level) / 2)
        half = quantile * nan_deviation(per_chain, axis=1) / np.sqrt(live)
    mean = nan_mean(per_chain, axis=1)
    return mean - half, mean + half


def chain_means(trace: Trace) -> Float[np.ndarray, "checkpoints chains"]:
    """Return the mean of every chain, NaN for the dead."""
    return np.where(dead(trace), np.nan, np.where(np.isfinite(trace), trace, 0).mean(axis=-1))


def deviation(trace: Trace) -> PerCheckpoint:
    """Return the standard deviation of all draws of the live chains."""
    return nan_deviation(np.where(dead(trace)[..., None], np.nan, trace).reshape(len(trace), -1), axis=1)


def nan_mean(values: np.ndarray, axis: int) -> np.ndarray:
    """Return the mean of what is not NaN; NaN, without a warning, where nothing is left."""
    count = np.isfinite(values).sum(axis=axis)
    return np.where(count > 0, np.nansum(values, axis=axis) / np.maximum(count, 1), np.nan)


def nan_deviation(values: np.ndarray, axis: int) -> np.ndarray:
    """Return the sample standard deviation of what is not NaN; NaN where fewer than two are left."""
    count = np.isfinite(values).sum(axis=axis)
    squares = np.nansum((values - np.expand_dims(nan_mean(values, axis), axis)) ** 2, axis=axis)
    return np.where(count > 1, np.sqrt(squares / np.maximum(count - 1, 1)), np.nan)


def drift(trace: Trace) -> PerCheckpoint:
    """Return the mean of the last third of the trace minus that of its middle third, in standard errors of that difference.

    The error is the larger of two, as in `standard_error`: from the standard deviation of the chains' own differences, and from
    the effective sample sizes of the two thirds (that of the whole trace shrinks when the trace drifts).
    """
    third = trace.shape[-1] // 3
    if third == 0:
        return np.full(len(trace), np.nan)
    alive = ~dead(trace)
    thirds = [np.where(alive[..., None], trace[..., start : start + third], np.nan) for start in (third, 2 * third)]
    differences = chain_means(thirds[1]) - chain_means(thirds[0])
    with np.errstate(invalid="ignore", divide="ignore"):
        between = nan_deviation(differences, axis=1) / np.sqrt(alive.sum(axis=1))
        within = np.hypot(*(deviation(part) / np.sqrt(effective_sample_size(part)) for part in thirds))
        return nan_mean(differences, axis=1) / np.fmax(between, within)


def share_below(trace: Trace) -> PerCheckpoint:
    """Return the share of the live chains' stretches whose mean loss is below that of w* on the same batches.

    A large share means that w* is no minimum. A stretch is a twentieth of a trace: a single draw on a minibatch is often below by
    the noise of the batch alone.
    """
    stretches = min(STRETCHES, trace.shape[-1])
    width = trace.shape[-1] // stretches
    means = trace[..., : stretches * width].reshape(*trace.shape[:2], stretches, width).mean(axis=-1)
    return nan_mean(np.where(~dead(trace), (means < 0).mean(axis=-1), np.nan), axis=1)
