import json

import numpy as np
import pytest

from ontogeny.checkpoints import blocks as checkpoints
from ontogeny.checkpoints.blocks import CheckpointError, Saved


def saved(steps, offset=0.0):
    rows = np.asarray(steps, np.float32)[:, None, None] + offset
    params = {"layers.0.weight": np.broadcast_to(rows, (len(steps), 2, 3)).copy(), "bias": rows[:, :, 0].repeat(4, 1)}
    return Saved(params, {"0": np.array([steps[-1]])}, {"loss": np.ones(len(steps), np.float32)})


def save(folder, steps, offset=0.0):
    lanes = Saved(*({name: array[None] for name, array in tree.items()} for tree in saved(steps, offset)))
    checkpoints.save_block(folder / f"{steps[0]}-{steps[-1]}", {folder: "digest"}, steps, lanes)


@pytest.fixture
def folder(tmp_path):
    save(tmp_path, [0, 1, 2])
    save(tmp_path, [4, 8])
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


def test_a_damaged_block_is_named_and_earlier_ones_stay(folder):
    block = checkpoints.read_index(folder)[1]
    for path in (folder / block.path).rglob("d/*"):
        path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(CheckpointError, match=f"steps 4 to 8 in {folder / block.path} cannot be read"):
        checkpoints.read(folder)
    assert checkpoints.read(folder, [0, 2])[0].tolist() == [0, 2]
    assert [block.steps for block in checkpoints.whole_blocks(folder, "digest")] == [(0, 1, 2)]


def test_a_missing_block_is_named(folder):
    block = checkpoints.read_index(folder)[0]
    (folder / block.path).rename(folder / "elsewhere")
    with pytest.raises(CheckpointError, match="steps 0 to 2"):
        checkpoints.read(folder)


def test_changed_numbers_are_noticed(folder):
    index = json.loads((folder / "index.json").read_text())
    index["blocks"][0]["checksum"] = "0" * 32
    (folder / "index.json").write_text(json.dumps(index))
    with pytest.raises(CheckpointError, match="checksum"):
        checkpoints.read(folder)


@pytest.mark.parametrize("text", ["{", '{"digest": "digest", "blocks": [{"name": "0-2"}]}', "[]"])
def test_a_damaged_index_is_told(folder, text):
    (folder / "index.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"index\.json is damaged"):
        checkpoints.read(folder)


def test_checkpoints_of_another_specification_do_not_count(folder):
    assert checkpoints.read_index(folder, "another") == []
    assert checkpoints.whole_blocks(folder, "another") == []


def test_a_block_outside_the_index_does_not_exist(folder):
    checkpoints.write_index(folder, "digest", checkpoints.read_index(folder)[:1])
    assert checkpoints.read(folder)[0].tolist() == [0, 1, 2]
    save(folder, [4, 8], offset=0.5)
    np.testing.assert_array_equal(checkpoints.read(folder)[1]["bias"][-2:, 0], [4.5, 8.5])


@pytest.fixture
def together(tmp_path):
    """Two runs in one file."""
    runs = {tmp_path / "seed~0": "digest 0", tmp_path / "seed~1": "digest 1"}
    parts = [saved([0, 3]), saved([0, 3], offset=0.5)]
    lanes = Saved(*({name: np.stack([part[n][name] for part in parts]) for name in tree} for n, tree in enumerate(parts[0])))
    checkpoints.save_block(tmp_path / "shared" / "0-3", runs, [0, 3], lanes)
    return tmp_path


def test_runs_that_share_a_file_read_their_own_lanes(together):
    for seed, offset in enumerate((0.0, 0.5)):
        (block,) = checkpoints.read_index(together / f"seed~{seed}", f"digest {seed}")
        np.testing.assert_array_equal(checkpoints.read(together / f"seed~{seed}")[1]["bias"][:, 0], [offset, 3 + offset])
        np.testing.assert_array_equal(checkpoints.read_block(together / f"seed~{seed}", block).optimizer["0"], [3])
    together.rename(together.with_name("moved"))
    assert checkpoints.read(together.with_name("moved") / "seed~1")[0].tolist() == [0, 3]


def test_a_shared_file_stays_while_a_run_lists_it(together):
    runs = [together / "seed~0", together / "seed~1"]
    checkpoints.clear(runs[0])
    checkpoints.remove_unlisted(together / "shared", runs)
    assert checkpoints.read(runs[1])[0].tolist() == [0, 3]
    checkpoints.clear(runs[1])
    checkpoints.remove_unlisted(together / "shared", runs)
    assert not list((together / "shared").iterdir())


def test_a_file_is_found_where_a_run_is_a_link(together):
    (together / "seed~1").rename(together / "elsewhere")
    (together / "seed~1").symlink_to(together / "elsewhere")
    runs = [together / "seed~0", together / "seed~1"]
    checkpoints.clear(runs[0])
    checkpoints.remove_unlisted(together / "shared", runs)
    assert checkpoints.read(runs[1])[0].tolist() == [0, 3]


def test_nothing_is_removed_while_an_index_cannot_be_read(together):
    (together / "seed~0" / "index.json").write_text("{")
    checkpoints.clear(together / "seed~1")
    (together / "shared" / ".12.index.json").write_text("left by a job that was killed")
    checkpoints.remove_unlisted(together / "shared", [together / "seed~0", together / "seed~1"])
    assert (together / "shared" / "0-3").is_dir()
    checkpoints.clear(together / "seed~0")
    checkpoints.remove_unlisted(together / "shared", [together / "seed~0"])
    assert not (together / "shared" / "0-3").exists()
