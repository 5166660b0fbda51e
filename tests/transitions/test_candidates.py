import json

import numpy as np
import pandas as pd
import pytest

from ontogeny.trajectory import STEPS
from ontogeny.transitions.candidates import candidates, evidence_of
from ontogeny.transitions.detection.detect import detect_transitions
from ontogeny.transitions.events import Event, group
from ontogeny.transitions.records import Reason, Remark, to_json


def row(start: float, end: float, change: float = 1.0, name: str = "loss", **changes: float) -> dict:
    """A row of `detect_transitions`."""
    middle = (start + end) / 2
    places = {"start": start, "location": middle, "location_low": middle, "location_high": middle, "end": end}
    tested = {"change": change, "change_standard_error": 0.01, "p_value": 0.001, "q_value": 0.01, "slope_probability": 1.0}
    words = {"observable": name, "component": "", "direction": "rise", "decision": "candidate", "reason": ""}
    return places | tested | words | changes


def events(*rows: dict) -> list[Event]:
    return group(evidence_of(pd.DataFrame(rows), ["candidate"]), STEPS)


def test_coinciding_rows_are_one_event_and_others_are_not() -> None:
    first, second = events(row(100, 200), row(120, 220), row(1000, 2000))
    assert [len(event.passages) for event in (first, second)] == [2, 1]
    assert (first.start, first.end) == (100, 220)


def test_a_chain_of_overlaps_does_not_join_a_whole_run() -> None:
    assert len(events(row(100, 200, change=9), row(150, 300, change=2), row(240, 450), row(400, 700))) > 1


def test_what_has_no_name_joins_the_named_event_it_coincides_with(superposition_run) -> None:
    run = superposition_run(seed=1, jump=100)
    precursor = row(141_000, 153_000, name="feature_norm")
    detected = pd.concat([detect_transitions(run, observables=["polygon_vertices"]), pd.DataFrame([precursor])])
    (candidate,) = candidates(run, detected).candidates
    assert candidate.name == "4-gon → 5-gon"
    assert candidate.named_by == (Reason(observable="polygon_vertices", component="", before=4.0, after=5.0, direction="change"),)
    assert {passage.observable for passage in candidate.evidence} == {"polygon_vertices", "feature_norm"}


def test_a_curve_that_moves_twice_across_a_named_event_moves_once(superposition_run) -> None:
    run = superposition_run(seed=1, jump=100)
    found = detect_transitions(run, observables=["polygon_vertices"])
    (start, end), width = found.loc[0, ["start", "end"]], 20_000
    rise, dip = row(start, end, name="llc"), row(start - width, start + 1, change=-0.3, name="llc")
    for before, names in ((dip, ["4-gon → 5-gon"]), (dip | {"observable": "feature_norm"}, ["unnamed", "4-gon → 5-gon"])):
        result = candidates(run, pd.concat([found, pd.DataFrame([rise, before])]))
        assert [candidate.name for candidate in result.candidates] == names
    apart = row(start - width, start, change=-0.3, name="llc")
    assert len(candidates(run, pd.concat([found, pd.DataFrame([rise, apart])])).candidates) == 2


def test_evidence_is_listed_the_clearest_first(superposition_run) -> None:
    run = superposition_run(seed=1, jump=100)
    found = detect_transitions(run, observables=["polygon_vertices"])
    clearer = row(141_000, 153_000, name="feature_norm")
    for p_value, order in ((0.0, ["feature_norm", "polygon_vertices"]), (1.0, ["polygon_vertices", "feature_norm"])):
        (candidate,) = candidates(run, pd.concat([found, pd.DataFrame([clearer | {"p_value": p_value}])])).candidates
        assert [passage.observable for passage in candidate.evidence] == order


def test_a_passage_that_changes_less_than_what_counts_is_no_evidence(one_curve) -> None:
    steps = np.arange(0, 3000, 50)
    fading = 0.007 + 0.035 * (steps < 1500) + 1e-4 * np.random.default_rng(0).standard_normal(len(steps))
    for name, count in (("prefix_matching_score", 0), ("my_score", 1)):
        run = one_curve(steps, fading, name=name)
        result = candidates(run, detect_transitions(run))
        assert (len(result.candidates), len(result.small)) == (count, 1 - count)
    assert [passage.change for passage in candidates(run, detect_transitions(run), least_changes={"my_score": 0.05}).small] == [
        pytest.approx(-0.035, abs=1e-3)
    ]


def test_llc_that_failed_its_checks_is_no_evidence(superposition_run) -> None:
    run = superposition_run(seed=1, jump=100)
    run = run[run["observable"].isin(["llc", "population_loss"])].copy()
    assert candidates(run, detect_transitions(run)).candidates[0].llc_verdict == "ok"
    run.loc[run["observable"] == "llc", "verdict"] = "r_hat"
    (candidate,) = candidates(run, detect_transitions(run)).candidates
    assert candidate.llc_verdict == "failed"
    assert candidate.delta_llc is None
    assert candidate.critical_sample_size is None
    assert candidate.free_energy_condition is None
    assert "llc" not in {passage.observable for passage in candidate.evidence}


@pytest.mark.end_to_end
def test_the_passage_to_the_5_gon(superposition_run) -> None:
    run = superposition_run(seed=1, jump=100)
    run = run[~run["component"].isin(["1", "2", "3", "4"])]
    result = candidates(run, detect_transitions(run))
    (candidate,) = result.candidates
    assert candidate.name == "4-gon → 5-gon"
    assert abs(candidate.location - 150_000) <= 3000
    assert candidate.free_energy_condition is True
    assert candidate.delta_loss == pytest.approx(-0.0354, abs=2e-4)
    assert abs(candidate.delta_llc - 1.5) < 3 * candidate.delta_llc_standard_error < 1.5
    low, high = candidate.critical_sample_size_low, candidate.critical_sample_size_high
    assert low < candidate.critical_sample_size < high
    assert {"llc", "population_loss", "polygon_vertices"} <= {passage.observable for passage in candidate.evidence}
    assert [stage.type for stage in result.stages][-1] == "quiet"
    assert result.undecided == (Remark(observable="positive_dead_biases", component="", reason="constant"),)


def test_a_run_without_a_transition_has_one_stage_and_no_candidate(superposition_run) -> None:
    run = superposition_run(seed=2)
    result = candidates(run, detect_transitions(run))
    assert result.candidates == ()
    assert [(stage.start, stage.end) for stage in result.stages] == [(0, 225_000)]


def test_induction_heads_form_once_with_two_layers(text_run) -> None:
    run = text_run(seed=3, induction=720)
    result = candidates(run, detect_transitions(run))
    names = [candidate.name for candidate in result.candidates]
    assert names.count("induction-head formation") == 1
    candidate = result.candidates[names.index("induction-head formation")]
    assert abs(candidate.location - 720) < 50
    assert candidate.free_energy_condition is True
    assert candidate.delta_llc == pytest.approx(40, abs=15)
    assert {"prefix_matching_score", "in_context_learning_score", "llc"} <= {passage.observable for passage in candidate.evidence}


@pytest.mark.end_to_end
@pytest.mark.parametrize("seed", range(3))
def test_one_layer_learns_bigrams_and_nothing_else(text_run, seed: int) -> None:
    run = text_run(seed=seed, layers=1)
    result = candidates(run, detect_transitions(run, seed=seed))
    assert {candidate.name for candidate in result.candidates} == {"bigram learning"}


def test_the_result_is_plain_json_also_without_llc_and_loss(superposition_run) -> None:
    run = superposition_run(seed=1, jump=100)
    structural = run[run["observable"] == "polygon_vertices"]
    result = candidates(structural, detect_transitions(structural))
    content = to_json(result)
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    (candidate,) = result.candidates
    assert candidate.name == "4-gon → 5-gon"
    assert candidate.free_energy_condition is None
    assert candidate.critical_sample_size is candidate.delta_llc is candidate.llc_verdict is None


def test_without_evidence_there_are_no_stages(one_curve) -> None:
    run = one_curve(np.arange(10), np.full(10, np.nan))
    assert candidates(run, detect_transitions(run)).stages == ()


def test_a_curve_without_any_value_does_not_hinder_the_others(superposition_run) -> None:
    run = superposition_run(seed=1, jump=100)
    run = run[run["observable"].isin(["loss", "polygon_vertices"])]
    empty = run[run["observable"] == "loss"].assign(observable="lost", value=np.nan)
    both = pd.concat([run, empty])
    result = candidates(both, detect_transitions(both))
    assert [candidate.name for candidate in result.candidates] == ["4-gon → 5-gon"]


@pytest.mark.end_to_end
def test_a_void_passage_leaves_the_errors_of_the_other_changes_as_they_are() -> None:
    steps = np.arange(0, 10_000, 100)
    values = 5 - 1.0 * (steps > 3000) - 0.5 * (steps > 7000) + 0.05 * np.random.default_rng(0).standard_normal(len(steps))
    run = pd.DataFrame({"step": steps, "observable": "loss", "component": "", "value": values})
    whole, voided = (candidates(run, detect_transitions(run, interventions=given)) for given in ({}, {3050: "the data changed"}))
    assert len(whole.candidates) == 2 and len(voided.candidates) == len(voided.void) == 1
    assert voided.candidates[0].delta_loss_standard_error == whole.candidates[1].delta_loss_standard_error < 0.1


def loss_and_feature(loss: np.ndarray) -> pd.DataFrame:
    """A loss with noise, every 1,500 steps, and a feature that changes between steps 3,000 and 24,000."""
    steps = 1500 * np.arange(len(loss))
    noisy = loss + 1e-5 * np.random.default_rng(0).standard_normal(len(steps))
    curves = {"population_loss": noisy, "feature_norm": np.clip((steps - 3000) / 21_000, 0, 1)}
    return pd.concat(pd.DataFrame({"step": steps, "observable": name, "value": values}) for name, values in curves.items())


def test_a_level_does_not_reach_over_the_drop_at_step_0() -> None:
    run = loss_and_feature(np.array([0.11076, *[0.10422] * 60]))
    (candidate,) = candidates(run, pd.DataFrame([row(3000, 24_000, name="feature_norm")])).candidates
    assert candidate.loss_before == pytest.approx(0.10422, abs=3e-5)
    assert abs(candidate.delta_loss) < 3 * candidate.delta_loss_standard_error < 1e-4
    assert candidate.llc_before is candidate.delta_llc is None


@pytest.mark.parametrize("decision", ["candidate", "void"])
def test_a_level_stops_at_another_passage_of_its_curve(decision: str) -> None:
    passed = np.concatenate([np.full(8, 0.11), np.full(53, 0.10422)])
    other = row(10_500, 12_000, name="population_loss") | {"decision": decision}
    rows = pd.DataFrame([row(15_000, 18_000, name="feature_norm"), other])
    *_, candidate = candidates(loss_and_feature(passed), rows).candidates
    assert candidate.observable == "feature_norm"
    assert candidate.loss_before == pytest.approx(0.10422, abs=3e-5)
    assert abs(candidate.delta_loss) < 1e-4


def test_within_another_passage_of_a_curve_there_is_no_clean_level() -> None:
    falling = np.interp(np.arange(61), [2, 12], [0.11, 0.10])
    rows = pd.DataFrame([row(15_000, 40_500, name="feature_norm"), row(3000, 18_000, name="population_loss")])
    *_, candidate = candidates(loss_and_feature(falling), rows).candidates
    assert candidate.observable == "feature_norm"
    assert candidate.loss_before is candidate.delta_loss is candidate.free_energy_condition is None
    assert candidate.loss_after == pytest.approx(0.10, abs=3e-5)


def test_a_candidate_has_the_interval_of_its_location() -> None:
    rows = pd.DataFrame([row(3000, 24_000, name="feature_norm", location_low=917.0, location_high=69_178.0)])
    (candidate,) = candidates(loss_and_feature(np.full(61, 0.1)), rows).candidates
    assert (candidate.location_low, candidate.location_high) == (917, 69_178)
