import json

import numpy as np
import pytest

from ontogeny import checkpoints
from ontogeny.checkpoints import CheckpointError, Saved


def saved(steps, offset=0.0):
    rows = np.asarray(steps, np.float32)[:, None, None] + offset
    params = {"layers.0.weight": np.broadcast_to(rows, (len(steps), 2, 3)).copy(), "bias": rows[:, :, 0].repeat(4, 1)}
    return Saved(params, {"0": np.array([steps[-1]])}, {"loss": np.ones(len(steps), np.float32)})


@pytest.fixture
def folder(tmp_path):
    checkpoints.save_block(tmp_path, "digest", [0, 1, 2], saved([0, 1, 2]))
    checkpoints.save_block(tmp_path, "digest", [4, 8], saved([4, 8]))
    return tmp_path


def test_what_is_saved_is_read(folder):
    steps, params = checkpoints.read(folder)
    assert steps.tolist() == [0, 1, 2, 4, 8]
    assert params["layers.0.weight"].shape == (5, 2, 3)
    np.testing.assert_array_equal(params["layers.0.weight"][:, 0, 0], steps)


def test_some_steps_are_read_in_order(folder):
    steps, params = checkpoints.read(folder, [8, 1])
    assert steps.tolist() == [1, 8]
    np.testing.assert_array_equal(params["bias"][:, 0], [1, 8])


def test_a_step_that_was_not_kept(folder):
    with pytest.raises(CheckpointError, match=f"no checkpoint of step 3 in {folder}"):
        checkpoints.read(folder, [1, 3])


def test_no_checkpoints_at_all(tmp_path):
    with pytest.raises(CheckpointError, match=f"no checkpoint in {tmp_path}"):
        checkpoints.read(tmp_path)


def test_a_file_cut_short_is_named_and_the_blocks_before_it_stay_whole(folder):
    block = checkpoints.read_index(folder)[1]
    for path in (folder / block.name).rglob("d/*"):
        path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(CheckpointError, match=f"steps 4 to 8 in {folder / block.name} cannot be read"):
        checkpoints.read(folder)
    assert checkpoints.read(folder, [0, 2])[0].tolist() == [0, 2]
    assert [block.steps for block in checkpoints.whole_blocks(folder, "digest")] == [(0, 1, 2)]


def test_a_missing_block_is_named(folder):
    block = checkpoints.read_index(folder)[0]
    (folder / block.name).rename(folder / "elsewhere")
    with pytest.raises(CheckpointError, match="steps 0 to 2"):
        checkpoints.read(folder)


def test_changed_numbers_are_noticed(folder):
    index = json.loads((folder / "index.json").read_text())
    index["blocks"][0]["checksum"] = "0" * 32
    (folder / "index.json").write_text(json.dumps(index))
    with pytest.raises(CheckpointError, match="checksum"):
        checkpoints.read(folder)


def test_a_damaged_index_is_told(folder):
    (folder / "index.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"index\.json is damaged"):
        checkpoints.read(folder)


def test_checkpoints_of_another_specification_do_not_count(folder):
    assert checkpoints.read_index(folder, "another") == []
    assert checkpoints.whole_blocks(folder, "another") == []


def test_a_block_outside_the_index_does_not_exist(folder):
    checkpoints.write_index(folder, "digest", checkpoints.read_index(folder)[:1])
    assert checkpoints.read(folder)[0].tolist() == [0, 1, 2]
    checkpoints.save_block(folder, "digest", [4, 8], saved([4, 8], offset=0.5))
    np.testing.assert_array_equal(checkpoints.read(folder)[1]["bias"][-2:, 0], [4.5, 8.5])
