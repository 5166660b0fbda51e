"""Levels before and after a passage, and what free energies say of it.

With n examples, the free energy of a phase is n L + λ log n up to terms that do not grow (Watanabe 2009; Chen et al. 2023,
arXiv 2310.06301, section 4). A passage to lower loss at higher λ is therefore one that the Bayesian posterior makes as well,
at the critical sample size.
"""

from dataclasses import dataclass

import numpy as np

from ontogeny.transitions.detection.curves import Curve, noise_variance

WINDOW = 3
"""Checkpoints that make up a level."""


@dataclass(frozen=True)
class Change:
    """A level before, a level after, and their difference with its standard error.

    Attributes:
        degrees_of_freedom: of the standard error: from few chains it is itself uncertain, and Student's t holds.
    """

    before: float
    after: float
    standard_error: float
    degrees_of_freedom: float = np.inf

    @property
    def difference(self) -> float:
        return self.after - self.before


def change_across(curve: Curve, start: float, end: float, earliest: float = -np.inf, latest: float = np.inf) -> Change | None:
    """The levels of a curve up to `start` and from `end`, each the mean of at most `WINDOW` checkpoints.

    Args:
        start, end: the passage, in units of the axis; checkpoints strictly inside count for neither level.
        earliest, latest: no checkpoint beyond these is used (where the neighbouring passages are).

    Returns:
        None where a side has no checkpoint.
    """
    before = np.flatnonzero((curve.axis <= start) & (curve.axis >= earliest))[-WINDOW:]
    after = np.flatnonzero((curve.axis >= end) & (curve.axis <= latest))[:WINDOW]
    return contrast(curve, before, after)


def change_within(curve: Curve, start: float, end: float) -> Change | None:
    """From the first to the last checkpoints of a stretch; None where it has fewer than two."""
    inside = np.flatnonzero((curve.axis >= start) & (curve.axis <= end))
    size = min(WINDOW, len(inside) // 2)
    return contrast(curve, inside[:size], inside[len(inside) - size :])


def contrast(curve: Curve, before: np.ndarray, after: np.ndarray) -> Change | None:
    """The difference of two means. Its error is that of the mean of the chains' own differences, where there are chains (errors
    that all checkpoints share cancel in each), else from the covariance of the noise."""
    if not len(before) or not len(after):
        return None
    weights = np.zeros(len(curve.values))
    weights[before] -= 1 / len(before)
    weights[after] += 1 / len(after)
    levels = float(curve.values[before].mean()), float(curve.values[after].mean())
    if curve.chains is not None:
        differences = weights @ curve.chains
        return Change(*levels, float(differences.std(ddof=1) / np.sqrt(len(differences))), len(differences) - 1)
    noise = np.eye(len(weights)) * noise_variance(curve.values) if curve.noise is None else curve.noise
    error = float(np.sqrt(max(weights @ noise @ weights, 0.0)))
    return Change(*levels, error)
