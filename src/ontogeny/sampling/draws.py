"""Draws: what chains around checkpoints leave behind."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Array, Float, Int, PyTree, Shaped


@dataclass(frozen=True, kw_only=True)
class Draws:
    """The draws of the chains around K checkpoints, burn-in excluded, as the loss saw them.

    Attributes:
        values: L_b(w) - L_b(w*), read before the step that uses batch b; NaN where the chain is dead.
        baseline: L_n(w*) on the full data.
        gradient_norm: |∇L_n(w*)| on the full data, within the mask; 0 at a minimum.
        first_order: mean of ∇L_n(w*)·(w - w*) over the draws of each chain. At a minimum it is 0.
        inverse_temperature: nβ.
        localization: γ.
        n: the number of examples; None for a potential whose n was not given.
        dimension: the number of directions in which chains may move.
        steps: the labels of the checkpoints.
        collected: name -> what the function of that name in `collect` returned at the collected draws; every leaf has the
            leading axes [K, chains, ⌈draws / thin⌉].
    """

    values: Float[Array, "checkpoints chains draws"]
    baseline: Float[Array, " checkpoints"]
    gradient_norm: Float[Array, " checkpoints"]
    first_order: Float[Array, "checkpoints chains"]
    inverse_temperature: float
    localization: float
    n: int | None
    dimension: int
    steps: Int[np.ndarray, " checkpoints"]
    collected: Mapping[str, PyTree[Shaped[Array, "checkpoints chains collected ..."]]] = field(default_factory=dict)
