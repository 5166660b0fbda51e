import numpy as np
import pandas as pd
import pytest

from ontogeny.trajectory import COLUMNS, assemble, empty, tidy_observables, validated

STEPS = [0, 10, 100]


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
    frame = tidy_observables(STEPS, {"loss": np.array([3, 2, 1]), "copying_score": {"a": [0.1, 0.2, 0.3], "b": np.zeros(3)}})
    assert list(frame.columns) == COLUMNS
    assert frame[frame["component"] == "a"]["value"].tolist() == [0.1, 0.2, 0.3]
    assert frame[frame["observable"] == "loss"][["step", "value", "component"]].to_numpy().tolist() == [
        [0, 3.0, ""],
        [10, 2.0, ""],
        [100, 1.0, ""],
    ]
    assert frame["standard_error"].isna().all()


def test_nothing_observed_is_an_empty_table() -> None:
    pd.testing.assert_frame_equal(tidy_observables(STEPS, {}), empty())
    assert assemble(llc_frame(), tidy_observables(STEPS, {}))["observable"].unique().tolist() == ["llc"]


@pytest.mark.parametrize("steps", [[0, 10, 10], [10, 0, 100], [[0, 10, 100]]])
def test_steps_increase(steps: list) -> None:
    with pytest.raises(ValueError, match="increasing"):
        tidy_observables(steps, {"loss": np.zeros(3)})


def test_a_value_per_step() -> None:
    with pytest.raises(ValueError, match=r"copying_score of a has shape \(2,\); there are 3 steps"):
        tidy_observables(STEPS, {"copying_score": {"a": [1, 2]}})


def test_assembled_is_sorted_and_keeps_verdicts() -> None:
    frame = assemble(llc_frame().iloc[::-1], tidy_observables(STEPS, {"loss": [3, 2, 1]}))
    assert frame["observable"].tolist() == ["llc", "llc", "loss", "loss", "loss"]
    assert frame["step"].tolist() == [0, 100, 0, 10, 100]
    assert frame["verdict"].tolist() == ["dead chains", "ok", "", "", ""]
    pd.testing.assert_frame_equal(frame, validated(frame))


def test_components_of_refined_estimates_are_kept() -> None:
    refined = pd.concat([llc_frame(), llc_frame(component="layers.0")], ignore_index=True).fillna({"component": ""})
    assert assemble(refined, empty())["component"].tolist() == ["", "", "layers.0", "layers.0"]


def test_doubled_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="not a trajectory table"):
        assemble(llc_frame(step=[100, 100]), empty())


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="lacks verdict"):
        assemble(llc_frame().drop(columns="verdict"), empty())
    with pytest.raises(ValueError, match="not a trajectory table"):
        validated(empty().drop(columns="value"))
