"""The tables of a run that make up its trajectory.

Any job may hand rows to the trajectory: it calls `write_measurements`, which writes `seed~N/measurements/NAME.parquet` with
the columns of `trajectory.schema`. `detect` collects every file of that folder, and three tables with columns of their own:

- `health.parquet`: λ̂ with its error and verdict at each sampled checkpoint, by `estimate`, and how much the localisation decides
  it. No transition is looked for in the latter, which comes from the draws of λ̂;
- `observables.parquet`: in the schema already, by `observe`;
- `information.parquet`: the information criteria, where per-example losses were kept. They are computed from the draws of λ̂
  and of the loss. Counted again, one change would be evidence many times, so no transition is looked for in them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ontogeny.pipeline.files import read_json, read_parquet, write_parquet
from ontogeny.trajectory import STEPS, Axis, criteria_rows, llc_rows, localisation_rows, validated
from ontogeny.transitions.records import from_json

FOLDER = "measurements"


@dataclass(frozen=True)
class Measurements:
    """Rows of a trajectory.

    Attributes:
        independent: whether transitions are looked for in them.
    """

    rows: pd.DataFrame
    independent: bool = True


Reader = Callable[[pd.DataFrame, Axis], pd.DataFrame]
TABLES: dict[str, tuple[str, Reader, bool]] = {
    "health": ("health", llc_rows, True),
    "localisation": ("health", localisation_rows, False),
    "observables": ("observables", validated, True),
    "information": ("information", criteria_rows, False),
}
"""Name of rows from outside the folder -> their file, how they are made, and whether they are independent."""


def write_measurements(folder: Path, name: str, rows: pd.DataFrame, axis: Axis = STEPS) -> None:
    """Write rows of the trajectory of the run in `folder`.

    Raises:
        ValueError: the rows do not have the columns of the schema.
    """
    write_parquet(folder / FOLDER / f"{name}.parquet", validated(rows, axis))


def measurement_files(folder: Path) -> list[Path]:
    """Return the files of the folder of measurements, sorted by name."""
    return sorted((folder / FOLDER).glob("*.parquet"))


def measured_tables(folder: Path, axis: Axis = STEPS) -> dict[str, Measurements]:
    """Return name -> rows, of every table that a job has written for the run in `folder`."""
    tables = {
        name: Measurements(rows_of(read_parquet(path), axis), independent)
        for name, (file, rows_of, independent) in TABLES.items()
        if (path := folder / f"{file}.parquet").is_file()
    }
    others = {path.stem: Measurements(validated(read_parquet(path), axis)) for path in measurement_files(folder)}
    return tables | {f"{FOLDER}/{name}": rows for name, rows in others.items()}


def axis_of_run(folder: Path) -> Axis:
    """Return the axis that `run.json` states; steps where there is no such file or it states none."""
    path = folder / "run.json"
    content = read_json(path) if path.is_file() else {}
    return from_json(Axis, content["axis"], str(path)) if "axis" in content else STEPS
