"""Judge the settings of a sampler at several checkpoints and components at once, and recommend one set for all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ontogeny.estimates.llc import Estimate
from ontogeny.estimates.verdicts import PASSED

LARGEST_ERROR = 0.15
"""Standard error up to which the share from the draws is used; beyond it, that of the Hessian is."""


@dataclass(frozen=True, kw_only=True, eq=False)
class JudgedCell:
    """λ̂ at one setting.

    Attributes:
        step_size, inverse_temperature, localization: ε, nβ and γ.
        estimates: component -> λ̂ at K checkpoints; "" is the whole network.
        share_by_hessian: the share of λ̂ that γ decides on a quadratic with the spectrum of the Hessian, at each checkpoint.
    """

    step_size: float
    inverse_temperature: float
    localization: float
    estimates: Mapping[str, Estimate]
    share_by_hessian: Sequence[float]

    @property
    def failures(self) -> dict[tuple[str, str], int]:
        """(check, component) -> at how many checkpoints it fails; the checks that fail nowhere are left out."""
        counts = {
            (check, component): int(np.sum(fails))
            for component, estimate in self.estimates.items()
            for check, fails in estimate.failed.items()
        }
        return {place: count for place, count in counts.items() if count}

    @property
    def passes(self) -> bool:
        """Whether λ̂ passes every check, at every checkpoint, of every component."""
        return not self.failures

    @property
    def verdict(self) -> str:
        """"ok", or the checks that fail, each with where it does."""
        count = len(self.share_by_hessian)
        names = [
            f"{check}{f' of {component}' if component else ''} at {failing} of {count}"
            for (check, component), failing in self.failures.items()
        ]
        return ", ".join(names) or PASSED

    @property
    def remedies(self) -> list[str]:
        """Return what would mend the checks that fail, with a number; no sentence twice."""
        return list(dict.fromkeys(sentence for estimate in self.estimates.values() for sentence in estimate.remedies))

    @property
    def shares(self) -> list[tuple[float, float]]:
        """The share of λ̂ that γ decides at each checkpoint, with its error: from the draws, or where they do not know, the Hessian."""
        whole = self.estimates[""]
        measured = zip(whole.held_by_localization, whole.held_by_localization_standard_error, self.share_by_hessian, strict=True)
        return [(float(own), float(error)) if error <= LARGEST_ERROR else (hessian, 0.0) for own, error, hessian in measured]

    @property
    def share(self) -> tuple[float, float]:
        """The largest of the shares over the checkpoints, with its error."""
        return max(self.shares)


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
    """Return the cell that fails the fewest checks over all checkpoints; of these the one that `recommended` would take first."""
    return min(cells, key=lambda cell: (sum(cell.failures.values()), cell.share[0], -cell.inverse_temperature))
