"""The curves of a trajectory: the values that carry evidence, their positions on the axis, and their errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Shaped

from ontogeny.trajectory import STEPS, Axis
from ontogeny.transitions.detection.local_noise import roughness, varying_degrees
from ontogeny.transitions.detection.shared_errors import chain_covariance
from ontogeny.transitions.detection.tables import (
    Chains,
    Covariances,
    CurveName,
    by_curve,
    check_errors,
    check_sizes,
    check_table,
    completed,
)
from ontogeny.transitions.detection.thinning import thinned_rows
from ontogeny.transitions.limits import FEWEST_CHECKPOINTS

VISIBLE_ERRORS = 5
"""A single change of so many errors is detected with certainty on 100 checkpoints (docs/detection.md)."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One observable of one component along the axis, without the checkpoints that carry no evidence.

    Attributes:
        checkpoints: in the unit of the axis, increasing.
        positions: the checkpoints on the scale of the axis.
        noise: the covariance of the values' errors; None where the values come without errors.
        chains: the chains whose mean the values are and from which the covariance was estimated; None otherwise.
        thinned: how the curve was thinned; "" where it was not.
    """

    observable: str
    component: str
    checkpoints: Float[np.ndarray, " N"]
    positions: Float[np.ndarray, " N"]
    values: Float[np.ndarray, " N"]
    noise: Float[np.ndarray, "N N"] | None
    chains: Float[np.ndarray, "N C"] | None = None
    thinned: str = ""

    @property
    def name(self) -> CurveName:
        return self.observable, self.component

    @cached_property
    def noise_degrees(self) -> tuple[int, ...]:
        """Return the degrees of the polynomial that the size of the noise is along the curve; none where errors are given."""
        return () if self.noise is not None else varying_degrees(self.values)

    @cached_property
    def scale(self) -> Float[np.ndarray, " N"]:
        """Return the size of the noise at each checkpoint, in units of its median; 1 where it does not vary."""
        if not self.noise_degrees:
            return np.ones(len(self.values))
        return roughness(self.values[:, None], self.noise_degrees)[:, 0]

    @property
    def undecided(self) -> str:
        """Return why no transition can be looked for in this curve; "" where it can."""
        if len(self.values) < FEWEST_CHECKPOINTS:
            return f"{len(self.values)} checkpoints carry evidence; at least {FEWEST_CHECKPOINTS} are needed"
        if np.ptp(self.values) <= 1e-12 * np.abs(self.values).max():
            return "constant"
        return ""

    @property
    def too_noisy(self) -> str:
        """Return why it says little that this curve has no transition; "" where it says something.

        The error is the stated one, or the scatter of the curve itself where that is larger.
        """
        stated = 0.0 if self.noise is None else float(np.median(np.sqrt(np.diag(self.noise))))
        error, largest = max(stated, noise_variance(self.values) ** 0.5), float(np.abs(self.values).max())
        visible = f"only single changes of {VISIBLE_ERRORS} errors, {VISIBLE_ERRORS * error:.3g}, are seen with certainty"
        return f"too noisy: {visible}; its largest value is {largest:.2g}" if VISIBLE_ERRORS * error > largest else ""


def curves_of(
    trajectory: pd.DataFrame,
    observables: Sequence[str] | None = None,
    axis: Axis = STEPS,
    covariance: Covariances | None = None,
    chains: Chains | None = None,
) -> list[Curve]:
    """Return every curve of the table, in the table's order of first appearance.

    A value that is not finite carries no evidence, nor does a λ̂ whose verdict is neither "ok" nor "". Where an error is missing
    or zero at some checkpoint, all errors of the curve are ignored and its noise is estimated from residuals.

    Args:
        trajectory: the columns component, verdict and standard_error may be missing, or have missing values.
        covariance: where it is known.
        chains: where the covariance is to be estimated from them (`chain_covariance`).

    Raises:
        TypeError: the trajectory is not a DataFrame.
        ValueError: an unknown observable; a missing column; an error below 0; a checkpoint that occurs twice or is not finite;
            a covariance or chains of a curve that the table does not have, of another shape than its rows, or both of one
            curve; chains whose means are not the values.
    """
    observables = [observables] if isinstance(observables, str) else observables
    trajectory = completed(trajectory, axis)
    check_table(trajectory, observables, axis)
    names = list(trajectory["observable"].unique() if observables is None else observables)
    known, sampled = by_curve(covariance, "covariance"), by_curve(chains, "chains")
    groups: dict[CurveName, pd.DataFrame] = {
        (str(rows["observable"].iloc[0]), str(rows["component"].iloc[0])): rows.sort_values(by=axis.name)
        for _, rows in trajectory.groupby(["observable", "component"], sort=False)
    }
    check_errors(groups, known, sampled)
    return [curve_of(rows, axis, known.get(name), sampled.get(name)) for name, rows in groups.items() if name[0] in names]


def curve_of(
    table: pd.DataFrame,
    axis: Axis,
    covariance: Shaped[np.ndarray, "K K"] | None = None,
    chains: Shaped[np.ndarray, "K C"] | None = None,
) -> Curve:
    """Return the curve of rows that are sorted along the axis."""
    name = str(table["observable"].iloc[0]), str(table["component"].iloc[0])
    rows = thinned_rows(table, axis, covariance, chains)
    usable, covariance = rows.usable, rows.covariance
    values, errors = rows.table["value"].to_numpy(float), rows.table["standard_error"].to_numpy(float)
    checkpoints = rows.table[axis.name].to_numpy(float)
    check_sizes(name, axis, checkpoints[usable], values[usable], errors, covariance)
    live = None if rows.chains is None else live_chains(rows.chains, usable)
    # The errors of neighbours are pooled, so checkpoints that failed their checks are left out here.
    estimated = None if live is None else chain_covariance(np.where(usable[:, None], live, np.nan), errors)
    covariance = covariance if estimated is None else estimated
    if covariance is not None:
        usable &= ~np.isnan(np.diag(covariance))
    given = None if covariance is None else covariance[np.ix_(usable, usable)]
    return Curve(
        observable=name[0],
        component=name[1],
        checkpoints=checkpoints[usable],
        positions=axis.position(checkpoints[usable]),
        values=values[usable],
        noise=independent(errors[usable]) if given is None else regular(given),
        chains=None if live is None or estimated is None else live[usable],
        thinned=rows.thinned,
    )


def live_chains(chains: Float[np.ndarray, "K C"], usable: Bool[np.ndarray, " K"]) -> Float[np.ndarray, "K A"]:
    """Return the chains that are finite at half of the usable checkpoints; a chain that dies early would cost all later ones."""
    alive = np.isfinite(chains[usable]).mean(axis=0) >= 0.5 if usable.any() else np.ones(chains.shape[1], bool)
    return chains[:, alive]


def noise_variance(values: Float[np.ndarray, " N"]) -> float:
    """Return the variance of a curve's noise from its median absolute second difference, which trend and steps do not inflate."""
    if len(values) < 3:
        return 0.0
    bends = values[2:] - 2 * values[1:-1] + values[:-2]
    return float(np.median(np.abs(bends)) / 0.6745) ** 2 / 6


def independent(errors: Float[np.ndarray, " N"]) -> Float[np.ndarray, "N N"] | None:
    """Return the covariance of independent errors, or None where an error is not known."""
    return np.diag(errors**2) if np.all(np.isfinite(errors) & (errors > 0)) else None


def regular(covariance: Float[np.ndarray, "N N"]) -> Float[np.ndarray, "N N"]:
    """Return a covariance with a small constant on its diagonal, so that it can be factorised.

    Raises:
        ValueError: the covariance is not finite, symmetric or positive semi-definite.
    """
    symmetric = np.all(np.isfinite(covariance)) and np.allclose(covariance, covariance.T)
    if not symmetric or (len(covariance) and np.linalg.eigvalsh(covariance)[0] < -1e-8 * np.trace(covariance)):
        raise ValueError("covariance must be finite, symmetric and positive semi-definite")
    return covariance + 1e-9 * np.trace(covariance) / max(len(covariance), 1) * np.eye(len(covariance))
