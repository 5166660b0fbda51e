"""The table of a run along its axis: one row per checkpoint, observable and component.

Every job that measures something hands rows of this table on. Transitions, reports and users read them in this one format.
The functions here are pure: from tables to tables.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jaxtyping import Shaped

if TYPE_CHECKING:
    import pandera.pandas as pa

WHOLE_NETWORK = ""
NOT_APPLICABLE = ""
PASSED = "ok"
MAIN_LOSSES = ("population_loss", "loss")
"""The losses that free energies use, the exact one first."""
LOSSES = (*MAIN_LOSSES, "evaluation_loss")
"""The losses of the whole network."""
ALL_LOSSES = (*LOSSES, "loss_by_position")
"""All views of the loss. Every transition changes them, so they count as one observable."""

SCALES: Mapping[str, tuple[np.ufunc, np.ufunc]] = {
    "log1p": (np.log1p, np.expm1),
    "log": (np.log, np.exp),
    "linear": (np.positive, np.positive),
}
"""Name -> the function from values to positions, and its inverse."""
SMALLEST: Mapping[str, float] = {"log1p": 0.0, "log": float(np.nextafter(0, 1)), "linear": -np.inf}
"""The smallest value on each scale."""


@dataclass(frozen=True)
class Axis:
    """What a trajectory runs along.

    Attributes:
        name: the column of the table that holds the values.
        scale: "log1p", "log" or "linear": where distances between checkpoints are measured.
        unit: what the values count, in words.
    """

    name: str = "step"
    scale: str = "log1p"
    unit: str = "training steps"

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise ValueError(f"unknown scale {self.scale!r}; it may be {', '.join(SCALES)}")

    def position(self, value: Any) -> np.ndarray:
        """Return the place of a value on the scale."""
        return SCALES[self.scale][0](np.asarray(value, float))

    def value(self, position: Any) -> np.ndarray:
        """Return the value at a place on the scale."""
        return SCALES[self.scale][1](np.asarray(position, float))

    def contains(self, value: Any) -> np.ndarray:
        """Return whether a value is finite and has a place on the scale."""
        return np.isfinite(value) & (np.asarray(value) >= SMALLEST[self.scale])


STEPS = Axis()
"""The axis of a training run."""


COLUMNS = [STEPS.name, "observable", "component", "value", "standard_error", "verdict"]


def schema(axis: Axis = STEPS) -> "pa.DataFrameSchema":
    """Return the schema of a trajectory along an axis. Steps are integers, the values of any other axis are floats.

    `component` is "" for the whole network. `verdict` is "" where it does not apply, "ok", or the checks that failed.
    """
    # Pages read tables that are checked already, and pandera takes longer to import than they take to write.
    import pandera.pandas as pa

    on_scale = pa.Check(axis.contains, error=f"lies on a {axis.scale} scale")
    return pa.DataFrameSchema(
        {
            axis.name: pa.Column("int64", pa.Check.ge(0)) if axis.name == STEPS.name else pa.Column(float, on_scale),
            "observable": pa.Column(str, pa.Check.str_length(min_value=1)),
            "component": pa.Column(str),
            "value": pa.Column(float, nullable=True),
            "standard_error": pa.Column(float, pa.Check.ge(0), nullable=True),
            "verdict": pa.Column(str),
        },
        unique=[axis.name, "observable", "component"],
        strict=True,
        ordered=True,
        coerce=True,
    )


def columns(axis: Axis = STEPS) -> list[str]:
    """Return the columns of a trajectory along an axis."""
    return [axis.name, *COLUMNS[1:]]


def validated(frame: pd.DataFrame, axis: Axis = STEPS) -> pd.DataFrame:
    """Return the table in the types of its schema, sorted by observable, component and axis, with the axis in its `attrs`.

    Raises:
        ValueError: a column is missing, unknown or of the wrong type, or a checkpoint occurs twice in a curve.
    """
    from pandera.errors import SchemaErrors

    try:
        checked = schema(axis).validate(frame, lazy=True)
    except SchemaErrors as faults:
        cases = faults.failure_cases[["column", "check", "failure_case"]].drop_duplicates().head(5)
        raise ValueError(f"not a trajectory table:\n{cases.to_string(index=False)}") from None
    return with_axis(checked.sort_values(["observable", "component", axis.name], ignore_index=True), axis)


def with_axis(frame: pd.DataFrame, axis: Axis) -> pd.DataFrame:
    """Return the table with its axis in `attrs`, which Parquet files keep."""
    frame.attrs["axis"] = asdict(axis)
    return frame


def axis_of(frame: pd.DataFrame) -> Axis:
    """Return the axis that a table carries; steps where it carries none but has their column.

    Raises:
        ValueError: the table has neither.
    """
    if "axis" in frame.attrs:
        return Axis(**frame.attrs["axis"])
    if STEPS.name in frame.columns:
        return STEPS
    raise ValueError(f"the table carries no axis and has no column {STEPS.name}; it has {', '.join(map(str, frame.columns))}")


def curve_rows(values: Shaped[np.ndarray, " K"], observable: str, component: str, array: Any, axis: Axis = STEPS) -> pd.DataFrame:
    """Return the rows of one curve.

    Args:
        values: the checkpoints, in the unit of the axis.
        array: the observable at each, of shape [K].
    """
    measured = np.asarray(array, dtype=float)
    if measured.shape != values.shape:
        where = f"{observable} of {component}" if component else observable
        raise ValueError(f"{where} has shape {measured.shape}; there are {len(values)} {axis.name}s")
    return pd.DataFrame(
        {
            axis.name: values,
            "observable": observable,
            "component": component,
            "value": measured,
            "standard_error": np.nan,
            "verdict": NOT_APPLICABLE,
        }
    )


def tidy_observables(steps: Sequence[float], values: Mapping[str, Any], axis: Axis = STEPS) -> pd.DataFrame:
    """Return observables, as the compiled program gives them, as rows of the trajectory table.

    Args:
        steps: the K checkpoints in the unit of the axis, increasing.
        values: name -> array [K], or a mapping from component to array [K].

    Raises:
        ValueError: the checkpoints do not increase, or an array does not have one value per checkpoint.
    """
    checkpoints = np.asarray(steps, dtype="int64" if axis.name == STEPS.name else float)
    if checkpoints.ndim != 1 or np.any(np.diff(checkpoints) <= 0):
        raise ValueError(f"{axis.name}s must be a list of increasing {axis.unit}, each once")
    rows = [
        curve_rows(checkpoints, observable, component, array, axis)
        for observable, curves in values.items()
        for component, array in (curves.items() if isinstance(curves, Mapping) else [(WHOLE_NETWORK, curves)])
    ]
    return validated(pd.concat(rows, ignore_index=True), axis) if rows else empty(axis)


def empty(axis: Axis = STEPS) -> pd.DataFrame:
    """Return the trajectory table without a row, in the right types."""
    return with_axis(schema(axis).validate(pd.DataFrame({name: [] for name in columns(axis)})), axis)


def llc_rows(llc_frame: pd.DataFrame, axis: Axis = STEPS) -> pd.DataFrame:
    """Return the rows of λ̂ from `Estimate.to_frame()`. A `component` column there (refined estimates) is kept."""
    missing = {axis.name, "llc", "standard_error", "verdict"} - set(llc_frame.columns)
    if missing:
        raise ValueError(f"the table of λ̂ lacks {', '.join(sorted(missing))}")
    named = llc_frame.rename(columns={"llc": "value"}).assign(observable="llc")
    return named.assign(component=named.get("component", WHOLE_NETWORK)).loc[:, columns(axis)]


def localisation_rows(llc_frame: pd.DataFrame, axis: Axis = STEPS) -> pd.DataFrame:
    """Return the rows of (nβ)² Var(L) and of the share of λ̂ that the localisation decides, from `Estimate.to_frame()`."""
    named = llc_frame.assign(component=llc_frame.get("component", WHOLE_NETWORK))
    rows = [
        named.assign(observable=name, value=named[name], standard_error=named[f"{name}_standard_error"])
        for name in ("llc_variance", "held_by_localization")
        if name in llc_frame
    ]
    return pd.concat(rows, ignore_index=True).loc[:, columns(axis)] if rows else empty(axis)


def criteria_rows(criteria: pd.DataFrame, axis: Axis = STEPS) -> pd.DataFrame:
    """Return the rows of the information criteria of information.parquet that are defined at some checkpoint."""
    defined = criteria.dropna(axis="columns", how="all")
    rows = defined.melt([axis.name, "verdict"], var_name="observable", value_name="value")
    return rows.assign(component=WHOLE_NETWORK, standard_error=np.nan).loc[:, columns(axis)]


def assemble(*tables: pd.DataFrame, axis: Axis = STEPS) -> pd.DataFrame:
    """Return the trajectory of a run: the rows of all tables together, validated and sorted.

    Args:
        tables: any number of tables that have the columns of the schema; further columns are left out. `llc_rows`,
            `tidy_observables` and `criteria_rows` make such tables.

    Raises:
        ValueError: a column is missing or of the wrong type, or a checkpoint occurs twice in a curve.
    """
    parts = []
    for table in tables:
        if missing := [name for name in columns(axis) if name not in table.columns]:
            raise ValueError(f"a table of the trajectory lacks {', '.join(missing)}; it has {', '.join(map(str, table.columns))}")
        if len(table):
            parts.append(table.loc[:, columns(axis)])
    return validated(pd.concat(parts, ignore_index=True), axis) if parts else empty(axis)
