"""The teacher, its data, and what is read off a network that learns it."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny import config
from ontogeny.models import linear
from ontogeny.observables import spectrum
from ontogeny.problem.build import build_problem
from ontogeny.problem.network import functional
from ontogeny.tasks import linear_teacher

SECTION = config.LinearTeacher(kind="linear_teacher", inputs=6, outputs=4, rank=3, scale=0.5, examples=50)


@pytest.mark.end_to_end
def test_the_teacher_has_the_singular_values_asked_for_and_makes_the_labels():
    task = linear_teacher.build(SECTION, batch_size=10, base=Path())
    values = np.linalg.svd(task.provides["teacher"], compute_uv=False)
    np.testing.assert_allclose(values, [1.5, 1.0, 0.5, 0.0], atol=1e-6)
    inputs, targets = task.data.sampling
    np.testing.assert_allclose(targets, inputs @ task.provides["teacher"].T, atol=1e-5)
    assert not np.allclose(inputs, task.data.evaluation[0])
    batch, _ = task.data.train(jax.random.key(0), jnp.asarray(3))
    assert batch.shape == (10, 6)


@pytest.mark.end_to_end
@pytest.mark.parametrize("learnt", [0, 1, 2, 3])
def test_rank_modes_and_exact_loss_of_a_network_that_has_learnt_some_of_it(learnt):
    task = linear_teacher.build(SECTION, batch_size=10, base=Path())
    left, values, right = jnp.linalg.svd(task.provides["teacher"], full_matrices=False)
    kept = jnp.where(jnp.arange(4) < learnt, values, 0)
    network = functional(linear.build(config.Linear(kind="linear", hidden=[4]), task.shape))
    params = {"layers.0": kept[:, None] * right, "layers.1": left}
    seen = {name: measure(params) for name, measure in spectrum.build(network, task).items()}
    assert float(seen["rank"]) == learnt
    np.testing.assert_allclose([seen["singular_value"][f"modes.{i}"] for i in range(3)], kept[:3], atol=1e-5)
    lost = task.data.sampling[0] @ (task.provides["teacher"] - network.apply(params, method="product")).T
    assert float(seen["population_loss"]) == pytest.approx(float(jnp.sum(values[learnt:] ** 2)) / 2, abs=1e-5)
    assert np.mean(np.sum(np.asarray(lost) ** 2, -1)) / 2 == pytest.approx(float(seen["population_loss"]), rel=0.6, abs=1e-5)


def test_the_network_is_the_product_of_its_layers():
    problem = build_problem(SECTION, config.Linear(kind="linear", hidden=[5, 2], spread=0.3), base=Path())
    params = problem.init(jax.random.key(0))
    assert {name: leaf.shape for name, leaf in params.items()} == {"layers.0": (5, 6), "layers.1": (2, 5), "layers.2": (4, 2)}
    x = jnp.ones((3, 6))
    product = params["layers.2"] @ params["layers.1"] @ params["layers.0"]
    np.testing.assert_allclose(problem.apply(params, x), x @ product.T, rtol=1e-5, atol=1e-6)


def test_whitened_inputs_make_the_loss_the_population_loss():
    section = SECTION.model_copy(update={"whiten": True})
    network = config.Linear(kind="linear", hidden=[3], spread=0.4)
    problem = build_problem(section, network, base=Path(), observables=["loss", "spectrum"])
    x = np.asarray(problem.data.sampling[0])
    np.testing.assert_allclose(x.T @ x / len(x), np.eye(6), atol=1e-5)
    params = problem.init(jax.random.key(2))
    loss, population = (float(problem.observables[name](params)) for name in ("loss", "population_loss"))
    assert loss == pytest.approx(population, rel=1e-4)
