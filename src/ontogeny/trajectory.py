"""The tidy table of a run: one row per checkpoint, observable and component.

What was sampled (the local learning coefficient) and what was observed meet here, in the one format that transitions,
reports and users read. Everything is a pure function from tables to tables.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from jaxtyping import Shaped

WHOLE_NETWORK = ""
NOT_APPLICABLE = ""
PASSED = "ok"
MAIN_LOSSES = ("population_loss", "loss")
"""The loss that free energies use: the exact one where the task knows it."""
LOSSES = (*MAIN_LOSSES, "evaluation_loss")
"""Losses of the whole network."""
ALL_LOSSES = (*LOSSES, "loss_by_position")
"""One thing seen in several ways: what every transition shows."""

SCHEMA = pa.DataFrameSchema(
    {
        "step": pa.Column("int64", pa.Check.ge(0)),
        "observable": pa.Column(str, pa.Check.str_length(min_value=1)),
        "component": pa.Column(str),
        "value": pa.Column(float, nullable=True),
        "standard_error": pa.Column(float, pa.Check.ge(0), nullable=True),
        "verdict": pa.Column(str),
    },
    unique=["step", "observable", "component"],
    strict=True,
    ordered=True,
    coerce=True,
)
"""`component` is "" for the whole network, `verdict` is "" where it does not apply, "ok" or the checks that failed."""
COLUMNS = list(SCHEMA.columns)


def validated(frame: pd.DataFrame) -> pd.DataFrame:
    """The table in `SCHEMA`'s types, sorted by observable, component and step.

    Raises:
        ValueError: a column is missing, unknown or of the wrong type, or a step occurs twice in a curve.
    """
    try:
        checked = SCHEMA.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as faults:
        cases = faults.failure_cases[["column", "check", "failure_case"]].drop_duplicates().head(5)
        raise ValueError(f"not a trajectory table:\n{cases.to_string(index=False)}") from None
    return checked.sort_values(["observable", "component", "step"], ignore_index=True)


def curve_rows(steps: Shaped[np.ndarray, " K"], observable: str, component: str, values: Any) -> pd.DataFrame:
    """The rows of one curve; the values have shape [K]."""
    array = np.asarray(values, dtype=float)
    if array.shape != steps.shape:
        where = f"{observable} of {component}" if component else observable
        raise ValueError(f"{where} has shape {array.shape}; there are {len(steps)} steps")
    return pd.DataFrame(
        {
            "step": steps,
            "observable": observable,
            "component": component,
            "value": array,
            "standard_error": np.nan,
            "verdict": NOT_APPLICABLE,
        }
    )


def tidy_observables(steps: Sequence[int], values: Mapping[str, Any]) -> pd.DataFrame:
    """Observables, as they come out of the compiled program, as rows of the trajectory table.

    Args:
        steps: the K checkpoints, increasing.
        values: name -> array [K], or a mapping from component to array [K].

    Raises:
        ValueError: the steps do not increase, or an array does not have one value per step.
    """
    kept = np.asarray(steps, dtype="int64")
    if kept.ndim != 1 or np.any(np.diff(kept) <= 0):
        raise ValueError("steps must be a list of increasing training steps, each once")
    rows = [
        curve_rows(kept, observable, component, array)
        for observable, curves in values.items()
        for component, array in (curves.items() if isinstance(curves, Mapping) else [(WHOLE_NETWORK, curves)])
    ]
    return validated(pd.concat(rows, ignore_index=True)) if rows else empty()


def empty() -> pd.DataFrame:
    """The trajectory table without a row, in the right types."""
    return SCHEMA.validate(pd.DataFrame({name: [] for name in COLUMNS}))


def llc_rows(llc_frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of λ̂, from `Estimate.to_frame()`; a `component` column there (refined estimates) is kept."""
    missing = {"step", "llc", "standard_error", "verdict"} - set(llc_frame.columns)
    if missing:
        raise ValueError(f"the table of λ̂ lacks {', '.join(sorted(missing))}")
    named = llc_frame.rename(columns={"llc": "value"}).assign(observable="llc")
    return named.assign(component=named.get("component", WHOLE_NETWORK)).loc[:, COLUMNS]


def criteria_rows(criteria: pd.DataFrame) -> pd.DataFrame:
    """The rows of the information criteria, from information.parquet: those that are defined at some step, with its verdict."""
    defined = criteria.dropna(axis="columns", how="all")
    rows = defined.melt(["step", "verdict"], var_name="observable", value_name="value")
    return rows.assign(component=WHOLE_NETWORK, standard_error=np.nan).loc[:, COLUMNS]


def assemble(llc_frame: pd.DataFrame, *observed: pd.DataFrame) -> pd.DataFrame:
    """The trajectory table of a run: λ̂ and the observables together, validated and sorted.

    Args:
        llc_frame: `Estimate.to_frame()`, a row per sampled checkpoint; what it knows beyond step, llc, standard_error and
            verdict stays in its own file.
        observed: tables from `tidy_observables` and `criteria_rows`.

    Raises:
        ValueError: a column is missing or of the wrong type, or a step occurs twice in a curve.
    """
    parts = [part for part in (llc_rows(llc_frame), *(table.loc[:, COLUMNS] for table in observed)) if len(part)]
    return validated(pd.concat(parts, ignore_index=True)) if parts else empty()
