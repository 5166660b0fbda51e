"""Complete and check what the user gives to detection: the table, its axis, covariances and chains."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

from ontogeny.trajectory import NOT_APPLICABLE, Axis

CurveName = tuple[str, str]
"""(observable, component)"""
LLC: CurveName = ("llc", "")
REQUIRED = ("observable", "value")
OPTIONAL: Mapping[str, str | float] = {"component": "", "verdict": NOT_APPLICABLE, "standard_error": np.nan}
"""Columns that may be missing or have holes (a CSV file has no empty strings), and what then stands for them."""
Covariances = Shaped[np.ndarray, "K K"] | Mapping[CurveName, Shaped[np.ndarray, "K K"]]
"""The covariance of the errors of each curve over all its K rows in the order of the axis; a matrix alone is that of λ̂ of the
whole network."""
Chains = Mapping[CurveName, Shaped[np.ndarray, "K C"]]
"""The values of the C chains of which a curve is the mean, over all its K rows in the order of the axis."""


def completed(trajectory: pd.DataFrame, axis: Axis) -> pd.DataFrame:
    """Return the table with the optional columns, without holes in those of text, and with an axis of numbers.

    A file that was read as text has its axis made numbers, so that it sorts as numbers do.

    Raises:
        TypeError: the trajectory is not a DataFrame.
        ValueError: the axis holds text that is not a number.
    """
    if not isinstance(trajectory, pd.DataFrame):
        raise TypeError(
            f"the trajectory must be a DataFrame, as Estimate.to_trajectory() gives one; got {type(trajectory).__name__}"
        )
    complete = trajectory.assign(**{name: value for name, value in OPTIONAL.items() if name not in trajectory.columns})
    texts = {name: complete[name].astype(object) for name in ("component", "verdict")}
    complete = complete.assign(**{name: text.where(text.notna(), "") for name, text in texts.items()})
    return with_numbers(complete, axis.name)


def with_numbers(trajectory: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the table with a column made numbers; unchanged where the column is missing."""
    if column not in trajectory.columns:
        return trajectory
    try:
        return trajectory.assign(**{column: pd.to_numeric(trajectory[column])})
    except (ValueError, TypeError) as error:
        raise ValueError(f"{column} holds what is no number: {error}") from None


def by_curve(given: Any) -> dict[CurveName, Any]:
    """Return arrays by their curves; an array alone is that of λ̂ of the whole network."""
    if given is None:
        return {}
    return dict(given) if isinstance(given, Mapping) else {LLC: given}


def check_table(trajectory: pd.DataFrame, observables: Sequence[str] | None, axis: Axis) -> None:
    """Check the columns, the observables asked for, the errors and the axis.

    Raises:
        ValueError: naming what is wrong.
    """
    missing = [name for name in (axis.name, *REQUIRED) if name not in trajectory.columns]
    if missing:
        optional = f"; {', '.join(OPTIONAL)} may be missing" if len(missing) > 1 else ""
        noun = "columns" if len(missing) > 1 else "column"
        raise ValueError(f"the trajectory lacks the {noun} {', '.join(missing)}{optional}")
    if bool(trajectory["observable"].isna().to_numpy().any()):
        raise ValueError("observable is missing in some rows of the trajectory")
    if np.any(trajectory["standard_error"].to_numpy(float) < 0):
        raise ValueError("standard_error is negative in some rows of the trajectory")
    unknown = sorted(set(observables or ()) - set(trajectory["observable"]))
    if unknown:
        raise ValueError(f"the trajectory has no {', '.join(unknown)}; it has {', '.join(trajectory['observable'].unique())}")
    check_axis(trajectory, axis)


def check_axis(trajectory: pd.DataFrame, axis: Axis) -> None:
    """Check that every checkpoint lies on the scale and occurs once in a curve."""
    if not np.all(axis.contains(trajectory[axis.name].to_numpy(float))):
        raise ValueError(f"{axis.name} has values that are missing, infinite or too small for scale {axis.scale!r}")
    repeated = trajectory[trajectory.duplicated([axis.name, "observable", "component"])]
    if len(repeated):
        first = repeated.iloc[0]
        raise ValueError(f"{axis.name} {first[axis.name]} occurs twice in {first['observable']} {first['component']}".rstrip())


def check_errors(groups: Mapping[CurveName, pd.DataFrame], covariance: Mapping, chains: Mapping) -> None:
    """Check that each covariance, and each curve's chains, belong to a curve and have its number of rows.

    Raises:
        ValueError: naming the curve.
    """
    if both := set(covariance) & set(chains):
        raise ValueError(f"{spelled(min(both))} has both a covariance and chains; only one of them may be given")
    for argument, given in (("covariance", covariance), ("chains", chains)):
        for name, array in given.items():
            if name not in groups:
                raise ValueError(f"{argument}: the table has no curve {name!r}; it has {', '.join(map(repr, groups))}")
            rows, shape = len(groups[name]), np.shape(array)
            if len(shape) != 2 or shape[0] != rows or (argument == "covariance" and shape[1] != rows):
                wanted = "[rows, rows]" if argument == "covariance" else "[rows, chains]"
                fault = f"has shape {shape}; the curve has {rows} rows, and it must be {wanted}"
                raise ValueError(f"{argument} of {spelled(name)} {fault}")
            if argument == "chains":
                check_chains(name, np.asarray(array, float), groups[name]["value"].to_numpy(float))


def check_chains(name: CurveName, chains: Float[np.ndarray, "K C"], values: Float[np.ndarray, " K"]) -> None:
    """Check that there are at least two chains and that the values are their means, where all chains are finite."""
    if chains.shape[1] < 2:
        raise ValueError(f"chains of {spelled(name)}: at least two are needed, got {chains.shape[1]}")
    alive = np.isfinite(chains).all(axis=1) & np.isfinite(values)
    means = chains[alive].mean(axis=1)
    if not np.allclose(means, values[alive], rtol=1e-3, atol=1e-3 * float(np.abs(means).max(initial=0))):
        raise ValueError(f"chains of {spelled(name)}: the curve's values are not the means of these chains")


def spelled(name: CurveName) -> str:
    """Return a curve's name for a message."""
    return " ".join(name).strip()
