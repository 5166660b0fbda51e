"""A training that was interrupted, damaged or made denser ends with the same numbers, and trains no more than it must."""

import dataclasses
import json
import time

import numpy as np
import pandas as pd
import pytest

from ontogeny.checkpoints import blocks as checkpoints
from ontogeny.jobs import train
from ontogeny.jobs.job import Job
from ontogeny.jobs.train import Limits, Segment, segments

SMALL = Limits(piece=4, checkpoints=4)


def job(folder, seeds=(0, 1), steps=40, linear=20) -> Job:
    specification = {
        "seeds": list(seeds),
        "lanes": [0, 1],
        "code": "test",
        "task": {"kind": "sparse_features", "examples": 30},
        "model": {"kind": "superposition"},
        "training": {"optimizer": {"name": "adam", "learning_rate": 0.01}, "batch_size": 10, "steps": steps},
        "checkpoints": {"linear": linear},
    }
    return Job(name="train", results=folder, family="toy", variant="base", block="seeds~0-1", specification=specification)


def run(made: Job) -> Job:
    train.run(made, SMALL)
    return made


def folder(made: Job, seed: int):
    return made.seed_folder(seed) / "checkpoints"


def trained(made: Job, seed: int) -> np.ndarray:
    return checkpoints.read(folder(made, seed), made.run(seed)["steps"])[1]["weight"]


def written(made: Job, seed: int) -> dict[tuple[int, ...], int]:
    """Steps of each block -> when it was written."""
    place = folder(made, seed)
    return {b.steps: (place / b.path / "_METADATA").stat().st_mtime_ns for b in checkpoints.read_index(place)}


def interrupt(made: Job, blocks: dict[int, int]) -> None:
    """Leave of each seed as many blocks as an interruption would have."""
    for seed, count in blocks.items():
        place = folder(made, seed)
        checkpoints.write_index(place, train.run_digest(made, seed), checkpoints.read_index(place)[:count])
        made.manifest_path(seed, "train").unlink()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    made = run(job(tmp_path_factory.mktemp("whole")))
    return {seed: trained(made, seed) for seed in (0, 1)}


def test_an_interrupted_training_goes_on_after_its_last_block(tmp_path, whole):
    made = run(job(tmp_path))
    before = written(made, 0)
    interrupt(made, {0: 3, 1: 2})
    run(made)
    after = written(made, 0)
    assert [steps for steps in before if before[steps] == after.get(steps)] == list(before)[:3]
    for seed in (0, 1):
        np.testing.assert_array_equal(trained(made, seed), whole[seed])
        assert made.run(seed)["steps"] == list(range(0, 41, 2))


@pytest.mark.end_to_end
def test_a_damaged_block_is_trained_again_and_those_before_it_are_not(tmp_path, whole):
    made = run(job(tmp_path))
    place = folder(made, 1)
    first, third = (place / checkpoints.read_index(place)[number].path for number in (0, 2))
    untouched = (first / "_METADATA").stat().st_mtime_ns
    for path in third.rglob("d/*"):
        path.write_bytes(b"")
    run(made)
    listed = {(folder(made, seed) / b.path).resolve() for seed in (0, 1) for b in checkpoints.read_index(folder(made, seed))}
    assert set(train.shared_folder(made).resolve().iterdir()) <= listed
    assert (first / "_METADATA").stat().st_mtime_ns == untouched
    for seed in (0, 1):
        np.testing.assert_array_equal(trained(made, seed), whole[seed])


@pytest.mark.end_to_end
def test_a_damaged_index_is_trained_again(tmp_path, whole):
    made = run(job(tmp_path))
    index = folder(made, 1) / "index.json"
    index.write_text(index.read_text()[:50])
    run(made)
    np.testing.assert_array_equal(trained(made, 1), whole[1])


@pytest.mark.end_to_end
def test_a_denser_schedule_replays_only_the_blocks_that_lack_steps(tmp_path, whole):
    made = run(job(tmp_path))
    before = written(made, 0)
    denser = job(tmp_path)
    denser.specification["checkpoints"]["logarithmic"] = 6  # 1, 2, 4, 9, 19, 40: new are 1, 9, 19, in the first three blocks
    run(denser)
    after = written(denser, 0)
    assert [steps for steps in before if before[steps] == after.get(steps)] == list(before)[3:]
    assert denser.run(0)["digest"] == made.run(0)["digest"]
    fresh = job(tmp_path / "fresh")
    fresh.specification["checkpoints"]["logarithmic"] = 6
    run(fresh)
    for seed in (0, 1):
        np.testing.assert_array_equal(trained(denser, seed), trained(fresh, seed))
        tables = [pd.read_parquet(one.seed_folder(seed) / "training.parquet") for one in (denser, fresh)]
        pd.testing.assert_frame_equal(*tables)


@pytest.mark.end_to_end
def test_a_sparser_schedule_trains_nothing(tmp_path):
    made = run(job(tmp_path))
    before = written(made, 0)
    sparser = run(job(tmp_path, linear=10))
    assert written(sparser, 0) == before and sparser.run(0)["steps"] == list(range(0, 41, 4))
    tables = [pd.read_parquet(one.seed_folder(0) / "training.parquet") for one in (sparser, run(job(tmp_path / "f", linear=10)))]
    pd.testing.assert_frame_equal(*tables, rtol=1e-5)


def test_segments_reach_from_one_known_state_to_the_next():
    stored = [checkpoints.Block("", 0, steps, "") for steps in ((0, 2, 4), (6, 8), (10, 12))]
    assert segments((0, 4, 8, 12), stored) == ()
    assert segments((0, 7, 12), stored) == (Segment(4, (7, 8)),)
    assert segments((0, 1, 14), stored) == (Segment(None, (0, 1, 4)), Segment(12, (14,)))
    assert segments((0, 5), []) == (Segment(None, (0, 5)),)


@pytest.mark.end_to_end
def test_a_new_seed_leaves_the_files_of_the_others(tmp_path, whole):
    alone = run(job(tmp_path, seeds=[0]))
    before = {path: path.stat().st_mtime_ns for path in alone.seed_folder(0).rglob("*") if path.is_file()}
    made = run(job(tmp_path))
    assert {path: path.stat().st_mtime_ns for path in before} == before
    for seed in (0, 1):
        np.testing.assert_array_equal(trained(made, seed), whole[seed])


@pytest.mark.end_to_end
def test_a_seed_that_config_no_longer_lists_keeps_its_checkpoints(tmp_path, whole):
    made = run(job(tmp_path))
    shorter = run(job(tmp_path, seeds=[0], steps=20))
    np.testing.assert_array_equal(trained(made, 1), whole[1])
    assert len(trained(shorter, 0)) == 21


def test_a_finished_training_is_left_alone(tmp_path):
    made = run(job(tmp_path))
    before = made.manifest_path(0, "train").read_bytes()
    run(made)
    assert made.manifest_path(0, "train").read_bytes() == before
    assert set(json.loads((made.folder / "jobs" / "seeds~0-1" / "train.json").read_text())["digests"]) == {"0", "1"}


@pytest.mark.end_to_end
def test_another_specification_is_never_resumed(tmp_path):
    run(job(tmp_path, steps=20))
    longer = run(job(tmp_path, steps=40))
    assert checkpoints.read(folder(longer, 0))[0].tolist() == list(range(0, 41, 2))
    listed = checkpoints.read_index(folder(longer, 0))
    assert len(list(train.shared_folder(longer).iterdir())) == len(listed)


@pytest.mark.end_to_end
def test_a_seed_that_joins_an_interrupted_one_does_not_set_it_back(tmp_path, whole):
    alone = run(job(tmp_path, seeds=[0]))
    before = written(alone, 0)
    interrupt(alone, {0: 3})
    made = run(job(tmp_path))
    assert [steps for steps in before if before[steps] == written(made, 0).get(steps)] == list(before)[:3]
    for seed in (0, 1):
        np.testing.assert_array_equal(trained(made, seed), whole[seed])


@pytest.mark.end_to_end
def test_the_time_of_training_is_shared_and_adds_up_over_interrupted_jobs(tmp_path):
    began = time.monotonic()
    made = run(job(tmp_path))
    whole = time.monotonic() - began
    first, second = (made.manifest(seed, "train") for seed in (0, 1))
    assert first["seconds"] == second["seconds"] > 0 and 2 * first["seconds"] <= whole + 0.01
    assert "share it equally" in first["seconds_of"]
    index = checkpoints.read_index(folder(made, 0))
    slow = [dataclasses.replace(block, seconds=100.0) for block in index]
    checkpoints.write_index(folder(made, 0), train.run_digest(made, 0), slow)
    interrupt(made, {0: 3})
    run(made)
    assert 300 < made.manifest(0, "train")["seconds"] < 400
