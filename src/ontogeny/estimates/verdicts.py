"""Which checks of the chains an estimate passes. An estimate that fails one is kept, and marked."""

import numpy as np
from jaxtyping import Float, Int

PerCheckpoint = Float[np.ndarray, " checkpoints"]

LARGEST_R_HAT = 1.1


SMALLEST_SAMPLE_PER_CHAIN = 10


LARGEST_DRIFT = 3.0


LARGEST_SHARE_BELOW = 0.2


LARGEST_FIRST_ORDER = 0.2


def verdicts(
    mean: PerCheckpoint,
    *,
    dead_chains: Int[np.ndarray, " checkpoints"],
    chains: int,
    r_hat: PerCheckpoint,
    sample_size: PerCheckpoint,
    drift: PerCheckpoint,
    share_below: PerCheckpoint,
    first_order: PerCheckpoint,
    dimension: int,
) -> list[str]:
    """ "ok", or the checks that failed at each checkpoint, by the names of their columns and separated by commas.

    The checks: `negative` (λ̂ < 0), `dead_chains` > 0, `r_hat` > 1.1 (Gelman et al.), `effective_sample_size` < 10 per
    live chain, |`drift`| > 3, `share_below` > 0.2, |`first_order`| > 0.2 of the rest of λ̂ (w* is no minimum, and the slope
    decides the value), `dimension` (λ̂ above the number of directions, twice what a regular minimum has: the step is too
    long, or w* is far from a minimum); `all chains dead` stands alone. A check that cannot be made (NaN: too
    few draws) counts as failed.
    """
    failed = {
        "dimension": mean > dimension,
        "negative": mean < 0,
        "dead_chains": dead_chains > 0,
        "r_hat": ~(r_hat <= LARGEST_R_HAT),
        "effective_sample_size": ~(sample_size >= SMALLEST_SAMPLE_PER_CHAIN * (chains - dead_chains)),
        "drift": ~(np.abs(drift) <= LARGEST_DRIFT),
        "share_below": ~(share_below <= LARGEST_SHARE_BELOW),
        "first_order": ~(np.abs(first_order) <= LARGEST_FIRST_ORDER * np.abs(mean - first_order)),
    }
    return [
        "all chains dead" if dead_chains[place] == chains else ", ".join(name for name in failed if failed[name][place]) or "ok"
        for place in range(len(mean))
    ]
