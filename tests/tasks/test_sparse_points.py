"""Sparse points: lengths, how many features are active, nested training sets, and batches larger than the training set."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pydantic import ValidationError

from ontogeny.config import SparsePoints
from ontogeny.tasks.sparse_points import build


def task(batch_size=256, **options):
    return build(SparsePoints(kind="sparse_points", **options), batch_size=batch_size, base=Path())


def test_points_have_length_one_and_as_many_active_features_as_the_sparsity_says():
    x = np.asarray(task(points=20_000, examples=20_000).provides["training_points"])
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), 1, atol=1e-6)
    # The number of active features is binomial, given that it is not 0.
    mean = 60 * 0.05 / (1 - 0.95**60)
    assert abs((x > 0).sum(1).mean() - mean) < 5 * np.sqrt(60 * 0.05 * 0.95 / 20_000)
    assert (x >= 0).all()


def test_the_ratio_of_two_active_features_is_that_of_two_uniform_numbers():
    x = np.asarray(task(points=20_000, examples=20_000).provides["training_points"])
    pairs = np.sort(x[(x > 0).sum(1) == 2], axis=1)[:, -2:]
    ratio = pairs[:, 0] / pairs[:, 1]  # of the smaller to the larger: uniform on [0, 1]
    assert abs(ratio.mean() - 1 / 2) < 5 * np.sqrt(1 / 12 / len(ratio))
    assert abs((ratio**2).mean() - 1 / 3) < 5 * np.sqrt(4 / 45 / len(ratio))


def test_a_smaller_training_set_is_the_beginning_of_a_larger_one():
    few, many = (np.asarray(task(points=points).provides["training_points"]) for points in (5, 300))
    np.testing.assert_array_equal(few, many[:5])
    other = np.asarray(task(points=5, seed=1).provides["training_points"])
    assert not np.array_equal(few, other)


def test_the_examples_of_the_local_posterior_have_the_mean_loss_of_the_points_and_the_evaluation_is_apart():
    made = task(points=12)
    x, target = map(np.asarray, made.data.sampling)
    assert x.shape == (3000, 60)
    np.testing.assert_array_equal(x, target)
    values, counts = np.unique(x, axis=0, return_counts=True)
    assert len(values) == 12 and set(counts) == {250}
    # Points with one active feature are unit vectors, which both have.
    other = np.asarray(made.data.evaluation[0])
    assert not set(map(bytes, other[(other > 0).sum(1) > 1])) & set(map(bytes, x))


def test_a_batch_is_drawn_from_the_points_with_replacement():
    made = task(points=3)
    x, _ = jax.jit(made.data.train)(jax.random.key(0), jnp.int32(7))
    again, _ = made.data.train(jax.random.key(0), jnp.int32(7))
    later, _ = made.data.train(jax.random.key(0), jnp.int32(8))
    np.testing.assert_array_equal(x, again)
    assert not np.array_equal(x, later)
    _, counts = np.unique(np.asarray(x), axis=0, return_counts=True)
    assert counts.sum() == 256 and len(counts) == 3 and (abs(counts - 256 / 3) < 5 * np.sqrt(256 * 2 / 9)).all()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"points": 7}, r"examples \(3000\) must be a multiple of points \(7\)"),
        ({"sparsity": 1}, "sparsity is 1: no feature would ever be active"),
    ],
)
def test_a_training_set_that_cannot_be_made_is_refused(options, expected):
    with pytest.raises(ValidationError, match=expected):
        SparsePoints(kind="sparse_points", **options)
