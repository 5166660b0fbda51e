"""Outputs that are missing or damaged are seen, named, and made again."""

import json
from pathlib import Path

import pandas as pd
import pytest

from ontogeny.config.reading import validate_study
from ontogeny.jobs.job import Job, Made
from ontogeny.pipeline.files import ResultError, read_json, read_parquet, write_json, write_text
from ontogeny.pipeline.manifests import damage, damaged_jobs, describe
from ontogeny.pipeline.plan import Plan

RAW = {
    "results": "results",
    "seeds": [0, 1],
    "families": {
        "toy": {
            "task": {"kind": "sparse_features"},
            "model": {"kind": "superposition"},
            "training": {"optimizer": {"name": "sgd", "learning_rate": 0.1}, "steps": 10},
            "checkpoints": {"linear": 2},
        }
    },
}


@pytest.fixture
def plan(tmp_path, monkeypatch) -> Plan:
    monkeypatch.chdir(tmp_path)
    return Plan(*validate_study(RAW, Path("config.yaml")), Path())


def job(name: str = "train") -> Job:
    specification = {"seeds": [0, 1], "code": "test"}
    return Job(name=name, results=Path("results"), family="toy", variant="base", block="seeds~0-7", specification=specification)


def write(made: Job, seed: int) -> Made:
    folder = made.seed_folder(seed)
    write_text(folder / "table.txt", f"table of {seed}")
    write_text(folder / "parts" / "one.txt", "one")
    return Made(outputs=[folder / "table.txt", folder / "parts"], details={"seconds": 7.0})


def run(made: Job) -> list[int]:
    """Run the job; the seeds that it worked on."""
    worked: list[int] = []

    def work(seed: int) -> Made:
        worked.append(seed)
        return write(made, seed)

    made.per_seed(work)
    return worked


def test_whole_results_are_left_alone(plan):
    assert run(job()) == [0, 1] and damaged_jobs(plan) == {}
    assert run(job()) == []
    assert job().manifest(0, "train")["seconds"] == 7.0


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda folder: (folder / "table.txt").unlink(), "table.txt is missing"),
        (lambda folder: (folder / "table.txt").write_text("tab"), "table.txt has 3 bytes; 10 were written"),
        (lambda folder: (folder / "parts" / "one.txt").unlink(), "parts has 0 bytes; 3 were written"),
        (lambda folder: (folder / "manifest" / "train.json").write_text("{"), "train.json is damaged"),
        (lambda folder: (folder / "manifest" / "train.json").unlink(), "train.json is missing"),
    ],
)
def test_damage_runs_the_job_of_the_block_again(plan, harm, message):
    run(job())
    harm(job().seed_folder(1))
    ((declared, why),) = damaged_jobs(plan).items()
    assert declared == "results/toy/base/jobs/seeds~0-7/train.json" and message in why and "seed~1" in why
    assert run(job()) == [1]
    assert damaged_jobs(plan) == {}


def test_a_changed_byte_is_seen_by_the_job_that_runs_again(plan):
    run(job())
    (job().seed_folder(0) / "table.txt").write_text("TABLE of 0")
    assert damaged_jobs(plan) == {}  # the sizes are the same
    assert run(job()) == [0]


def test_results_that_all_seeds_share_must_be_json(plan):
    folder = Path(plan.folder(plan.variants[0]))
    write_json(folder / "calibration.json", {"digest": "x"})
    assert damaged_jobs(plan) == {}
    (folder / "calibration.json").write_text('{"digest"')
    assert damaged_jobs(plan) == {str(folder / "calibration.json"): f"{folder / 'calibration.json'} is damaged"}


def test_a_seed_that_is_not_yet_done_is_no_damage(plan):
    made = job()
    made.specification["seeds"].remove(1)
    run(made)
    assert damaged_jobs(plan) == {}


def test_a_file_that_cannot_be_read_is_named_and_set_aside(tmp_path):
    path = tmp_path / "llc.parquet"
    pd.DataFrame({"a": range(1000)}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ResultError, match=r"llc.parquet is damaged .* now llc.parquet.damaged. Run the same `snakemake` command"):
        read_parquet(path)
    assert not path.exists() and (tmp_path / "llc.parquet.damaged").exists()
    with pytest.raises(ResultError, match=r"llc.parquet is missing"):
        read_parquet(path)
    (tmp_path / "a.json").write_text(json.dumps({"a": 1})[:3])
    with pytest.raises(ResultError, match=r"a.json is damaged"):
        read_json(tmp_path / "a.json")


def test_outputs_are_described_by_size_and_digest(tmp_path):
    (tmp_path / "a.txt").write_text("abc")
    manifest = {"outputs": describe(tmp_path, [tmp_path / "a.txt"])}
    assert manifest["outputs"]["a.txt"]["size"] == 3 and damage(tmp_path, manifest, thorough=True) is None
    (tmp_path / "a.txt").write_text("abd")
    assert damage(tmp_path, manifest) is None
    assert damage(tmp_path, manifest, thorough=True) == f"{tmp_path / 'a.txt'} is not what was written"
