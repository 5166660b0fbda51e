"""Which tables of a run make up its trajectory."""

import json

import numpy as np
import pandas as pd
import pytest

from ontogeny.errors import SpecificationError
from ontogeny.jobs.measurements import axis_of_run, measured_tables, measurement_files, write_measurements
from ontogeny.trajectory import STEPS, Axis, tidy_observables

CHECKPOINTS = [0, 10, 100]


def test_a_table_that_any_job_writes_is_part_of_the_trajectory(tmp_path) -> None:
    assert measured_tables(tmp_path) == {}
    rows = tidy_observables(CHECKPOINTS, {"dead_features": {"layers.0": [3, 2, 1]}})
    write_measurements(tmp_path, "dictionaries", rows)
    pd.DataFrame({"step": CHECKPOINTS, "verdict": "ok", "waic": [3.0, 2, 1], "wbic": np.nan}).to_parquet(
        tmp_path / "information.parquet"
    )
    tables = measured_tables(tmp_path)
    assert {name: table.independent for name, table in tables.items()} == {
        "information": False,
        "measurements/dictionaries": True,
    }
    pd.testing.assert_frame_equal(tables["measurements/dictionaries"].rows, rows)
    assert [path.name for path in measurement_files(tmp_path)] == ["dictionaries.parquet"]


def test_rows_without_the_columns_of_the_schema_are_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="not a trajectory table"):
        write_measurements(tmp_path, "dictionaries", pd.DataFrame({"step": [0], "value": [1.0]}))
    assert not measurement_files(tmp_path)


def test_the_axis_of_a_run_is_the_one_that_its_run_json_states(tmp_path) -> None:
    assert axis_of_run(tmp_path) == STEPS
    path, axis = tmp_path / "run.json", {"name": "T", "scale": "log", "unit": "data points"}
    path.write_text(json.dumps({"steps": [1], "axis": axis}))
    assert axis_of_run(tmp_path) == Axis("T", "log", "data points")
    path.write_text(json.dumps({"axis": axis | {"scale": "square"}}))
    with pytest.raises(SpecificationError, match=r"run\.json: .*unknown scale 'square'"):
        axis_of_run(tmp_path)
