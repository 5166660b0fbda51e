"""Find how many draws chains need: run them longer and longer at a few checkpoints until their mean is known well enough.

The random numbers of a chain do not depend on how long it runs, so a longer run repeats the shorter one and goes on.
"""

import math
from typing import Any, NamedTuple

from jaxtyping import Array, Key

from ontogeny.arrays.flat import Checkpoints
from ontogeny.sampling.chains import sample
from ontogeny.sampling.draws import Draws
from ontogeny.sampling.kernels.kernel import Kernel
from ontogeny.sampling.sufficiency import RELATIVE_ERROR, draws_that_would_do
from ontogeny.sampling.target import Target

FIRST_DRAWS, MOST_DRAWS = 200, 10_000
ROUNDED_TO = 50


class Length(NamedTuple):
    """Hold how many draws chains were given.

    Attributes:
        draws: of each chain.
        would_do: about how many draws would do, where the cap stopped the chains earlier; None where `draws` suffice.
    """

    draws: int
    would_do: int | None


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
