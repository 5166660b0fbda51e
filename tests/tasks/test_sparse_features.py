"""Sparse features: the draws, the loss, and the exact population loss against integration and the known levels."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from ontogeny.config import SparseFeatures
from ontogeny.models.superposition import polygon
from ontogeny.tasks.sparse_features import build, population_loss, squared_error


def task(batch_size=20, **options):
    return build(SparseFeatures(kind="sparse_features", **options), batch_size=batch_size, base=Path())


def test_examples_have_one_active_feature_uniform_in_place_and_size():
    x = np.asarray(task(examples=20_000).data.sampling[0])
    assert x.shape == (20_000, 6)
    assert ((x > 0).sum(1) <= 1).all()
    counts = (x > 0).sum(0)
    assert (abs(counts - 20_000 / 6) < 5 * np.sqrt(20_000 * 5 / 36)).all()
    size = x.max(1)
    assert abs(size.mean() - 1 / 2) < 5 * np.sqrt(1 / 12 / 20_000)
    assert abs((size**2).mean() - 1 / 3) < 5 * np.sqrt(4 / 45 / 20_000)


def test_data_depend_on_the_task_s_seed_and_evaluation_is_apart():
    one, same, other = (task(seed=seed).data for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.sampling[0], same.sampling[0])
    assert not np.array_equal(one.sampling[0], other.sampling[0])
    assert not np.array_equal(one.sampling[0], one.evaluation[0])


def test_a_batch_is_made_of_the_examples_and_is_its_own_target():
    data = task().data
    x, target = jax.jit(data.train)(jax.random.key(0), jnp.int32(7))
    assert x.shape == (20, 6)
    np.testing.assert_array_equal(x, target)
    known = {row.tobytes() for row in np.asarray(data.sampling[0])}
    assert all(row.tobytes() in known for row in np.asarray(x))


def test_loss_is_summed_over_coordinates():
    assert squared_error(jnp.array([[1.0, 2.0], [0.0, 3.0]]), jnp.zeros((2, 2))).tolist() == [5.0, 9.0]


def integrated(weight, bias):
    """The population loss by numerical integration of the model itself over mu."""
    gram = weight.T @ weight

    def error(mu, i):
        target = mu * np.eye(len(bias))[i]
        return np.sum((np.maximum(mu * gram[i] + bias, 0) - target) ** 2)

    kinks = [[-b / g for b, g in zip(bias, row, strict=True) if g != 0 and 0 < -b / g < 1] for row in gram]
    return np.mean([quad(error, 0, 1, args=(i,), points=kinks[i] or None, limit=200)[0] for i in range(len(bias))])


@pytest.mark.parametrize("seed", range(12))
def test_population_loss_is_the_integral(seed):
    random = np.random.default_rng(seed)
    weight, bias = random.normal(size=(2, 5)), random.normal(size=5)
    weight[:, 0] *= seed % 2  # a zero column has outputs that do not depend on mu
    assert float(population_loss(jnp.asarray(weight), jnp.asarray(bias))) == pytest.approx(integrated(weight, bias), rel=2e-5)


LEVELS = {"4": 0.111111, "4+": 0.104167, "4++": 0.097222, "5": 0.068744, "5+": 0.061799, "6": 0.048192}  # Chen et al. 2023


@pytest.mark.parametrize("level", LEVELS)
def test_population_loss_at_the_known_levels(level):
    k = int(level[0])
    weight, bias = polygon(k, 6, dead_bias=-1.0)
    bias = bias.at[k : k + level.count("+")].set(1 / 12)
    assert float(population_loss(weight, bias)) == pytest.approx(LEVELS[level], abs=1e-6)


@pytest.mark.end_to_end
@pytest.mark.parametrize(("k", "level"), [(5, 0.01583), (6, 0.04819), (7, 0.08327)])
def test_population_loss_where_no_feature_is_dead(k, level):
    assert float(population_loss(*polygon(k, k))) == pytest.approx(level, abs=1e-5)


@pytest.mark.end_to_end
def test_population_loss_is_what_a_large_data_set_gives():
    weight, bias = polygon(5, 6, dead_bias=-1.0)
    x, _ = task(examples=200_000).data.sampling
    losses = squared_error(jax.nn.relu(x @ weight.T @ weight + bias[None]), x)
    error = float(losses.std()) / np.sqrt(len(losses))
    assert abs(float(losses.mean() - population_loss(weight, bias))) < 4 * error
