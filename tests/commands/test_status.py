"""`ontogeny status` and `ontogeny diff`: what is done, what an edit changes, what it reruns."""

import fcntl
import json
import os

import pytest


def test_a_new_study_has_everything_to_run(study):
    text = study.call("status")
    assert "0 of 38 jobs are done, 38 would run" in text and "results/ does not exist yet" in text
    assert "38 of 38 jobs run" in study.call("diff")


def test_a_finished_study_has_nothing_to_run(done):
    text = done.call("status")
    assert "38 of 38 jobs are done." in text and "family pages done, index page done" in text
    assert "Nothing has changed" in done.call("diff")


def test_an_edit_is_told_in_the_words_of_the_config(done):
    done.edit("draws: 8", "draws: 12")
    text = done.call("diff")
    assert "heads: layers~1, layers~2\n  llc.draws: 8 → 12\n  reruns calibrate ×2, sample ×4, run_pages ×2\n" in text
    assert (
        "then estimate ×4, detect ×4, consensus ×2" in text
        and "toy" not in text
        and "pages\n  then family_page, index_page" in text
    )
    assert "`ontogeny diff` says what has changed" in done.call("status")


def test_an_edit_of_one_variant_names_that_variant(done):
    done.edit("sweep: {model.layers: [1, 2]}", "sweep: {model.layers: [1, 3]}")
    text = done.call("diff")
    assert "heads: layers~3\n  runs train ×2" in text and "layers~1" not in text


def test_added_and_removed_seeds_are_named(done):
    done.edit("seeds: [0, 1]", "seeds: [0, 2]")
    text = done.call("diff")
    assert "toy: base\n  seeds: 2 added\n  seeds: 1 removed\n" in text


def test_what_waits_for_an_interrupted_job_follows(done):
    sample = done.path / "results/toy/base/jobs/seeds~0-7/sample.json"
    recorded = sample.with_name("sample.specification.json")
    os.utime(recorded, (sample.stat().st_mtime + 5,) * 2)
    assert "goes on with sample\n  then estimate, detect, consensus, run_pages" in done.call("diff")
    assert "Interrupted, failed or damaged: sample toy/base seeds~0-7." in done.call("status")
    sample.unlink()
    assert "runs sample\n  then estimate" in done.call("diff")


def test_a_damaged_result_is_made_again(done):
    (done.path / "results/toy/base/consensus.json").write_text("{")
    assert "makes again consensus\n  then run_pages" in done.call("diff")


def test_who_writes_the_results_is_told(done):
    with (done.path / "results" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        json.dump({"folder": "/elsewhere", "process": 7, "host": "there"}, lock)
        lock.flush()
        assert "A study in /elsewhere writes there now (process 7 on there)." in done.call("status")
        (done.path / "results" / "gone" / "base" / "seed~0").mkdir(parents=True)
        assert "is in use by a study in /elsewhere" in done.call("clean", "--yes", status=1)
    assert "writes there now" not in done.call("status")


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, ["a.c: 2 → 3"]),
        ({"a": {"b": True}}, {"a": {}}, ["a.b: true → not given"]),
        ({"configuration": {"a": 1}, "a": 1}, {"configuration": {"a": 2}, "a": 2}, ["a: 1 → 2"]),
        ({"code": "x"}, {"code": "y"}, ["ontogeny's own code has changed"]),
        ({"files": {"mine.py:Net": "x"}}, {"files": {"mine.py:Net": "y"}}, ["a file of your own (mine.py) has changed"]),
        ({"runs": 1}, {"runs": 2}, ["other seeds or variants of the family have changed"]),
        ({"a": None}, {"a": None}, []),
    ],
)
def test_changes_of_a_specification_are_told(was, now, told):
    from ontogeny.pipeline.changes import changes

    assert changes(was, now) == told
