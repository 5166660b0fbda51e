"""A training that was interrupted, or whose checkpoints were damaged, ends with the same numbers."""

import json
import time

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
    made, original, written = job(tmp_path), checkpoints.write_index, []

    def failing(folder, digest, blocks):
        if len(written) == 5:  # the third block of seed 0 is listed, that of seed 1 is not
            raise KeyboardInterrupt
        written.append(folder)
        original(folder, digest, blocks)

    monkeypatch.setattr(checkpoints, "write_index", failing)
    with pytest.raises(KeyboardInterrupt):
        train.run(made)
    assert not made.manifest_path(0, "train").exists()
    assert [len(checkpoints.read_index(made.seed_folder(seed) / "checkpoints")) for seed in (0, 1)] == [3, 2]
    monkeypatch.setattr(checkpoints, "write_index", original)
    begun, save = [], train.save

    def watching(place, folders, block, lanes, seconds):
        begun.append(block[0][0])
        save(place, folders, block, lanes, seconds)

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
    first, third = (folder / checkpoints.read_index(folder)[place].path for place in (0, 2))
    untouched = (first / "_METADATA").stat().st_mtime_ns
    for path in third.rglob("d/*"):
        path.write_bytes(b"")
    train.run(made)
    listed = {(folder / block.path).resolve() for block in checkpoints.read_index(folder)}
    assert set(train.shared_folder(made).resolve().iterdir()) == listed
    assert (first / "_METADATA").stat().st_mtime_ns == untouched
    for seed in (0, 1):
        np.testing.assert_array_equal(trained(made, seed), whole[seed])


def test_a_new_seed_leaves_the_files_of_the_others(tmp_path, whole):
    train.run(job(tmp_path, seeds=[0]))
    alone = job(tmp_path, seeds=[0])
    before = {path: path.stat().st_mtime_ns for path in alone.seed_folder(0).rglob("*") if path.is_file()}
    made = job(tmp_path)
    train.run(made)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    for seed in (0, 1):
        np.testing.assert_array_equal(trained(made, seed), whole[seed])


def test_a_seed_that_config_no_longer_lists_keeps_its_checkpoints(tmp_path, whole):
    train.run(job(tmp_path))
    shorter = job(tmp_path, seeds=[0], steps=20)
    train.run(shorter)
    np.testing.assert_array_equal(trained(shorter, 1), whole[1])
    assert len(trained(shorter, 0)) == 21


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
    listed = checkpoints.read_index(longer.seed_folder(0) / "checkpoints")
    assert len(list(train.shared_folder(longer).iterdir())) == len(listed)


def test_a_seed_that_joins_an_interrupted_one_does_not_set_it_back(tmp_path, whole, monkeypatch):
    alone, save, saved = job(tmp_path, seeds=[0]), train.save, []

    def failing(place, folders, block, lanes, seconds):
        if len(saved) == 3:
            raise KeyboardInterrupt
        saved.append(block[0])
        save(place, folders, block, lanes, seconds)

    monkeypatch.setattr(train, "save", failing)
    with pytest.raises(KeyboardInterrupt):
        train.run(alone)
    begun = []

    def watching(place, folders, block, lanes, seconds):
        begun.append((lanes, block[0][0]))
        save(place, folders, block, lanes, seconds)

    monkeypatch.setattr(train, "save", watching)
    made = job(tmp_path)
    train.run(made)
    assert min(step for lanes, step in begun if lanes == [0]) == 24
    for seed in (0, 1):
        np.testing.assert_array_equal(trained(made, seed), whole[seed])


def slowed(monkeypatch, seconds):
    """Make each block take so much longer to train."""
    blocks = train.trained_blocks

    def slowly(*arguments):
        for block in blocks(*arguments):
            time.sleep(seconds)
            yield block

    monkeypatch.setattr(train, "trained_blocks", slowly)


def test_the_time_of_training_is_shared_by_the_seeds_that_were_trained_together(tmp_path, monkeypatch):
    slowed(monkeypatch, 0.5)  # six blocks
    made, began = job(tmp_path), time.monotonic()
    train.run(made)
    whole = time.monotonic() - began
    shares = [made.manifest(seed, "train")["seconds"] for seed in (0, 1)]
    assert shares[0] == shares[1]
    assert 3.0 <= sum(shares) <= whole
    assert "share it equally" in made.manifest(0, "train")["seconds_of"]


def test_the_time_of_training_adds_up_over_interrupted_jobs(tmp_path, monkeypatch):
    made, save, saved = job(tmp_path, seeds=[0]), train.save, []

    def failing(*arguments):
        if len(saved) == 4:
            raise KeyboardInterrupt
        saved.append(save(*arguments))

    with monkeypatch.context() as slow:
        slowed(slow, 0.5)
        slow.setattr(train, "save", failing)
        with pytest.raises(KeyboardInterrupt):
            train.run(made)
    earlier = sum(block.seconds for block in checkpoints.read_index(made.seed_folder(0) / "checkpoints"))
    train.run(made)
    assert made.manifest(0, "train")["seconds"] > earlier >= 2.0
