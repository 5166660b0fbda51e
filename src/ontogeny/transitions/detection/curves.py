"""From the trajectory table to curves: what carries evidence, on which axis, and why a curve cannot be decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Shaped

from ontogeny.trajectory import NOT_APPLICABLE, PASSED
from ontogeny.transitions.detection.shared_errors import chain_covariance

FEWEST_CHECKPOINTS = 8
SEEN = 5
"""Errors that a single change must have to be seen with certainty, on 100 checkpoints (docs/detection.md)."""
SCALES: Mapping[str, np.ufunc] = {"log1p": np.log1p, "log": np.log, "linear": np.positive}
INVERSES: Mapping[str, np.ufunc] = {"log1p": np.expm1, "log": np.exp, "linear": np.positive}
REQUIRED = ("observable", "value")
OPTIONAL: Mapping[str, str | float] = {"component": "", "verdict": NOT_APPLICABLE, "standard_error": np.nan}
"""Columns that a table may lack, or have holes in (a CSV file has no empty strings), and what stands for them then."""

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
    axis: Float[np.ndarray, " N"]
    positions: Float[np.ndarray, " N"]
    values: Float[np.ndarray, " N"]
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
        """Why it says little that no transition was found in this curve; "" where it says something.

        The error is the stated one, or what the curve itself scatters by, where that is larger.
        """
        stated = 0.0 if self.noise is None else float(np.median(np.sqrt(np.diag(self.noise))))
        error, largest = max(stated, noise_variance(self.values) ** 0.5), float(np.abs(self.values).max())
        seen = f"only single changes of {SEEN} errors, {SEEN * error:.3g}, are seen with certainty"
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
    zero somewhere on a curve are not trusted anywhere on it: its noise is then estimated from residuals. The columns component,
    verdict and standard_error may be missing, or have missing values.

    Args:
        covariance: where it is known.
        chains: where it is to be estimated from them (`chain_covariance`).

    Raises:
        TypeError: the trajectory is no DataFrame.
        ValueError: an unknown scale or observable, a missing column, an error below 0, an axis value that is doubled or not
            finite; a covariance or chains of a curve that the table does not have, of another shape than its rows, or both of
            one curve; chains that the values are not the means of.
    """
    if not isinstance(trajectory, pd.DataFrame):
        raise TypeError(
            f"the trajectory must be a DataFrame, as Estimate.to_trajectory() gives one; got {type(trajectory).__name__}"
        )
    observables = [observables] if isinstance(observables, str) else observables
    trajectory = with_numbers(completed(trajectory), axis)
    check_table(trajectory, observables, axis, scale)
    names = list(trajectory["observable"].unique() if observables is None else observables)
    known, sampled = by_curve(covariance), by_curve(chains)
    groups: dict[CurveName, pd.DataFrame] = {
        (str(rows["observable"].iloc[0]), str(rows["component"].iloc[0])): rows.sort_values(by=axis)
        for _, rows in trajectory.groupby(["observable", "component"], sort=False)
    }
    check_errors(groups, known, sampled)
    return [curve_of(rows, axis, scale, known.get(name), sampled.get(name)) for name, rows in groups.items() if name[0] in names]


def completed(trajectory: pd.DataFrame) -> pd.DataFrame:
    """With what stands for columns that are missing, and for holes in those of text."""
    lacking = {name: value for name, value in OPTIONAL.items() if name not in trajectory.columns}
    whole = trajectory.assign(**lacking)
    texts = {name: whole[name].astype(object) for name in ("component", "verdict")}
    return whole.assign(**{name: text.where(text.notna(), "") for name, text in texts.items()})


def with_numbers(trajectory: pd.DataFrame, axis: str) -> pd.DataFrame:
    """With an axis that sorts as numbers do, also where a file was read as text.

    Raises:
        ValueError: the axis is text that is no number.
    """
    if axis not in trajectory.columns:
        return trajectory
    try:
        return trajectory.assign(**{axis: pd.to_numeric(trajectory[axis])})
    except (ValueError, TypeError) as error:
        raise ValueError(f"{axis} holds what is no number: {error}") from None


def by_curve(given: Any) -> dict[CurveName, Any]:
    """Arrays by their curves; one alone is that of λ̂ of the whole network."""
    if given is None:
        return {}
    return dict(given) if isinstance(given, Mapping) else {LLC: given}


def check_errors(groups: Mapping[CurveName, pd.DataFrame], covariance: Mapping, chains: Mapping) -> None:
    """That each covariance, and each curve's chains, belong to a curve and have its number of rows."""
    if both := set(covariance) & set(chains):
        raise ValueError(f"{' '.join(min(both)).strip()} has both a covariance and chains; only one of them may be given")
    for argument, given in (("covariance", covariance), ("chains", chains)):
        for name, array in given.items():
            if name not in groups:
                raise ValueError(f"{argument}: the table has no curve {name!r}; it has {', '.join(map(repr, groups))}")
            rows, shape = len(groups[name]), np.shape(array)
            if len(shape) != 2 or shape[0] != rows or (argument == "covariance" and shape[1] != rows):
                wanted = "[rows, rows]" if argument == "covariance" else "[rows, chains]"
                told = f"has shape {shape}; the curve has {rows} rows, and it must be {wanted}"
                raise ValueError(f"{argument} of {' '.join(name).strip()} {told}")
            if argument == "chains":
                check_chains(name, np.asarray(array, float), groups[name]["value"].to_numpy(float))


def check_chains(name: CurveName, chains: Float[np.ndarray, "K C"], values: Float[np.ndarray, " K"]) -> None:
    """That there are two at least, and that the values are their means, where all live."""
    if chains.shape[1] < 2:
        raise ValueError(f"chains of {' '.join(name).strip()}: at least two are needed, got {chains.shape[1]}")
    whole = np.isfinite(chains).all(axis=1) & np.isfinite(values)
    means = chains[whole].mean(axis=1)
    if not np.allclose(means, values[whole], rtol=1e-3, atol=1e-3 * float(np.abs(means).max(initial=0))):
        raise ValueError(f"chains of {' '.join(name).strip()}: the curve's values are not the means of these chains")


def check_table(trajectory: pd.DataFrame, observables: Sequence[str] | None, axis: str, scale: str) -> None:
    if scale not in SCALES:
        raise ValueError(f"unknown scale {scale!r}; it may be {', '.join(SCALES)}")
    missing = [name for name in (axis, *REQUIRED) if name not in trajectory.columns]
    if missing:
        optional = f"; {', '.join(OPTIONAL)} may be missing" if len(missing) > 1 else ""
        columns = "columns" if len(missing) > 1 else "column"
        raise ValueError(f"the trajectory lacks the {columns} {', '.join(missing)}{optional}")
    if bool(trajectory["observable"].isna().to_numpy().any()):
        raise ValueError("observable is missing in some rows of the trajectory")
    if np.any(trajectory["standard_error"].to_numpy(float) < 0):
        raise ValueError("standard_error is negative in some rows of the trajectory")
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
    kept = np.isfinite(values) & rows["verdict"].isin([PASSED, NOT_APPLICABLE]).to_numpy()
    live = None if chains is None else live_chains(np.asarray(chains, float), kept)
    # What failed its checks would be pooled with its neighbours.
    estimated = None if live is None else chain_covariance(np.where(kept[:, None], live, np.nan), errors)
    covariance = covariance if estimated is None else estimated
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
        chains=None if live is None or estimated is None else live[kept],
    )


def live_chains(chains: Float[np.ndarray, "K C"], kept: Bool[np.ndarray, " K"]) -> Float[np.ndarray, "K A"]:
    """The chains that live at half of the checkpoints that carry evidence: one that dies would take the others' with it."""
    alive = np.isfinite(chains[kept]).mean(axis=0) >= 0.5 if kept.any() else np.ones(chains.shape[1], bool)
    return chains[:, alive]


def noise_variance(values: Float[np.ndarray, " N"]) -> float:
    """Of a curve by itself, from the median absolute second difference, which neither trend nor steps inflate."""
    if len(values) < 3:
        return 0.0
    bends = values[2:] - 2 * values[1:-1] + values[:-2]
    return float(np.median(np.abs(bends)) / 0.6745) ** 2 / 6


def noise_of(errors: Float[np.ndarray, " N"]) -> Float[np.ndarray, "N N"] | None:
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
