"""Curves of very many checkpoints: thinned with a warning, never with the memory of their square."""

import numpy as np
import pandas as pd
import pytest

from ontogeny.trajectory import Axis
from ontogeny.transitions.candidates import candidates
from ontogeny.transitions.detection.cost import seconds
from ontogeny.transitions.detection.curves import curves_of
from ontogeny.transitions.detection.detect import detect_transitions, searches
from ontogeny.transitions.detection.thinning import MOST_CHECKPOINTS, evenly

STEPS = np.arange(3000)


def table(steps: np.ndarray = STEPS, **columns: object) -> pd.DataFrame:
    values = 5 + 1.0 * (steps > 900) + 0.3 * np.random.default_rng(0).standard_normal(len(steps))
    return pd.DataFrame({"step": steps, "observable": "llc", "component": "", "value": values} | columns)


@pytest.mark.end_to_end
def test_a_dense_curve_is_thinned_with_a_warning_and_its_transition_found() -> None:
    run = pd.concat([table(), table().assign(observable="rest", value=1.0)])
    with pytest.warns(UserWarning, match=r"2 curves \(llc, rest\) were thinned from 3,000 to \d+ checkpoints, evenly along step"):
        detected = detect_transitions(run)
    still, step = detected.to_dict(orient="records")
    assert (still["observable"], still["decision"]) == ("rest", "undecided")
    assert still["reason"].startswith("constant; thinned from 3,000 to ")
    assert abs(step["location"] - 900) < 30
    assert step["reason"].startswith("thinned from 3,000 to ")
    development = candidates(run, detected)
    assert [(row.observable, row.reason) for row in development.thinned] == [("llc", step["reason"]), ("rest", step["reason"])]
    assert development.candidates[0].evidence[0].reason == step["reason"]


def test_curves_of_as_many_checkpoints_as_can_be_searched_are_left_as_they_are() -> None:
    (curve,) = curves_of(table(STEPS[:MOST_CHECKPOINTS]))
    assert curve.thinned == "" and len(curve.values) == MOST_CHECKPOINTS


@pytest.mark.parametrize("errors", [np.nan, 0.3])
def test_half_a_million_checkpoints_take_little_memory(errors: float) -> None:
    steps = np.arange(500_000)
    (curve,) = curves_of(table(steps, standard_error=errors), axis=Axis("step", "linear"))
    assert len(curve.values) == MOST_CHECKPOINTS
    assert curve.thinned == f"thinned from 500,000 to {MOST_CHECKPOINTS} checkpoints, evenly along step"
    assert (curve.checkpoints[0], curve.checkpoints[-1]) == (0, 499_999)
    assert np.ptp(np.diff(curve.checkpoints)) <= 2
    assert curve.noise is None or curve.noise.shape == (MOST_CHECKPOINTS, MOST_CHECKPOINTS)


def test_chains_and_failed_checkpoints_are_thinned_with_their_curve() -> None:
    chains = table()["value"].to_numpy()[:, None] + 0.1 * np.random.default_rng(1).standard_normal((len(STEPS), 4))
    verdict = np.where(STEPS % 2, "ok", "r_hat")
    run = table(value=chains.mean(axis=1), standard_error=chains.std(axis=1, ddof=1) / 2, verdict=verdict)
    (curve,) = curves_of(run, axis=Axis("step", "linear"), chains={("llc", ""): chains})
    assert curve.thinned.startswith(f"thinned from 1,500 to {MOST_CHECKPOINTS} ")
    assert curve.chains.shape == (MOST_CHECKPOINTS, 4) and curve.noise.shape == (MOST_CHECKPOINTS, MOST_CHECKPOINTS)
    assert np.all(curve.checkpoints % 2 == 1)


def test_places_are_taken_evenly_by_position() -> None:
    assert evenly(np.arange(5.0), 5).tolist() == [0, 1, 2, 3, 4]
    assert evenly(np.arange(9.0), 3).tolist() == [0, 4, 8]
    assert evenly(np.array([0.0, 8.0, 8.5, 9.0, 9.5, 10.0]), 3).tolist() == [0, 1, 5]


def test_progress_counts_two_searches_of_every_curve(one_curve) -> None:
    steps = np.arange(40)
    curves = {
        "constant": np.ones(40),
        "noise": 5 + np.random.default_rng(0).standard_normal(40),
        "step": 5.0 + 4 * (steps > 20) + 0.3 * np.random.default_rng(1).standard_normal(40),
        "drift": 5.0 + 1e-6 * steps,
    }
    run = pd.concat([one_curve(steps, values, name=name) for name, values in curves.items()])
    done: list[int] = []
    silent, shown = detect_transitions(run), detect_transitions(run, progress=done.append)
    pd.testing.assert_frame_equal(silent, shown)
    assert len(done) > 2 and done == sorted(done) and done[-1] == searches(run) == 8


def test_the_cost_grows_with_curves_and_checkpoints_up_to_thinning() -> None:
    assert seconds(100, 20) < seconds(100, 40) < seconds(300, 40)
    assert seconds(MOST_CHECKPOINTS, 20) == seconds(10_000, 20)
    assert seconds(600, 19) < 25
    assert seconds(100, 0) == 0
