"""Which training steps are kept as checkpoints, and which of them are sampled."""

from collections.abc import Sequence

import numpy as np

from ontogeny.config import Checkpoints


def checkpoint_steps(checkpoints: Checkpoints, steps: int) -> tuple[int, ...]:
    """Return the steps to keep, increasing: linear, logarithmic and every-so-many united, with 0 and `steps` always there.

    `linear` and `logarithmic` count checkpoints after step 0, so `linear: 150` over 225,000 steps keeps one every 1,500.
    """
    kept = {0, steps}
    if checkpoints.linear:
        kept |= {round(step) for step in np.linspace(0, steps, checkpoints.linear + 1)}
    if checkpoints.logarithmic:
        kept |= {round(step) for step in np.geomspace(1, steps, checkpoints.logarithmic)}
    if checkpoints.every:
        kept |= set(range(0, steps + 1, checkpoints.every))
    return tuple(sorted(kept))


def sampled_steps(kept: Sequence[int], count: int | None) -> tuple[int, ...]:
    """Return `count` of the kept steps, evenly spread over their order, the first and the last among them; all for None."""
    if count is None or count >= len(kept):
        return tuple(kept)
    return tuple(kept[round(place)] for place in np.linspace(0, len(kept) - 1, count))


def consecutive(steps: Sequence[int], size: int) -> tuple[tuple[int, ...], ...]:
    """Return the steps in consecutive tuples of at most `size`."""
    return tuple(tuple(steps[start : start + size]) for start in range(0, len(steps), size))
