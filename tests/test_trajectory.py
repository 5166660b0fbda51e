import numpy as np
import pandas as pd
import pytest

from ontogeny.trajectory import COLUMNS, STEPS, Axis, assemble, axis_of, empty, llc_rows, tidy_observables, validated

CHECKPOINTS = [0, 10, 100]


def llc_frame(**changes: object) -> pd.DataFrame:
    columns = {
        "step": [0, 100],
        "llc": [np.nan, 5.0],
        "standard_error": [np.nan, 0.2],
        "effective_sample_size": [10.0, 50.0],
        "verdict": ["dead chains", "ok"],
    }
    return pd.DataFrame(columns | changes)


def test_observables_have_a_row_per_step_and_component() -> None:
    frame = tidy_observables(
        CHECKPOINTS, {"loss": np.array([3, 2, 1]), "copying_score": {"a": [0.1, 0.2, 0.3], "b": np.zeros(3)}}
    )
    assert list(frame.columns) == COLUMNS
    assert frame[frame["component"] == "a"]["value"].tolist() == [0.1, 0.2, 0.3]
    assert frame[frame["observable"] == "loss"][["step", "value", "component"]].to_numpy().tolist() == [
        [0, 3.0, ""],
        [10, 2.0, ""],
        [100, 1.0, ""],
    ]
    assert frame["standard_error"].isna().all()


def test_nothing_observed_is_an_empty_table() -> None:
    pd.testing.assert_frame_equal(tidy_observables(CHECKPOINTS, {}), empty())
    assert assemble(llc_rows(llc_frame()), tidy_observables(CHECKPOINTS, {}))["observable"].unique().tolist() == ["llc"]


@pytest.mark.parametrize("steps", [[0, 10, 10], [10, 0, 100], [[0, 10, 100]]])
def test_steps_increase(steps: list) -> None:
    with pytest.raises(ValueError, match="increasing"):
        tidy_observables(steps, {"loss": np.zeros(3)})


def test_a_value_per_step() -> None:
    with pytest.raises(ValueError, match=r"copying_score of a has shape \(2,\); there are 3 steps"):
        tidy_observables(CHECKPOINTS, {"copying_score": {"a": [1, 2]}})


def test_assembled_is_sorted_and_keeps_verdicts() -> None:
    frame = assemble(llc_rows(llc_frame()).iloc[::-1], tidy_observables(CHECKPOINTS, {"loss": [3, 2, 1]}))
    assert frame["observable"].tolist() == ["llc", "llc", "loss", "loss", "loss"]
    assert frame["step"].tolist() == [0, 100, 0, 10, 100]
    assert frame["verdict"].tolist() == ["dead chains", "ok", "", "", ""]
    pd.testing.assert_frame_equal(frame, validated(frame))


def test_components_of_refined_estimates_are_kept() -> None:
    refined = pd.concat([llc_frame(), llc_frame(component="layers.0")], ignore_index=True).fillna({"component": ""})
    assert assemble(llc_rows(refined), empty())["component"].tolist() == ["", "", "layers.0", "layers.0"]


def test_doubled_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="not a trajectory table"):
        assemble(llc_rows(llc_frame(step=[100, 100])), empty())


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="lacks verdict"):
        llc_rows(llc_frame().drop(columns="verdict"))
    with pytest.raises(ValueError, match="a table of the trajectory lacks observable, component, value; it has step, llc"):
        assemble(empty(), llc_frame())
    with pytest.raises(ValueError, match="not a trajectory table"):
        validated(empty().drop(columns="value"))


def test_any_number_of_tables_is_one_trajectory() -> None:
    tables = [tidy_observables(CHECKPOINTS, {name: [1, 2, 3]}) for name in ("norm", "rank", "loss")]
    assert assemble(*tables)["observable"].unique().tolist() == ["loss", "norm", "rank"]
    pd.testing.assert_frame_equal(assemble(), empty())


@pytest.mark.parametrize("scale", ["log1p", "log", "linear"])
def test_positions_and_values_are_inverse(scale: str) -> None:
    axis, values = Axis("T", scale, "data points"), np.array([0.5, 1.0, 2000.25])
    np.testing.assert_allclose(axis.value(axis.position(values)), values)
    assert axis.contains([1.0, np.nan, np.inf, -1.0]).tolist() == [True, False, False, scale == "linear"]


def test_an_unknown_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown scale 'square'; it may be log1p, log, linear"):
        Axis("T", "square")


def test_a_table_along_another_axis_keeps_it_through_parquet(tmp_path) -> None:
    axis = Axis("T", "log", "data points")
    frame = tidy_observables([0.5, 1.5, 40.25], {"loss": [3, 2, 1]}, axis)
    frame.to_parquet(tmp_path / "trajectory.parquet")
    read = pd.read_parquet(tmp_path / "trajectory.parquet")
    assert read["T"].tolist() == [0.5, 1.5, 40.25]
    assert axis_of(read) == axis
    assert axis_of(pd.DataFrame({"step": [1]})) == STEPS
    with pytest.raises(ValueError, match="carries no axis"):
        axis_of(pd.DataFrame({"T": [1.0]}))
    with pytest.raises(ValueError, match="lies on a log scale"):
        validated(frame.assign(T=[0.0, 1.0, 2.0]), axis)
