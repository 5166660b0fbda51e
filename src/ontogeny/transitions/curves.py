"""From the trajectory table to curves: what carries evidence, on which axis, and why a curve cannot be decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

from ontogeny.trajectory import NOT_APPLICABLE, PASSED

FEWEST_CHECKPOINTS = 8
SEEN = 5
"""Errors that a change must have to be seen surely (docs/detection.md)."""
SCALES: Mapping[str, np.ufunc] = {"log1p": np.log1p, "log": np.log, "linear": np.positive}
INVERSES: Mapping[str, np.ufunc] = {"log1p": np.expm1, "log": np.exp, "linear": np.positive}
REQUIRED = ("observable", "component", "value", "standard_error", "verdict")


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One observable of one component along the axis, the checkpoints without evidence left out.

    Attributes:
        axis: the axis in its own unit (training steps, unless the user names another), increasing.
        positions: the axis on the scale that transitions are looked for.
        noise: covariance of the values' errors; None where they come without errors.
    """

    observable: str
    component: str
    axis: Float[np.ndarray, "N"]
    positions: Float[np.ndarray, "N"]
    values: Float[np.ndarray, "N"]
    noise: Float[np.ndarray, "N N"] | None

    @property
    def undecided(self) -> str:
        """Why no transition can be looked for in this curve; "" where it can."""
        if len(self.values) < FEWEST_CHECKPOINTS:
            return f"{len(self.values)} checkpoints carry evidence; at least {FEWEST_CHECKPOINTS} are needed"
        if np.ptp(self.values) <= 1e-12 * np.abs(self.values).max():
            return "constant"
        return ""

    @property
    def too_noisy(self) -> str:
        """Why it says little that no transition was found in this curve; "" where it says something."""
        if self.noise is None:
            return ""
        error, largest = float(np.median(np.sqrt(np.diag(self.noise)))), float(np.abs(self.values).max())
        seen = f"only changes of {SEEN} errors, {SEEN * error:.3g}, are surely seen"
        return f"too noisy: {seen}; its largest value is {largest:.2g}" if SEEN * error > largest else ""


def curves_of(
    trajectory: pd.DataFrame,
    observables: Sequence[str] | None = None,
    axis: str = "step",
    scale: str = "log1p",
    covariance: Float[np.ndarray, "K K"] | None = None,
) -> list[Curve]:
    """Every curve of the table, in the table's order of first appearance.

    A value that is not finite, and a λ̂ whose verdict is neither "ok" nor "", carries no evidence. Errors that are missing or
    zero somewhere on a curve are not trusted anywhere on it: its noise is then estimated from residuals.

    Args:
        covariance: of the errors of λ̂ of the whole network, over all its K rows in the order of the axis.

    Raises:
        ValueError: an unknown scale or observable, a missing column, an axis value that is doubled or not finite.
    """
    check_table(trajectory, observables, axis, scale)
    names = list(trajectory["observable"].unique() if observables is None else observables)
    wanted = trajectory.loc[trajectory["observable"].isin(names)]
    groups = wanted.groupby(["observable", "component"], sort=False)
    return [
        curve_of(rows.sort_values(by=axis), axis, scale, covariance if name == ("llc", "") else None) for name, rows in groups
    ]


def check_table(trajectory: pd.DataFrame, observables: Sequence[str] | None, axis: str, scale: str) -> None:
    if scale not in SCALES:
        raise ValueError(f"unknown scale {scale!r}; it may be {', '.join(SCALES)}")
    missing = [name for name in (axis, *REQUIRED) if name not in trajectory.columns]
    if missing:
        raise ValueError(f"the trajectory lacks the column {', '.join(missing)}")
    unknown = sorted(set(observables or ()) - set(trajectory["observable"]))
    if unknown:
        raise ValueError(f"the trajectory has no {', '.join(unknown)}; it has {', '.join(trajectory['observable'].unique())}")
    lowest = {"log1p": 0.0, "log": np.nextafter(0, 1), "linear": -np.inf}[scale]
    places = trajectory[axis].to_numpy(float)
    if not np.all(np.isfinite(places) & (places >= lowest)):
        raise ValueError(f"{axis} has values that are missing, infinite or too small for scale {scale!r}")
    doubled = trajectory[trajectory.duplicated([axis, "observable", "component"])]
    if len(doubled):
        first = doubled.iloc[0]
        raise ValueError(f"{axis} {first[axis]} occurs twice in {first['observable']} {first['component']}".rstrip())


def curve_of(rows: pd.DataFrame, axis: str, scale: str, covariance: Shaped[np.ndarray, "K K"] | None) -> Curve:
    """The curve of rows that are already sorted along the axis."""
    values = rows["value"].to_numpy(float)
    kept = np.isfinite(values) & rows["verdict"].isin([PASSED, NOT_APPLICABLE]).to_numpy()
    if covariance is not None and np.shape(covariance) == (len(values), len(values)):
        kept &= ~np.isnan(np.diag(covariance))
    places = rows[axis].to_numpy(float)[kept]
    return Curve(
        observable=str(rows["observable"].iloc[0]),
        component=str(rows["component"].iloc[0]),
        axis=places,
        positions=SCALES[scale](places),
        values=values[kept],
        noise=noise_of(rows["standard_error"].to_numpy(float), kept, covariance),
    )


def noise_of(
    errors: Float[np.ndarray, "K"], kept: Shaped[np.ndarray, "K"], covariance: Shaped[np.ndarray, "K K"] | None
) -> Float[np.ndarray, "N N"] | None:
    """The covariance of the errors of the kept rows, or None where it is not known."""
    if covariance is None:
        trusted = np.all(np.isfinite(errors[kept]) & (errors[kept] > 0))
        return np.diag(errors[kept] ** 2) if trusted else None
    given = np.asarray(covariance, dtype=float)
    if given.shape != (len(errors), len(errors)):
        raise ValueError(f"covariance has shape {given.shape}; λ̂ has {len(errors)} rows")
    kept_part = given[np.ix_(kept, kept)]
    symmetric = np.all(np.isfinite(kept_part)) and np.allclose(kept_part, kept_part.T)
    if not symmetric or (len(kept_part) and np.linalg.eigvalsh(kept_part)[0] < -1e-8 * np.trace(kept_part)):
        raise ValueError("covariance must be finite, symmetric and positive semi-definite")
    return kept_part + 1e-9 * np.trace(kept_part) / max(len(kept_part), 1) * np.eye(len(kept_part))
