"""Judge the settings of a sampler at several checkpoints and components at once, and recommend one set for all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool

from ontogeny.estimates.llc import Estimate
from ontogeny.sampling.calibration.stability import LARGEST_WHOLE_BIAS

LARGEST_ERROR = 0.15
"""Standard error up to which the share from the draws is used; beyond it, that of the Hessian is."""
SEVERAL_BASINS, LARGEST_VARIANCE, ERRORS = "several_basins", 1.5, 2
"""A check of a sweep alone: (nβ)² Var(L) exceeds λ̂ by this factor and two standard errors. In one basin it does not exceed λ̂ by
much, whatever the curvature; chains that visit basins of unequal loss have a larger variance."""
CHECKS_OF_THE_CHECKPOINT = ("first_order", "share_below", "negative")
"""Checks that fail where w* is no minimum, however well the chains mix."""


@dataclass(frozen=True, kw_only=True, eq=False)
class JudgedCell:
    """λ̂ at one setting.

    Attributes:
        step_size, inverse_temperature, localization: ε, nβ and γ.
        estimates: component -> λ̂ at K checkpoints; "" is the whole network.
        share_by_hessian: the share of λ̂ that γ decides on a quadratic with the spectrum of the Hessian, at each checkpoint.
        set_aside: (check, component, place of the checkpoint) that count against no cell, see `judged`.
    """

    step_size: float
    inverse_temperature: float
    localization: float
    estimates: Mapping[str, Estimate]
    share_by_hessian: Sequence[float]
    set_aside: frozenset[tuple[str, str, int]] = frozenset()

    @property
    def failed(self) -> frozenset[tuple[str, str, int]]:
        """(check, component, place of the checkpoint) of each check that fails."""
        return frozenset(
            (check, component, int(place))
            for component, estimate in self.estimates.items()
            for check, fails in {**estimate.failed, SEVERAL_BASINS: visits_several_basins(estimate)}.items()
            for place in np.flatnonzero(fails)
        )

    @property
    def counted(self) -> frozenset[tuple[str, str, int]]:
        """Those of the failed checks that count against the cell."""
        return self.failed - self.set_aside

    @property
    def passes(self) -> bool:
        """Whether λ̂ passes every check that counts, at every checkpoint, of every component."""
        return not self.counted

    @property
    def failures(self) -> dict[tuple[str, str], int]:
        """(check, component) -> at how many checkpoints it fails, of the checks that count."""
        failing = sorted((component, check) for check, component, _ in self.counted)
        return {(check, component): failing.count((component, check)) for component, check in failing}

    @property
    def shares(self) -> list[tuple[float, float]]:
        """The share of λ̂ that γ decides at each checkpoint, with its error: from the draws, else from the Hessian."""
        whole = self.estimates[""]
        measured = zip(whole.held_by_localization, whole.held_by_localization_standard_error, self.share_by_hessian, strict=True)
        return [(float(own), float(error)) if error <= LARGEST_ERROR else (hessian, 0.0) for own, error, hessian in measured]

    @property
    def share(self) -> tuple[float, float]:
        """The largest of the shares over the checkpoints, with its error."""
        return max(self.shares)


def visits_several_basins(estimate: Estimate) -> Bool[np.ndarray, " checkpoints"]:
    """Return whether the loss varies more than within one basin, at the checkpoints that pass every other check.

    Chains that have not settled, and a slope at w*, make the variance larger, too.
    """
    share, error = estimate.held_by_localization, estimate.held_by_localization_standard_error
    passes = ~np.any(list(estimate.failed.values()), axis=0)
    return passes & (1 - share - ERRORS * error > LARGEST_VARIANCE)


def judged(cells: Sequence[JudgedCell]) -> list[JudgedCell]:
    """Return the cells with the checks set aside that tell of a checkpoint and not of a setting.

    These are the checks that w* is a minimum, where every cell fails them at that checkpoint.
    """
    everywhere = frozenset.intersection(*(cell.failed for cell in cells))
    aside = frozenset(place for place in everywhere if place[0] in CHECKS_OF_THE_CHECKPOINT)
    return [replace(cell, set_aside=aside) for cell in cells]


def recommended(cells: Sequence[JudgedCell]) -> JudgedCell | None:
    """Return the passing cell in which the localisation decides least at the checkpoint where it decides most.

    Cells whose share is within one standard error of the smallest are equal. Of these it is the one with the largest nβ, where
    chains stay nearest to w*, and then the one with the largest step. None where no cell passes.
    """
    passing = [cell for cell in cells if cell.passes]
    if not passing:
        return None
    share, error = min(cell.share for cell in passing)
    equal = [cell for cell in passing if cell.share[0] - share <= np.hypot(error, cell.share[1])]
    return max(equal, key=lambda cell: (cell.inverse_temperature, cell.step_size, -cell.share[0]))


def nearest(cells: Sequence[JudgedCell]) -> JudgedCell:
    """Return the cell that fails the fewest checks that count; of these the one in which the localisation decides least."""
    return min(cells, key=lambda cell: (len(cell.counted), cell.share[0], -cell.inverse_temperature))


def remedies(cell: JudgedCell) -> list[str]:
    """Return what would mend the checks that count and fail, with a number where there is one; no sentence twice."""
    kinds = {check for check, _, _ in cell.counted}
    sentences = [shorter_step(cell)] if "step_size" in kinds else []
    for estimate in cell.estimates.values():
        kept = {name: fails if name in kinds else np.zeros_like(fails) for name, fails in estimate.failed.items()}
        sentences += replace(estimate, failed=kept, stability=None).remedies
    if SEVERAL_BASINS in kinds:
        places = [(component, place) for check, component, place in cell.counted if check == SEVERAL_BASINS]
        factor = max(1 - cell.estimates[component].held_by_localization[place] for component, place in places)
        sentences.append(f"(nβ)² Var(L) is up to {factor:.1f} times λ̂, so chains visit more than one basin: raise localization")
    if kinds & {"negative", "share_below"}:
        sentences.append("chains find lower losses than that of w*: raise localization, or train longer")
    if "dimension" in kinds:
        sentences.append("λ̂ exceeds the number of parameters: raise localization, or halve step_size")
    return list(dict.fromkeys(sentences))


def shorter_step(cell: JudgedCell) -> str:
    """Say by how much the step is too long, and which step would do: the bias is of first order in the step."""
    found = cell.estimates[""].stability
    assert found is not None
    bias = found.bias if found.whole_bias is None else found.whole_bias
    if not np.isfinite(bias):
        bound = found.stable_below / found.value * cell.step_size
        return f"chains diverge where the curvature is largest: step_size must be well below {bound:.2g}"
    step = cell.step_size * LARGEST_WHOLE_BIAS / bias
    return f"the step and the noise of minibatches bias λ̂ by {100 * bias:.0f}%: step_size {step:.2g} would do"
