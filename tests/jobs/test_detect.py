"""Test what the job that looks for transitions makes of its section of the config."""

import json

import numpy as np
import pandas as pd
import pytest

from ontogeny import config
from ontogeny.jobs import detect
from ontogeny.jobs.job import Job
from ontogeny.jobs.measurements import write_measurements
from ontogeny.pipeline.files import write_json
from ontogeny.trajectory import tidy_observables
from ontogeny.transitions.interventions import interventions as interventions_of

STEPS = np.arange(0, 3000, 50)
JUMP = 1500


def folder_of(results, transitions) -> Job:
    """A job whose run has λ̂ that jumps at 1500, sampled by four chains, and nothing observed beside it."""
    specification = {
        "seeds": [0],
        "code": "test",
        "training": {"optimizer": {"learning_rate": 0.1}, "steps": 3000},
        "transitions": transitions,
    }
    job = Job(name="detect", results=results, specification=specification, family="line", variant="base", block="seed~0")
    for kind in ("estimate", "observe"):
        write_json(job.manifest_path(0, kind), {"digest": ""})
    write_json(job.seed_folder(0) / "run.json", {"steps": STEPS.tolist()})
    generator = np.random.default_rng(0)
    chains = 10 + 5.0 * (STEPS >= JUMP)[:, None] + generator.standard_normal((len(STEPS), 4))
    mean, error = chains.mean(1), chains.std(1, ddof=1) / 2
    health = {"step": STEPS, "component": "", "llc": mean, "standard_error": error, "verdict": "ok"}
    pd.DataFrame(health).to_parquet(job.seed_folder(0) / "health.parquet")
    rows = {"step": STEPS, "observable": "loss", "component": "", "value": np.exp(-STEPS / 1000), "standard_error": np.nan}
    pd.DataFrame(rows).assign(verdict="").to_parquet(job.seed_folder(0) / "observables.parquet")
    sampled = {"step": STEPS.repeat(4), "component": "", "chain": np.tile(np.arange(4), len(STEPS)), "llc": chains.ravel()}
    pd.DataFrame(sampled).to_parquet(job.seed_folder(0) / "llc.parquet")
    return job


@pytest.mark.parametrize(
    ("interventions", "candidates", "void"),
    [({}, 1, []), ({"1500": "the data changed"}, 0, ["coincides with the data changed at 1500"]), ({"300": "elsewhere"}, 1, [])],
)
def test_a_candidate_at_an_intervention_that_the_family_lists_is_void(tmp_path, interventions, candidates, void):
    job = folder_of(tmp_path, {"interventions": interventions})
    detect.run(job)
    found = json.loads((job.seed_folder(0) / "transitions.json").read_text())
    assert len(found["candidates"]) == candidates
    assert [row["reason"] for row in found["void"]] == void


def test_rows_of_any_job_are_looked_at_and_run_the_job_again(tmp_path):
    job = folder_of(tmp_path, {})
    detect.run(job)
    folder = job.seed_folder(0)
    before = job.manifest(0, "detect")["digest"]
    values = 1.0 + (STEPS >= JUMP) + 0.01 * np.random.default_rng(1).standard_normal(len(STEPS))
    write_measurements(folder, "dictionaries", tidy_observables(STEPS, {"dead_features": values}))
    detect.run(job)
    assert job.manifest(0, "detect")["digest"] != before
    assert "dead_features" in set(pd.read_parquet(folder / "trajectory.parquet")["observable"])
    (candidate,) = json.loads((folder / "transitions.json").read_text())["candidates"]
    assert {row["observable"] for row in candidate["evidence"]} == {"llc", "dead_features"}


def test_a_jump_of_the_learning_rate_is_listed_beside_what_the_family_lists():
    halved = {"name": "piecewise_constant_schedule", "init_value": 0.1, "boundaries_and_scales": {50: 0.5}}
    training = config.Training.model_validate({"optimizer": {"learning_rate": halved}, "steps": 100})
    section = config.Transitions.model_validate({"interventions": {50: "the data changed", 70: "weight decay off"}})
    assert interventions_of(training, section) == {
        50: "the learning rate went from 0.1 to 0.05 and the data changed",
        70: "weight decay off",
    }


def test_a_critical_sample_size_counts_whole_examples_and_says_at_which_settings(tmp_path):
    job = folder_of(tmp_path, {})
    folder = job.seed_folder(0)
    calibration = {"inverse_temperature": 100.0, "localization": 20.0, "stability": {"bias": 0.3, "whole_bias": 0.2}}
    write_json(job.folder / "calibration.json", calibration)
    write_json(job.manifest_path(0, "estimate"), {"digest": "", "averages_over": 8})
    rows = pd.read_parquet(folder / "observables.parquet")
    noise = 1e-4 * np.random.default_rng(3).standard_normal(len(STEPS))
    rows.assign(value=1.0 - 0.01 * (STEPS >= JUMP) + noise).to_parquet(folder / "observables.parquet")
    detect.run(job)
    (candidate,) = json.loads((folder / "transitions.json").read_text())["candidates"]
    assert candidate["critical_sample_size_unit"] == "examples of 8 terms"
    assert [candidate[name] for name in ("inverse_temperature", "localization", "step_bias")] == [100.0, 20.0, 0.2]
    n, change = candidate["critical_sample_size"], candidate["delta_llc"]
    assert n * 8 * candidate["delta_loss"] + change * np.log(n) == pytest.approx(0, abs=1e-6)
    shares = {"held_by_localization": 0.9, "held_by_localization_standard_error": 0.01}
    pd.read_parquet(folder / "health.parquet").assign(**shares).to_parquet(folder / "health.parquet")
    job.manifest_path(0, "detect").unlink()
    detect.run(job)
    (candidate,) = json.loads((folder / "transitions.json").read_text())["candidates"]
    assert candidate["critical_sample_size"] is None and candidate["held_by_localization"] == pytest.approx(0.9)


def test_an_observable_that_repeats_another_one_is_read_and_not_searched(tmp_path):
    job = folder_of(tmp_path, {"not_searched": ["copying_score_over_chance"]})
    folder = job.seed_folder(0)
    values = 1.0 + (STEPS >= JUMP) + 0.01 * np.random.default_rng(1).standard_normal(len(STEPS))
    names = ("copying_score", "copying_score_over_chance")
    write_measurements(folder, "heads", tidy_observables(STEPS, dict.fromkeys(names, values)))
    detect.run(job)
    (candidate,) = json.loads((folder / "transitions.json").read_text())["candidates"]
    assert {row["observable"] for row in candidate["evidence"]} == {"llc", "copying_score"}
    assert set(names) <= set(pd.read_parquet(folder / "trajectory.parquet")["observable"])
