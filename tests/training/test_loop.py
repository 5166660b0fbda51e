"""The compiled loop: right steps, the same numbers however a run is cut up, and Optax's own optimisers."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from ontogeny.config import Training
from ontogeny.problem.keys import TRAIN, seed_keys
from ontogeny.problem.problem import Data, Problem
from ontogeny.training import loop as training
from ontogeny.training.optimizers import build_optimizer, learning_rate

EXAMPLES = jax.random.normal(jax.random.key(7), (50, 3))


def loss(params, batch):
    inputs, targets = batch
    return (inputs @ params["weight"] - targets) ** 2


def problem():
    def pair(inputs):
        return inputs, inputs @ jnp.array([1.0, -2.0, 0.5])

    def train(key, step):
        return pair(EXAMPLES[jax.random.randint(jax.random.fold_in(key, step), (5,), 0, 50)])

    return Problem(
        init=lambda key: {"weight": jax.random.normal(key, (3,))},
        loss=loss,
        data=Data(train=train, sampling=pair(EXAMPLES), evaluation=pair(EXAMPLES)),
    )


def section(**changes):
    return Training.model_validate({"optimizer": {"name": "adam", "learning_rate": 0.1}, "steps": 20, "batch_size": 5} | changes)


def trained(cuts, seeds, config=None, made=None, microbatch=None):
    """Pieces of training with checkpoints at the steps of each cut, put together."""
    optimizer = build_optimizer(config or section())
    state = training.initial_state(made or problem(), optimizer, seeds)
    advance = training.compile_training(made or problem(), optimizer, microbatch)
    pieces, start = [], 0
    for cut in cuts:
        stops = np.array(cut, np.int32)
        starts = np.concatenate([[start], stops[:-1]]).astype(np.int32)
        state, piece = advance(state, seed_keys(seeds, TRAIN), starts, stops)
        pieces.append(piece)
        start = cut[-1]
    return jax.tree.map(lambda *leaves: np.concatenate(leaves, axis=1), *pieces)


def test_it_is_what_a_loop_over_optax_does():
    made, config = problem(), section()
    optimizer = optax.adam(0.1)
    key = jax.random.key(3)
    params = made.init(jax.random.fold_in(key, 0))
    state, weights, losses = optimizer.init(params), [params["weight"]], []
    for step in range(20):
        batch = made.data.train(jax.random.fold_in(key, 1), jnp.asarray(step))
        value, gradient = jax.value_and_grad(lambda params, batch=batch: loss(params, batch).mean())(params)
        with jax.numpy_dtype_promotion("standard"):
            updates, state = optimizer.update(gradient, state, params)
        params = optax.apply_updates(params, updates)
        weights.append(params["weight"])
        losses.append(value)
    piece = trained([[0, 5, 20]], [3], config)
    np.testing.assert_allclose(piece.params["weight"][0], np.array(weights)[[0, 5, 20]], rtol=1e-5)
    np.testing.assert_allclose(piece.loss[0], [np.nan, np.mean(losses[:5]), np.mean(losses[5:])], rtol=1e-5)


@pytest.mark.end_to_end
@pytest.mark.parametrize("seeds", [[3], [2, 3]])
def test_the_same_numbers_however_it_is_cut(seeds):
    whole = trained([[0, 3, 7, 12, 20]], seeds)
    pieces = trained([[0, 3], [7, 12], [20]], seeds)
    for one, other in zip(jax.tree.leaves(whole), jax.tree.leaves(pieces), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_lane_does_not_see_the_others():
    together, exchanged = trained([[0, 20]], [2, 3]), trained([[0, 20]], [9, 3])
    np.testing.assert_array_equal(together.params["weight"][1], exchanged.params["weight"][1])
    assert not np.array_equal(together.params["weight"][0], exchanged.params["weight"][0])


def test_seeds_differ_in_start_and_in_batches():
    piece = trained([[0, 1]], [0, 1])
    assert not np.allclose(piece.params["weight"][0, 0], piece.params["weight"][1, 0])


def test_it_learns():
    piece = trained([[0, 300]], [0], section(steps=300))
    np.testing.assert_allclose(piece.params["weight"][0, -1], [1.0, -2.0, 0.5], atol=1e-2)


def test_warmup_and_schedules():
    warmed = learning_rate(section(warmup=10))
    assert [float(warmed(step)) for step in (0, 5, 10, 100)] == pytest.approx([0.0, 0.05, 0.1, 0.1])
    named = section(
        optimizer={
            "name": "sgd",
            "learning_rate": {"name": "linear_schedule", "init_value": 1.0, "end_value": 0.0, "transition_steps": 4},
        }
    )
    assert float(learning_rate(named)(1)) == pytest.approx(0.75)


def test_clipping_bounds_the_update():
    clipped = trained([[0, 1]], [0], section(optimizer={"name": "sgd", "learning_rate": 1.0}, clip=0.01))
    moved = clipped.params["weight"][0, 1] - clipped.params["weight"][0, 0]
    assert np.linalg.norm(moved) == pytest.approx(0.01, rel=1e-4)
    assert clipped.gradient_norm[0, 1] > 0.1


@pytest.mark.end_to_end
def test_gradients_in_parts_change_the_order_of_summation_only():
    """Parts of two of a batch of five: two whole ones and a rest."""
    whole, sizes = trained([[5, 20]], [3]), set()

    def noted(params, batch):
        sizes.add(len(batch[1]))
        return loss(params, batch)

    parts = trained([[5, 20]], [3], made=replace(problem(), loss=noted), microbatch=2)
    assert sizes == {1, 2}
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6), parts, whole)
