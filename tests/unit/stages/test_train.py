"""A training that was interrupted, or whose checkpoints were damaged, ends with the same numbers."""

import json

import numpy as np
import pytest

from ontogeny import checkpoints
from ontogeny.stages import train
from ontogeny.stages.job import Job


def job(folder, seeds=(0, 1), steps=40) -> Job:
    specification = {
        "seeds": list(seeds),
        "lanes": [0, 1],
        "code": "test",
        "task": {"kind": "sparse_features", "examples": 30},
        "model": {"kind": "superposition"},
        "training": {"optimizer": {"name": "adam", "learning_rate": 0.01}, "batch_size": 10, "steps": steps},
        "checkpoints": {"linear": 20},
    }
    return Job(stage="train", results=folder, family="toy", variant="base", block="seeds~0-1", specification=specification)


def trained(made: Job, seed: int) -> np.ndarray:
    return checkpoints.read(made.seed_folder(seed) / "checkpoints")[1]["weight"]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(train, "PIECE", 4)
    monkeypatch.setattr(train, "BLOCK_CHECKPOINTS", 4)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    made = job(tmp_path_factory.mktemp("whole"))
    train.run(made)
    return {seed: trained(made, seed) for seed in (0, 1)}


def test_an_interrupted_training_goes_on(tmp_path, whole, monkeypatch):
    made, original, saved = job(tmp_path), train.save, []

    def failing(place, digest, block, lane):
        if len(saved) == 5:  # the third block of seed 0 is saved, that of seed 1 is not
            raise KeyboardInterrupt
        saved.append(place)
        original(place, digest, block, lane)

    monkeypatch.setattr(train, "save", failing)
    with pytest.raises(KeyboardInterrupt):
        train.run(made)
    assert not made.manifest_path(0, "train").exists()
    assert len(checkpoints.read_index(made.seed_folder(0) / "checkpoints")) == 3
    begun = []

    def watching(place, digest, block, lane):
        begun.append(block[0][0])
        original(place, digest, block, lane)

    monkeypatch.setattr(train, "save", watching)
    train.run(made)
    assert min(begun) == 16  # the first step after the second block
    for seed in (0, 1):
        np.testing.assert_array_equal(trained(made, seed), whole[seed])
        assert made.manifest(seed, "train")["steps"] == list(range(0, 41, 2))


def test_a_damaged_block_is_trained_again_and_those_before_it_are_not(tmp_path, whole):
    made = job(tmp_path)
    train.run(made)
    folder = made.seed_folder(1) / "checkpoints"
    first, third = checkpoints.read_index(folder)[0], checkpoints.read_index(folder)[2]
    untouched = (folder / first.name / "_METADATA").stat().st_mtime_ns
    for path in (folder / third.name).rglob("d/*"):
        path.write_bytes(b"")
    train.run(made)
    assert (folder / first.name / "_METADATA").stat().st_mtime_ns == untouched
    np.testing.assert_array_equal(trained(made, 1), whole[1])


def test_a_finished_training_is_left_alone(tmp_path):
    made = job(tmp_path)
    train.run(made)
    before = made.manifest_path(0, "train").read_bytes()
    train.run(made)
    assert made.manifest_path(0, "train").read_bytes() == before
    assert set(json.loads((made.folder / "jobs" / "seeds~0-1" / "train.json").read_text())["digests"]) == {"0", "1"}


def test_another_specification_is_never_resumed(tmp_path):
    train.run(job(tmp_path, steps=20))
    longer = job(tmp_path, steps=40)
    train.run(longer)
    assert checkpoints.read(longer.seed_folder(0) / "checkpoints")[0].tolist() == list(range(0, 41, 2))
