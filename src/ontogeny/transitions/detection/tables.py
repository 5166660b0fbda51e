"""Complete and check what the user gives to detection: the table, its axis, covariances and chains."""

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

from ontogeny.trajectory import NOT_APPLICABLE, Axis

CurveName = tuple[str, str]
"""(observable, component)"""
LLC: CurveName = ("llc", "")
SMALLEST, LARGEST = 1e-60, 1e60
"""Sizes between which fourth powers neither underflow nor overflow."""
REQUIRED = ("observable", "value")
OPTIONAL: Mapping[str, str | float] = {"component": "", "verdict": NOT_APPLICABLE, "standard_error": np.nan}
"""Columns that may be missing or have holes (a CSV file has no empty strings), and what then stands for them."""
Covariances = Shaped[np.ndarray, "K K"] | Mapping[CurveName, Shaped[np.ndarray, "K K"]]
"""The covariance of the errors of each curve over all its K rows in the order of the axis; a matrix alone is that of λ̂ of the
whole network."""
Chains = Mapping[CurveName, Shaped[np.ndarray, "K C"]]
"""The values of the C chains of which a curve is the mean, over all its K rows in the order of the axis."""


def completed(trajectory: pd.DataFrame, axis: Axis) -> pd.DataFrame:
    """Return the table with the optional columns, without holes in those of text, and with numbers in the others.

    Columns that were read as text become numbers, so that the axis sorts as numbers do.

    Raises:
        TypeError: the trajectory is not a DataFrame.
        ValueError: the axis, a value or an error is text that is not a number.
    """
    if not isinstance(trajectory, pd.DataFrame):
        raise TypeError(
            f"the trajectory must be a DataFrame, as Estimate.to_trajectory() gives one; got {type(trajectory).__name__}"
        )
    missing = {name: value for name, value in OPTIONAL.items() if name not in trajectory.columns}
    complete: pd.DataFrame = trajectory.assign(**missing)
    texts = {name: complete[name].astype(object) for name in ("component", "verdict")}
    complete = complete.assign(**{name: text.where(text.notna(), "") for name, text in texts.items()})
    for column in (axis.name, "value", "standard_error"):
        complete = with_numbers(complete, column)
    return complete


def with_numbers(trajectory: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the table with a column made numbers; unchanged where the column is missing."""
    if column not in trajectory.columns:
        return trajectory
    try:
        return trajectory.assign(**{column: pd.to_numeric(trajectory[column])})
    except (ValueError, TypeError) as error:
        raise ValueError(f"{column} holds what is no number: {error}") from None


def by_curve(given: Any, argument: str) -> dict[CurveName, Float[np.ndarray, "..."]]:
    """Return arrays of floats by their curves; an array alone is that of λ̂ of the whole network.

    Raises:
        ValueError: an array holds what is no number.
    """
    arrays = {} if given is None else given if isinstance(given, Mapping) else {LLC: given}
    try:
        return {name: np.asarray(array, float) for name, array in arrays.items()}
    except (ValueError, TypeError) as error:
        raise ValueError(f"{argument} holds what is no number: {error}") from None


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


def check_arguments(alpha: Any, seed: Any, interventions: Any) -> None:
    """Check the arguments of detection that are not tables.

    Raises:
        ValueError: naming the argument.
    """
    if not isinstance(alpha, Real) or not 0 < float(alpha) < 1:
        raise ValueError(f"alpha must lie between 0 and 1; got {alpha!r}")
    if not isinstance(seed, Integral) or seed < 0:
        raise ValueError(f"seed must be a whole number from 0 on; got {seed!r}")
    if wrong := [place for place in interventions or {} if not isinstance(place, Real) or not np.isfinite(float(place))]:
        raise ValueError(f"interventions must map places on the axis to what was changed; {wrong[0]!r} is no place")


def check_sizes(
    name: CurveName,
    axis: Axis,
    checkpoints: Float[np.ndarray, " N"],
    values: Float[np.ndarray, " N"],
    errors: Float[np.ndarray, " K"],
    covariance: Float[np.ndarray, "K K"] | None,
) -> None:
    """Check that the checkpoints of a curve differ on the scale, and that its numbers can be calculated with.

    Raises:
        ValueError: naming the curve.
    """
    positions = axis.position(checkpoints)
    if not (np.diff(positions) > 0).all():
        raise ValueError(f"{spelled(name)}: some values of {axis.name} are too close to differ on scale {axis.scale!r}")
    numbers = {
        f"a range of {axis.name} of": positions[-1:] - positions[:1],
        "a largest value of": np.abs(values).max(initial=0.0, keepdims=True),
        "a standard_error of": errors,
        "a standard deviation (covariance) of": np.zeros(0) if covariance is None else np.sqrt(np.abs(np.diag(covariance))),
    }
    for noun, array in numbers.items():
        sizes = array[np.isfinite(array) & (array > 0)]
        wrong = sizes[(sizes < SMALLEST) | (sizes > LARGEST)]
        if len(wrong):
            bounds = f"sizes must lie between {SMALLEST:g} and {LARGEST:g}"
            raise ValueError(f"{spelled(name)}: {noun} {wrong[0]:.3g} cannot be calculated with; {bounds}")


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
                check_chains(name, array, groups[name]["value"].to_numpy(float))


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
