"""Find out which curves change faster than a smooth trend can, where, and by how much."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd
from jaxtyping import Float
from threadpoolctl import threadpool_limits

from ontogeny.trajectory import Axis
from ontogeny.transitions.detection.curves import Curve, curves_of
from ontogeny.transitions.detection.screening import screened
from ontogeny.transitions.detection.tables import Chains, Covariances, check_arguments

COLUMNS = (
    "observable",
    "component",
    "start",
    "location",
    "location_low",
    "location_high",
    "end",
    "change",
    "change_standard_error",
    "p_value",
    "q_value",
    "slope_probability",
    "direction",
    "decision",
    "reason",
)
CANDIDATE, UNDECIDED, VOID = "candidate", "undecided", "void"
PASSES = 2
"""Searches of a curve: for its first passage, and for further ones."""


@runtime_checkable
class HasTrajectory(Protocol):
    """What an `Estimate` has: its table, and the chains whose mean its curves are."""

    @property
    def chains(self) -> Chains: ...

    def to_trajectory(self) -> pd.DataFrame: ...


def detect_transitions(
    trajectory: pd.DataFrame | HasTrajectory,
    observables: Sequence[str] | None = None,
    axis: str = "step",
    scale: str = "log1p",
    alpha: float = 0.05,
    seed: int = 0,
    covariance: Covariances | None = None,
    chains: Chains | None = None,
    interventions: Mapping[float, str] | None = None,
    progress: Callable[[int], None] | None = None,
) -> pd.DataFrame:
    """Return the candidate transitions of every curve, tested against a smooth trend with noise.

    A candidate is a passage between two levels that neither a smooth trend with the known errors can follow, nor an exponential
    relaxation, 1 - exp(-t / τ) in the unit of the axis with a free τ. Ruptures also places a change point there, and the slope
    has the sign of the change with a probability of 80% (each within 1.5 checkpoints). A likelihood-ratio scan finds it, alone or
    with all change points of the curve together. It is more surprising than what the same detectors together find in
    simulations of the trend: p = (1 + #) / (draws + 1), .001 at least, with Benjamini and Hochberg's correction over the curves
    at level alpha. It changes by 2% of the observable's largest value, and by a tenth of the range around it, without the other
    passages and what relaxes. Its place is known to three checkpoints more than its width.

    A curve of more than 350 checkpoints is thinned to at most 350, evenly along the axis, with a warning: a search takes time
    with the cube of their number.

    Args:
        trajectory: the long table (`trajectory.schema`), with a column `axis`; or an `Estimate`, whose chains are then used.
        observables: names to look at; None for all in the table.
        axis: the column along which development runs.
        scale: "log1p", "log" or "linear".
        alpha: the false discovery rate over the curves.
        seed: of the simulations.
        covariance: (observable, component) -> the covariance [K, K] of the errors over all rows of a curve in the order of the
            axis, or one matrix for λ̂ of the whole network. Other curves take their standard errors, with the over-dispersion
            and autocorrelation that the curve shows.
        chains: (observable, component) -> [K, C], the values whose mean a curve is; its covariance is estimated from them
            (`chain_covariance`).
        interventions: places on the axis where the training itself was changed -> what was changed.
        progress: called with the number of searches done, of two for each curve (`searches`).

    Returns:
        A row per candidate: observable, component, start, location with its 95% interval, end (in units of the axis), change
        and its standard error, p_value (of that passage), q_value, slope_probability (that the slope has the sign of the
        change where it is clearest within the passage, see `slope_of`), direction ("rise" or "fall"), decision "candidate" and
        reason "". Where an intervention lies within the passage or a checkpoint beside it, the decision is "void" and the
        reason names it. A curve that cannot be decided has one row with decision "undecided", the reason, and no numbers.
        So does a curve whose candidate is as well a relaxation. The reason also says whether the curve was thinned.

    Raises:
        TypeError: the trajectory is neither a DataFrame nor an estimate.
        ValueError: a fault of the table or of an argument; see `curves_of`.
    """
    check_arguments(alpha, seed, interventions)
    if isinstance(trajectory, HasTrajectory):
        trajectory, chains = trajectory.to_trajectory(), trajectory.chains if chains is None else chains
    along = Axis(axis, scale, unit=axis)
    curves = curves_of(trajectory, observables, along, covariance, chains)
    warn_of_thinning(curves)
    closed = [curve for curve in curves if curve.undecided]
    decidable = [curve for curve in curves if not curve.undecided]
    skipped = PASSES * len(closed)
    # The matrices are small: a second thread of BLAS only waits, and costs more than it brings.
    with threadpool_limits(1, user_api="blas"):
        found = screened(decidable, along, alpha, seed, lambda done: progress(skipped + done) if progress else None)
    rows = [row | decision(row, curve, interventions or {}) for curve, row in found.candidates]
    told = {curve.name for curve, _ in [*found.candidates, *found.relaxing]}
    silent = [curve for curve in decidable if curve.too_noisy and curve.name not in told]
    undecided = [undecided_row(curve, curve.undecided) for curve in closed]
    undecided += [undecided_row(curve, reason) for curve, reason in found.relaxing]
    undecided += [undecided_row(curve, curve.too_noisy) for curve in silent]
    return pd.DataFrame(undecided + rows, columns=list(COLUMNS))


def searches(trajectory: pd.DataFrame) -> int:
    """Return the number of searches that `detect_transitions` reports as progress."""
    return PASSES * trajectory.groupby(["observable", "component"]).ngroups


def warn_of_thinning(curves: Sequence[Curve]) -> None:
    """Warn once of all curves that were thinned."""
    thinned = [curve for curve in curves if curve.thinned]
    if thinned:
        names = ", ".join(dict.fromkeys(curve.observable for curve in thinned))
        warnings.warn(f"{len(thinned)} curves ({names}) were {thinned[0].thinned}", stacklevel=3)


def decision(row: Mapping, curve: Curve, interventions: Mapping[float, str]) -> dict[str, str]:
    """Return the decision on a row and its reason.

    The row is void where the training was changed between the checkpoint before its start and the one after its end.
    """
    checkpoints: Float[np.ndarray, " N"] = curve.checkpoints
    first, last = np.searchsorted(checkpoints, [row["start"], row["end"]])
    low, high = checkpoints[max(first - 1, 0)], checkpoints[min(last + 1, len(checkpoints) - 1)]
    inside = [f"{change} at {place:g}" for place, change in sorted(interventions.items()) if low <= place <= high]
    reasons = [f"coincides with {', '.join(inside)}"] if inside else []
    return {"decision": VOID if inside else CANDIDATE, "reason": "; ".join([*reasons, *filter(None, [curve.thinned])])}


def undecided_row(curve: Curve, reason: str) -> dict[str, str]:
    """Return the row of a curve that cannot be decided."""
    reason = "; ".join(filter(None, [reason, curve.thinned]))
    return {"observable": curve.observable, "component": curve.component, "decision": UNDECIDED, "reason": reason}
