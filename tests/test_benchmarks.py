"""Test what benchmarks compare: ratios of the same round with those kept, and programs that do the same work."""

import json

import jax
import numpy as np
import optax
import pytest

from benchmarks import regression, training


def row(program, seconds, rate, cores="one"):
    return {"work": "toy", "program": program, "cores": cores, "whole_process": seconds, "steps_per_second": rate}


def test_what_became_slower_than_the_stored_ratio_is_marked(monkeypatch, tmp_path):
    monkeypatch.setattr(regression, "STORED", tmp_path / "regression.json")
    rounds = [row("ontogeny", 2, 30), row("straightforward", 3, 10), row("ontogeny", 2, 36), row("straightforward", 2, 9)]
    before = regression.ratios([*rounds, row("ontogeny", 1, 99, cores="all"), row("ontogeny", 9, 1)])
    assert before == {"toy": {"whole process": [1.5, 1.0], "steps": [3.0, 4.0]}}
    regression.store(before, "abc")
    stored = json.loads(regression.STORED.read_text())
    assert (stored["code"], stored["rounds"]) == ("abc", 2)
    assert stored["ratios"]["toy"]["steps"] == {"ratio": 3.5, "lowest": 3.0, "highest": 4.0}
    now = regression.ratios([row("ontogeny", 2, 25), row("straightforward", 2.2, 10)])
    *_, whole, steps = regression.comparison(now, "def", stored).splitlines()
    assert "1.25 (1.00 to 1.50) | 1.10 | -12% |" in whole
    assert "slower" not in whole
    assert "3.50 (3.00 to 4.00) | 2.50 | -29% | **slower than stored" in steps


def test_ratios_of_one_program_cannot_be_stored():
    with pytest.raises(SystemExit, match="both programs"):
        regression.store(regression.ratios([row("ontogeny", 2, 30)]), "abc")


def test_noise_of_the_stored_rounds_stays_within_the_band():
    kept = [figure for work in json.loads(regression.STORED.read_text())["ratios"].values() for figure in work.values()]
    assert len(kept) == 4
    assert all(each["lowest"] > (1 - regression.BAND) * each["ratio"] for each in kept)


def test_the_loop_in_python_trains_as_the_compiled_one():
    problem, optimizer = training.of_workload("tms"), optax.sgd(1e-3)
    ours = training.compiled(problem, optimizer, [3], 20)()
    theirs = training.in_python(problem, optimizer, 3, 20)()
    for name, leaf in jax.device_get(theirs).items():
        assert not np.array_equal(leaf, problem.init(jax.random.key(0))[name])
        np.testing.assert_allclose(ours[name][0], leaf, rtol=1e-5, atol=1e-6)
