"""The way of `transitions.json` from objects to a file and back."""

import json

import numpy as np
import pytest

from ontogeny.errors import SpecificationError
from ontogeny.transitions.candidates import candidates
from ontogeny.transitions.consensus import Consensus, consensus
from ontogeny.transitions.detection.detect import detect_transitions
from ontogeny.transitions.records import Development, Stage, from_json, to_json


@pytest.fixture(scope="module")
def development(superposition_run) -> Development:
    run = superposition_run(seed=1, jump=100)
    curves = run[run["observable"].isin(["llc", "population_loss", "polygon_vertices", "positive_dead_biases"])]
    return candidates(curves, detect_transitions(curves, interventions={10_000: "another batch size"}))


@pytest.mark.end_to_end
def test_what_is_written_is_read_back(development) -> None:
    content = json.loads(json.dumps(to_json(development), allow_nan=False))
    assert content["candidates"] and content["stages"] and content["boundaries"] and content["undecided"]
    assert to_json(from_json(Development, content, "transitions.json")) == content
    agreed = json.loads(json.dumps(to_json(consensus({0: development, 1: development})), allow_nan=False))
    assert agreed["seeds"] == [0, 1] and agreed["transitions"][0]["seeds"] == [0, 1]
    assert to_json(from_json(Consensus, agreed, "consensus.json")) == agreed


def test_the_keys_that_others_read_stay(development) -> None:
    content = to_json(development)
    assert set(content) >= {"candidates", "stages", "boundaries", "void", "undecided"}
    assert set(content["boundaries"][0]) == {"location", "from", "to", "probability"}
    assert set(content["stages"][0]) == {"start", "end", "delta_llc", "delta_loss", "type"}
    candidate = content["candidates"][0]
    assert set(candidate) == {
        *("location_low", "location_high", "llc_before", "llc_after", "loss_before", "loss_after"),
        *("name", "named_by", "start", "location", "end", "observable", "component", "direction", "change"),
        *("change_standard_error", "p_value", "q_value", "delta_llc", "delta_llc_standard_error"),
        *("delta_llc_degrees_of_freedom", "delta_loss", "delta_loss_standard_error", "delta_negative_log_prior"),
        *("free_energy_condition", "free_energy_condition_probability", "critical_sample_size"),
        *("critical_sample_size_unit", "critical_sample_size_kind", "inverse_temperature", "localization", "step_bias"),
        *("held_by_localization", "delta_llc_spread"),
        *("critical_sample_size_low", "critical_sample_size_high", "lags", "evidence", "llc_verdict", "co_timing_p_value"),
    }
    evidence = {"observable", "component", "start", "location", "location_low", "location_high", "end", "change"}
    assert evidence <= set(candidate["evidence"][0])
    assert set(candidate["named_by"][0]) == {"observable", "component", "before", "after", "direction", "at"}
    assert set(candidate["lags"][0]) == {"observable", "component", "reference", "lag", "lag_low", "lag_high"}


@pytest.mark.end_to_end
def test_a_missing_or_wrong_field_is_named_with_its_file(development) -> None:
    content = to_json(development)
    del content["candidates"][0]["p_value"], content["boundaries"][0]["from"]
    content["stages"][0]["start"] = "early"
    with pytest.raises(
        SpecificationError, match=r"^results/transitions\.json: candidates\[0\]\.p_value: field required; "
    ) as fault:
        from_json(Development, content, "results/transitions.json")
    assert "stages[0].start: input should be a valid number" in str(fault.value)
    assert "boundaries[0].from: field required" in str(fault.value)
    with pytest.raises(SpecificationError, match=r"transitions\.json: the content: input should be a dictionary"):
        from_json(Development, [], "transitions.json")


def test_numbers_that_json_lacks_are_none() -> None:
    stage = Stage(start=0.0, end=np.inf, delta_llc=np.nan, delta_loss=None, type="quiet")
    assert to_json(stage) == {"start": 0.0, "end": None, "delta_llc": None, "delta_loss": None, "type": "quiet"}
