"""A running study locks its results folder, and leaves one alone that another study has locked."""

import fcntl
import json

import pytest
from small_study import make_study

MODEL = """\
import fcntl

with open("results/.lock") as file:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RuntimeError("the study holds its lock") from None
raise RuntimeError("the lock is free")
Net = 1
"""


def test_a_study_does_not_touch_results_that_another_study_writes(tmp_path):
    study = make_study(tmp_path)
    (tmp_path / "results").mkdir()
    with (tmp_path / "results" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        json.dump({"folder": "/elsewhere", "process": 7, "host": "there"}, lock)
        lock.flush()
        done = study.without_jobs("toy")
        assert done.returncode
        assert "results is in use by a study in /elsewhere (process 7 on there)" in done.stdout
        assert [path.name for path in (tmp_path / "results").iterdir()] == [".lock"]
        assert study.planned("toy")["train"] == 1


@pytest.mark.end_to_end
def test_a_study_holds_the_lock_while_jobs_run(tmp_path):
    study = make_study(tmp_path)
    (tmp_path / "mine.py").write_text(MODEL)
    study.edit("model: {kind: superposition, start: {polygon: 4, noise: 0.05}}", "model: {kind: mine.py:Net}")
    done = study.snakemake("toy", check=False)
    assert "mine.py fails on import: RuntimeError: the study holds its lock" in done.stdout + done.stderr
