"""Estimate about how many draws would do, where chains have too few."""

import math

import numpy as np

from ontogeny.sampling import diagnostics

RELATIVE_ERROR = 0.05
"""The standard error that is asked for, as a share of λ̂."""
SAMPLE_PER_CHAIN, R_HAT = 10, 1.1
"""Independent draws that a chain should have, and what R-hat may be."""


def draws_that_would_do(values: diagnostics.Trace, relative_error: float = RELATIVE_ERROR) -> int | None:
    """Return about how many draws a chain needs at the checkpoint that needs most; None where there are enough everywhere.

    The effective sample size grows with the draws, and the standard error falls with their square root. Checkpoints where all
    chains are dead ask for none, nor do those where the mean is within three errors of 0 by their error. A failing R-hat asks for
    twice the draws.

    Args:
        values: as `Draws.values`.
        relative_error: the standard error that is asked for, as a share of the mean; infinity to ask for none.
    """
    values = np.asarray(values, np.float64)
    live = (~diagnostics.dead(values)).sum(axis=1)
    size = diagnostics.effective_sample_size(values)
    mean = diagnostics.nan_mean(diagnostics.chain_means(values), axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        by_size = SAMPLE_PER_CHAIN * live / size
        relative = diagnostics.standard_error(values, size) / np.abs(mean)
    by_error = np.where(relative < 1 / 3, (relative / relative_error) ** 2, 0)
    by_agreement = np.where(diagnostics.split_r_hat(values) > R_HAT, 2.0, 0.0)
    factor = np.nanmax(np.where(live > 0, np.fmax(np.fmax(by_size, by_error), by_agreement), 0), initial=0.0)
    return None if factor <= 1 else math.ceil(min(factor, 1e6) * values.shape[-1])
