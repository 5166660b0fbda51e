"""Which k-gon a network rests at, told on the k-gons themselves."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial import ConvexHull

from ontogeny.config import SparseFeatures, Superposition
from ontogeny.models.superposition import build, polygon
from ontogeny.observables import polygons
from ontogeny.problem.build import build_observables
from ontogeny.problem.network import functional
from ontogeny.tasks import sparse_features


@pytest.fixture(scope="module")
def task():
    return sparse_features.build(SparseFeatures(kind="sparse_features"), batch_size=20, base=Path())


def network(hidden=2):
    return functional(build(Superposition(kind="superposition", hidden=hidden), {"features": 6}))


@pytest.mark.parametrize("k", [3, 4, 5, 6])
@pytest.mark.parametrize("positive", [0, 1, 2])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_polygons_are_told_apart(task, k, positive, noise):
    positive = min(positive, 6 - k)
    weight, bias = polygon(k, 6, dead_bias=-0.5)
    bias = bias.at[k : k + positive].set(1 / 12)
    weight += noise * jax.random.normal(jax.random.key(k), weight.shape)
    measured = {
        name: float(function({"weight": weight, "bias": bias})) for name, function in polygons.build(network(), task).items()
    }
    assert measured["polygon_vertices"] == k
    assert measured["positive_dead_biases"] == positive
    assert measured["population_loss"] == float(sparse_features.population_loss(weight, bias))


def test_corners_are_those_of_the_convex_hull():
    random = np.random.default_rng(0)
    points = random.normal(size=(50, 2, 6))
    counts = jax.vmap(polygons.hull_corners)(jnp.asarray(points))
    expected = [len(ConvexHull(cloud.T).vertices) for cloud in points]
    agree = np.asarray(counts) == expected
    assert agree.mean() >= 0.96  # a corner that sticks out over less than half a degree may be missed, and none is invented
    assert (np.asarray(counts) <= expected).all()


def test_they_work_under_a_map_over_checkpoints(task):
    weights, biases = zip(*(polygon(k, 6) for k in (4, 5, 6)), strict=True)
    stacked = {"weight": jnp.stack(weights), "bias": jnp.stack(biases)}
    corners = jax.jit(lambda stacked: jax.lax.map(polygons.build(network(), task)["polygon_vertices"], stacked))(stacked)
    assert corners.tolist() == [4, 5, 6]


def test_other_networks_are_refused_in_words(task):
    solid = network(hidden=3)
    assert "polygon_vertices" not in (fitting := build_observables(None, solid, task, Path())) and "feature_norm" in fitting
    with pytest.raises(ValueError, match="observables polygons need two hidden dimensions"):
        build_observables(["polygons"], solid, task, Path())
