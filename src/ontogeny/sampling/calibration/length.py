"""How many draws chains need: they run at a few checkpoints, longer and longer, until their mean is known well enough.

The random numbers of a chain do not depend on how long it runs, so a longer run repeats the shorter one and goes on.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Array, Key

from ontogeny.arrays.flat import Checkpoints
from ontogeny.sampling import diagnostics
from ontogeny.sampling.chains import sample
from ontogeny.sampling.draws import Draws
from ontogeny.sampling.kernels.kernel import Kernel
from ontogeny.sampling.target import Target

RELATIVE_ERROR = 0.05
"""The standard error that is asked for, as a share of λ̂."""
SAMPLE_PER_CHAIN, R_HAT = 10, 1.1
"""Independent draws that a chain should have, and what R-hat may be."""
FIRST_DRAWS, MOST_DRAWS = 200, 10_000
ROUNDED_TO = 50


class Length(NamedTuple):
    """How many draws chains were given.

    Attributes:
        draws: of each chain.
        would_do: about how many draws would do, where the cap stopped the chains earlier; None where `draws` suffice.
    """

    draws: int
    would_do: int | None


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


def sample_long_enough(
    target: Target,
    checkpoints: Checkpoints,
    sampler: Kernel,
    *,
    key: Key[Array, ""],
    relative_error: float = RELATIVE_ERROR,
    first_draws: int = FIRST_DRAWS,
    most_draws: int = MOST_DRAWS,
    **options: Any,
) -> tuple[Draws, Length]:
    """Return draws that know λ̂ well enough at every checkpoint, or as many as the cap allows.

    Chains have the same number of draws at all checkpoints. They are long enough where every chain has 10 independent draws,
    R-hat is at most 1.1, and the standard error is at most `relative_error` of λ̂.

    Args:
        target, checkpoints, sampler, key, options: as in `sample`.
        relative_error: the standard error that is asked for, as a share of λ̂.
        first_draws: draws of the first run.
        most_draws: the cap.
    """
    draws = min(first_draws, most_draws)
    while True:
        drawn = sample(target, checkpoints, sampler, key=key, draws=draws, **options)
        needed = draws_that_would_do(drawn.values, relative_error)
        if needed is None or draws >= most_draws:
            return drawn, Length(draws, needed)
        longer = max(1.5 * draws, 1.2 * needed)
        draws = int(min(most_draws, ROUNDED_TO * math.ceil(longer / ROUNDED_TO)))
