"""Independent blocks of rank one: the exact loss, the weights, what is read off a network, and λ̂ along a run."""

from itertools import pairwise
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

import ontogeny
from ontogeny import config
from ontogeny.problem.behavioural import behavioural_loss, moving_mask, with_reference
from ontogeny.problem.build import build_problem
from ontogeny.problem.keys import TRAIN, seed_keys
from ontogeny.problem.masks import mask_of
from ontogeny.problem.network import parameter_shapes
from ontogeny.tasks.linear_blocks import training_weights
from ontogeny.theory.linear_blocks import Block, expected_llc
from ontogeny.training.loop import compile_training, initial_state
from ontogeny.training.optimizers import build_optimizer

SIZES = [2, 4, 1]
TASK = config.LinearBlocksTask(kind="linear_blocks", sizes=SIZES, weights=[2.0, 0.5, 1.0])
MODEL = config.LinearBlocksModel(kind="linear_blocks", spread=0.4)


@pytest.mark.end_to_end
def test_the_mean_losses_are_sums_over_blocks_by_their_weights():
    problem = build_problem(TASK, MODEL, base=Path(), batch_size=4, observables=["loss", "linear_blocks"])
    params = problem.init(jax.random.key(0))
    parts = [np.asarray(params[name]) for name in ("inward", "outward")]
    own = []
    for place in (slice(0, 2), slice(2, 6), slice(6, 7)):
        a, b = (part[place] for part in parts)
        target = np.zeros((len(b), len(a)))
        target[0, 0] = 1
        own.append(np.sum((np.outer(b, a) - target) ** 2) / 2)
    seen = {name: measure(params) for name, measure in problem.observables.items()}
    np.testing.assert_allclose([seen["block_loss"][f"blocks.{i}"] for i in range(3)], own, rtol=1e-5)
    assert float(seen["loss"]) == pytest.approx(sum(own), rel=1e-5)
    assert float(seen["evaluation_loss"]) == pytest.approx(np.dot([2, 0.5, 1], own), rel=1e-5)
    batch = problem.data.train(jax.random.key(0), jnp.asarray(0))
    assert float(problem.loss(params, batch).mean()) == pytest.approx(np.dot([2, 0.5, 1], own), rel=1e-5)


def test_sampling_takes_the_weights_of_training_where_asked_to():
    section = TASK.model_copy(update={"sampling": "training"})
    problem = build_problem(section, MODEL, base=Path(), batch_size=4, observables=["loss"])
    params = problem.init(jax.random.key(0))
    assert float(problem.observables["loss"](params)) == pytest.approx(float(problem.observables["evaluation_loss"](params)))


@pytest.mark.end_to_end
def test_a_start_has_its_products_and_its_learning_coefficient():
    model = config.LinearBlocksModel(kind="linear_blocks", start=[0.7, 0.0, 1.0])
    problem = build_problem(TASK, model, base=Path(), observables=["linear_blocks"])
    seen = {name: measure(problem.init(jax.random.key(1))) for name, measure in problem.observables.items()}
    np.testing.assert_allclose([seen["product_norm"][f"blocks.{i}"] for i in range(3)], [0.7, 0, 1], atol=1e-6)
    np.testing.assert_allclose([seen["block_loss"][f"blocks.{i}"] for i in range(3)], [0.3**2 / 2, 0.5, 0], atol=1e-6)
    assert (float(seen["learnt_blocks"]), float(seen["exact_llc"])) == (2, 1.5 + 2 + 0.5)


def test_components_are_the_parameters_of_a_block():
    problem = build_problem(TASK, MODEL, base=Path())
    masks = mask_of(problem.components["blocks.1"], parameter_shapes(problem))
    assert {name: np.flatnonzero(mask).tolist() for name, mask in masks.items()} == {
        "inward": [2, 3, 4, 5],
        "outward": [2, 3, 4, 5],
    }


def test_weights_of_decades_are_geometric_with_mean_one():
    weights = training_weights(config.LinearBlocksTask(kind="linear_blocks", sizes=[3] * 5, decades=2.0))
    assert weights.mean() == pytest.approx(1)
    np.testing.assert_allclose(weights[1:] / weights[:-1], 10**-0.5)


def test_counts_that_do_not_fit_are_refused():
    with pytest.raises(ValidationError, match="weights has 1 entries; sizes has 2"):
        config.LinearBlocksTask(kind="linear_blocks", sizes=[2, 3], weights=[1.0])
    with pytest.raises(ValueError, match=r"model.start has 1 entries; task.sizes has 3"):
        config.LinearBlocksModel(kind="linear_blocks", start=[1.0]).check_shape(TASK.shape)


@pytest.mark.parametrize(
    "section", [{"kind": "linear_blocks", "start": None}, {"kind": "polynomial", "exponents": [[1]], "start": None}]
)
def test_a_section_with_no_start_is_read_back_as_jobs_write_it(section):
    model = TypeAdapter(config.Model).validate_python(section)
    assert TypeAdapter(config.Model).validate_python(model.model_dump()) == model


@pytest.mark.end_to_end
def test_llc_along_a_run_follows_the_exact_one():
    """λ̂ of the checkpoints of a run of ten blocks: r ≥ .98 with λ in the limit, ≥ .995 with E λ̂ by quadrature, within 5%."""
    task = config.LinearBlocksTask(kind="linear_blocks")
    sizes = task.sizes
    training = config.Training.model_validate(
        {"optimizer": {"name": "sgd", "learning_rate": 0.05}, "batch_size": 12, "steps": 4000}
    )
    problem = build_problem(
        task, config.LinearBlocksModel(kind="linear_blocks"), base=Path(), batch_size=12, observables=["linear_blocks"]
    )
    steps = np.unique(np.geomspace(2, 4000, 30).astype(int)).tolist()
    bounds = jnp.array([0, *steps[:-1]], jnp.int32), jnp.array(steps, jnp.int32)
    optimizer = build_optimizer(training)
    _, piece = compile_training(problem, optimizer)(initial_state(problem, optimizer, [3]), seed_keys([3], TRAIN), *bounds)
    params = {name: leaf[0] for name, leaf in piece.params.items()}
    exact = np.asarray(jax.jit(lambda params: jax.lax.map(problem.observables["exact_llc"], params))(params))
    assert exact[0] == sum(sizes) / 2 and exact[-1] == sum(sizes) - len(sizes) / 2
    drawn = ontogeny.sample(
        behavioural_loss(problem.apply, problem.divergence),
        with_reference(params),
        problem.data.sampling[0],
        mask=moving_mask(params),
        key=jax.random.key(0),
        sampler=ontogeny.SGHMC(step_size=1e-4, friction=0.05),
        inverse_temperature=1000.0,
        localization=10.0,
        chains=8,
        draws=800,
        burn_in=600,
    )
    found = ontogeny.summarise(drawn)
    assert np.corrcoef(found.mean, exact)[0, 1] >= 0.98
    places = np.cumsum([0, *sizes])
    lengths = [{n: np.linalg.norm(leaf[:, i:j], axis=1) for n, leaf in params.items()} for i, j in pairwise(places)]
    finite = [
        sum(
            expected_llc(Block(size, float(own["inward"][k]), float(own["outward"][k])), 1000.0, 10.0, points=100)
            for size, own in zip(sizes, lengths, strict=True)
        )
        for k in range(len(steps))
    ]
    assert np.corrcoef(found.mean, finite)[0, 1] >= 0.995
    np.testing.assert_allclose(found.mean, finite, rtol=0.05)
