"""From the trajectory table to curves: what carries evidence, on which axis, and why a curve cannot be decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

from ontogeny.trajectory import NOT_APPLICABLE, PASSED
from ontogeny.transitions.chains import chain_covariance

FEWEST_CHECKPOINTS = 8
SEEN = 5
"""Errors that a change must have to be seen surely (docs/detection.md)."""
SCALES: Mapping[str, np.ufunc] = {"log1p": np.log1p, "log": np.log, "linear": np.positive}
INVERSES: Mapping[str, np.ufunc] = {"log1p": np.expm1, "log": np.exp, "linear": np.positive}
REQUIRED = ("observable", "component", "value", "standard_error", "verdict")

CurveName = tuple[str, str]
"""(observable, component)"""
LLC: CurveName = ("llc", "")
Covariances = Shaped[np.ndarray, "K K"] | Mapping[CurveName, Shaped[np.ndarray, "K K"]]
"""Of the errors of each curve over all its K rows in the order of the axis; a matrix alone is that of λ̂ of the whole network."""
Chains = Mapping[CurveName, Shaped[np.ndarray, "K C"]]
"""The values of each of C chains that a curve is the mean of, over all its K rows in the order of the axis."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One observable of one component along the axis, the checkpoints without evidence left out.

    Attributes:
        axis: the axis in its own unit (training steps, unless the user names another), increasing.
        positions: the axis on the scale that transitions are looked for.
        noise: covariance of the values' errors; None where they come without errors.
        chains: the chains from which the covariance was estimated and of which the values are the mean; None where it is known.
    """

    observable: str
    component: str
    axis: Float[np.ndarray, "N"]
    positions: Float[np.ndarray, "N"]
    values: Float[np.ndarray, "N"]
    noise: Float[np.ndarray, "N N"] | None
    chains: Float[np.ndarray, "N C"] | None = None

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
    covariance: Covariances | None = None,
    chains: Chains | None = None,
) -> list[Curve]:
    """Every curve of the table, in the table's order of first appearance.

    A value that is not finite, and a λ̂ whose verdict is neither "ok" nor "", carries no evidence. Errors that are missing or
    zero somewhere on a curve are not trusted anywhere on it: its noise is then estimated from residuals.

    Args:
        covariance: where it is known.
        chains: where it is to be estimated from them (`chain_covariance`).

    Raises:
        ValueError: an unknown scale or observable, a missing column, an axis value that is doubled or not finite; a covariance or
            chains of a curve that the table does not have, of another shape than its rows, or both of one curve.
    """
    check_table(trajectory, observables, axis, scale)
    names = list(trajectory["observable"].unique() if observables is None else observables)
    known, sampled = by_curve(covariance), dict(chains or {})
    groups: dict[CurveName, pd.DataFrame] = {
        (str(rows["observable"].iloc[0]), str(rows["component"].iloc[0])): rows.sort_values(by=axis)
        for _, rows in trajectory.groupby(["observable", "component"], sort=False)
    }
    check_errors(groups, known, sampled)
    return [curve_of(rows, axis, scale, known.get(name), sampled.get(name)) for name, rows in groups.items() if name[0] in names]


def by_curve(covariance: Covariances | None) -> dict[CurveName, Shaped[np.ndarray, "K K"]]:
    if covariance is None:
        return {}
    return dict(covariance) if isinstance(covariance, Mapping) else {LLC: covariance}


def check_errors(groups: Mapping[CurveName, pd.DataFrame], covariance: Mapping, chains: Mapping) -> None:
    """That each covariance, and each curve's chains, belong to a curve and have its number of rows."""
    for argument, given in (("covariance", covariance), ("chains", chains)):
        for name, array in given.items():
            if name not in groups:
                raise ValueError(f"{argument}: the table has no curve {name!r}; it has {', '.join(map(repr, groups))}")
            rows, shape = len(groups[name]), np.shape(array)
            if len(shape) != 2 or shape[0] != rows or (argument == "covariance" and shape[1] != rows):
                raise ValueError(f"{argument} of {' '.join(name).strip()} has shape {shape}; the curve has {rows} rows")
    if both := set(covariance) & set(chains):
        raise ValueError(f"{' '.join(min(both)).strip()} has both a covariance and chains; only one of them may be given")


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


def curve_of(
    rows: pd.DataFrame,
    axis: str,
    scale: str,
    covariance: Shaped[np.ndarray, "K K"] | None = None,
    chains: Shaped[np.ndarray, "K C"] | None = None,
) -> Curve:
    """The curve of rows that are already sorted along the axis."""
    values, errors = rows["value"].to_numpy(float), rows["standard_error"].to_numpy(float)
    estimated = None if chains is None else chain_covariance(np.asarray(chains, float), errors)
    covariance = covariance if estimated is None else estimated
    kept = np.isfinite(values) & rows["verdict"].isin([PASSED, NOT_APPLICABLE]).to_numpy()
    if covariance is not None:
        kept &= ~np.isnan(np.diag(covariance))
    places = rows[axis].to_numpy(float)[kept]
    return Curve(
        observable=str(rows["observable"].iloc[0]),
        component=str(rows["component"].iloc[0]),
        axis=places,
        positions=SCALES[scale](places),
        values=values[kept],
        noise=noise_of(errors[kept]) if covariance is None else checked(np.asarray(covariance, float)[np.ix_(kept, kept)]),
        chains=None if chains is None or estimated is None else np.asarray(chains, float)[kept],
    )


def noise_of(errors: Float[np.ndarray, "N"]) -> Float[np.ndarray, "N N"] | None:
    """The covariance of independent errors, or None where one is not known."""
    return np.diag(errors**2) if np.all(np.isfinite(errors) & (errors > 0)) else None


def checked(covariance: Float[np.ndarray, "N N"]) -> Float[np.ndarray, "N N"]:
    """A covariance, with a trifle on its diagonal.

    Raises:
        ValueError: it is not finite, symmetric or positive semi-definite.
    """
    symmetric = np.all(np.isfinite(covariance)) and np.allclose(covariance, covariance.T)
    if not symmetric or (len(covariance) and np.linalg.eigvalsh(covariance)[0] < -1e-8 * np.trace(covariance)):
        raise ValueError("covariance must be finite, symmetric and positive semi-definite")
    return covariance + 1e-9 * np.trace(covariance) / max(len(covariance), 1) * np.eye(len(covariance))
