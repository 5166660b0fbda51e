"""The learning coefficient that a network's rank implies, at points of known rank."""

from pathlib import Path

import jax
import numpy as np
import pytest

from ontogeny import config
from ontogeny.problem.build import build_problem
from ontogeny.theory.linear_networks import aoyagi

TASK = config.LinearTeacher(kind="linear_teacher", inputs=6, outputs=5, rank=4, examples=20, whiten=True)


@pytest.mark.parametrize("rank", range(5))
def test_a_start_of_known_rank_has_its_learning_coefficient(rank):
    model = config.Linear(kind="linear", hidden=[4, 7], start={"rank": rank, "size": 1.2})
    problem = build_problem(TASK, model, base=Path(), observables=["known_coefficient", "spectrum"])
    params = problem.init(jax.random.key(rank))
    seen = {name: measure(params) for name, measure in problem.observables.items()}
    assert float(seen["rank"]) == rank
    assert [int(seen["layer_rank"][f"layers.{i}"]) for i in range(3)] == [rank] * 3
    assert (float(seen["known_llc"]), float(seen["known_multiplicity"])) == aoyagi((6, 4, 7, 5), rank)
    values = [float(seen["singular_value"][f"modes.{i}"]) for i in range(4)]
    np.testing.assert_allclose(values, [1.2**3] * rank + [0] * (4 - rank), atol=1e-5)


def test_a_rank_that_no_layer_has_is_refused():
    model = config.Linear(kind="linear", hidden=[3], start={"rank": 4})
    with pytest.raises(ValueError, match=r"model.start.rank \(4\) is larger than the narrowest layer \(3\)"):
        model.check_shape(TASK.shape)
