"""Parts put together: built-in kinds, and a user's own of each."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.config import SparseFeatures, Superposition, Transformer, UserKind
from ontogeny.problem.build import build_problem

OWN = """
import jax
import jax.numpy as jnp
from flax import nnx
from ontogeny.problem.problem import Data, Task

class Line(nnx.Module):
    def __init__(self, shape, rngs, slope=1.0):
        self.slope = nnx.Param(slope * jnp.ones(shape["inputs"]))
    def __call__(self, x):
        return x @ self.slope

def line_data(batch_size, examples=50):
    x = jax.random.normal(jax.random.key(0), (examples, 2))
    batch = (x, x.sum(-1))
    return Task(
        data=Data(train=lambda key, step: jax.tree.map(lambda a: a[:batch_size], batch), sampling=batch, evaluation=batch),
        output_loss=lambda outputs, targets: (outputs - targets) ** 2,
        shape={"inputs": 2},
    )

def size(network, task):
    return {"slope_norm": lambda params: jnp.linalg.norm(params["slope"])}

def clash(network, task):
    return {"loss": lambda params: 0.0}
"""


@pytest.fixture
def base(tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    return tmp_path


def test_the_superposition_family(tmp_path):
    problem = build_problem(
        SparseFeatures(kind="sparse_features"),
        Superposition(kind="superposition"),
        base=tmp_path,
        batch_size=20,
        observables=None,
    )
    params = problem.init(jax.random.key(0))
    assert problem.loss(params, problem.data.train(jax.random.key(0), jnp.int32(0))).shape == (20,)
    measured = jax.jit(lambda params: {name: function(params) for name, function in problem.observables.items()})(params)
    assert {"loss", "evaluation_loss", "population_loss", "feature_norm"} <= problem.observables.keys()
    assert measured["loss"] == pytest.approx(float(problem.loss(params, problem.data.sampling).mean()), rel=1e-5)
    assert measured["feature_norm"].keys() == {f"features.{i}" for i in range(6)}


def test_a_user_s_own_model_task_and_observables(base):
    problem = build_problem(
        UserKind(kind="own.py:line_data", examples=30),  # pyright: ignore
        UserKind(kind="own.py:Line", slope=3.0),  # pyright: ignore
        base=base,
        batch_size=5,
        observables=["loss", "own.py:size"],
    )
    params = problem.init(jax.random.key(0))
    np.testing.assert_array_equal(params["slope"], [3.0, 3.0])
    assert problem.loss(params, problem.data.train(jax.random.key(0), jnp.int32(0))).shape == (5,)
    assert problem.loss(params, problem.data.sampling).shape == (30,)
    assert problem.observables["slope_norm"](params) == pytest.approx(18**0.5)
    assert list(problem.observables) == ["loss", "evaluation_loss", "slope_norm"]


def test_stages_that_observe_nothing_build_no_observables(base):
    assert not build_problem(UserKind(kind="own.py:line_data"), UserKind(kind="own.py:Line"), base=base).observables


@pytest.mark.parametrize(
    ("task", "model", "observables", "words"),
    [
        (
            UserKind(kind="own.py:line_data"),
            UserKind(kind="own.py:Line"),
            ["polygons"],
            "observables polygons need a network with",
        ),
        (
            UserKind(kind="own.py:line_data"),
            UserKind(kind="own.py:Line"),
            ["loss", "own.py:clash"],
            "loss is measured by another kind",
        ),
        (UserKind(kind="own.py:line_data"), Transformer(kind="transformer"), (), "this task has inputs"),
        (UserKind(kind="own.py:Line"), UserKind(kind="own.py:Line"), (), "own.py:Line fails"),
        (UserKind(kind="own.py:line_data"), UserKind(kind="own.py:size"), (), "own.py:size returns a dict"),
    ],
)
def test_parts_that_do_not_fit_are_told(base, task, model, observables, words):
    with pytest.raises(ValueError, match=words):
        build_problem(task, model, base=base, observables=observables)
