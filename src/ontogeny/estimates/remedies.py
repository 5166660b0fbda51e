"""Say what would mend a failed check, with a number."""

import math
from typing import Protocol

import numpy as np
from jaxtyping import Float, Int

from ontogeny.estimates.verdicts import ALL_DEAD, Failed
from ontogeny.sampling.sufficiency import draws_that_would_do


class StepBias(Protocol):
    """What is known of the bias of a step: the fields of `Stability` of the same names."""

    @property
    def bias(self) -> float: ...
    @property
    def whole_bias(self) -> float | None: ...
    @property
    def largest_bias(self) -> float: ...
    @property
    def longest_step(self) -> float | None: ...


class Checked(Protocol):
    """What remedies follow from: the fields of `Estimate` of the same names."""

    @property
    def mean(self) -> Float[np.ndarray, " checkpoints"]: ...
    @property
    def trace(self) -> Float[np.ndarray, "checkpoints chains draws"]: ...
    @property
    def dead_chains(self) -> Int[np.ndarray, " checkpoints"]: ...
    @property
    def failed(self) -> Failed: ...
    @property
    def stability(self) -> StepBias | None: ...


CHECKS_OF_LENGTH = ("effective_sample_size", "r_hat", "drift")


def remedies(estimate: Checked) -> list[str]:
    """Return a sentence for each kind of failed check that has a remedy: where it fails, and what would do."""
    sentences = []
    count = len(estimate.mean)
    too_short = np.any([estimate.failed[name] for name in CHECKS_OF_LENGTH], axis=0)
    if too_short.any():
        needed = draws_that_would_do(estimate.trace, math.inf)
        chains = f"chains are too short at {too_short.sum()} of {count} checkpoints"
        sentences.append(f"{chains}: about {rounded(needed or 2 * estimate.trace.shape[-1]):,} draws would do")
    stability = estimate.stability
    if "step_size" in estimate.failed and stability is not None and stability.longest_step is not None:
        bias = stability.bias if stability.whole_bias is None else stability.whole_bias
        step = f"step_size {stability.longest_step:.2g} keeps the stiffest direction within {100 * stability.largest_bias:g}%"
        sentences.append(f"the step biases λ̂ by {100 * bias:.0f}%: {step}; extrapolate=True takes the first order of it out")
    if estimate.failed["dead_chains"].any() or estimate.failed[ALL_DEAD].any():
        places = int((estimate.dead_chains > 0).sum())
        sentences.append(f"chains die at {places} of {count} checkpoints: halve step_size or raise localization")
    if estimate.failed["first_order"].any():
        places = int(estimate.failed["first_order"].sum())
        sentences.append(
            f"the gradient at w* decides λ̂ at {places} of {count} checkpoints, since w* is no minimum there: llc_variance needs "
            "none, and projection='gradient' leaves its direction out"
        )
    return sentences


def rounded(draws: int) -> int:
    """Return a number of draws rounded up to two digits."""
    unit = 10 ** max(0, len(str(draws)) - 2)
    return math.ceil(draws / unit) * unit
