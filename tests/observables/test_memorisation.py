"""Memorisation: the dimensionality of T-gons and k-gons, and which vectors are long."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.config import SparsePoints, Superposition
from ontogeny.observables.features import dimensionality
from ontogeny.observables.memorisation import mean_dimensionality
from ontogeny.problem.build import build_problem


def polygon(corners, length=1.0, turn=0.0):
    angles = 2 * np.pi * np.arange(corners) / corners + turn
    return length * np.stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


@pytest.mark.parametrize("corners", [3, 5, 8, 40])
def test_a_vector_of_a_polygon_has_two_dimensions_over_its_corners(corners):
    assert mean_dimensionality(jnp.asarray(polygon(corners, 1.3))) == pytest.approx(2 / corners, rel=1e-5)


def test_dimensionality_is_that_of_the_single_vectors():
    vectors = jnp.asarray(np.random.default_rng(0).standard_normal((2, 9)), jnp.float32)
    lengths = jnp.linalg.norm(vectors, axis=0)
    expected = dimensionality(vectors)[lengths > lengths.max() / 2].mean()
    assert mean_dimensionality(vectors) == pytest.approx(float(expected), rel=1e-5)


def test_a_pentagon_of_features_is_told_from_its_short_vectors():
    task = SparsePoints(kind="sparse_points", features=8, sparsity=0.5, points=4, examples=4, evaluation=4)
    problem = build_problem(task, Superposition(kind="superposition"), base=Path(), observables=["memorisation"])
    weight = np.concatenate([polygon(5, 2.0), polygon(3, 0.01)], axis=1)
    params = {"weight": jnp.asarray(weight), "bias": jnp.zeros(8)}
    found = {name: float(measure(params)) for name, measure in problem.observables.items()}
    assert found["long_features"] == 5
    assert found["long_feature_dimensionality"] == pytest.approx(0.4, rel=1e-3)
    assert found["weight_norm"] == pytest.approx(np.sqrt(5 * 4 + 3 * 1e-4), rel=1e-5)
    assert 1 <= found["data_vertices"] <= 4


def test_only_a_task_with_fixed_training_points_is_measured():
    from ontogeny.config import SparseFeatures

    problem = build_problem(
        SparseFeatures(kind="sparse_features", examples=10), Superposition(kind="superposition"), base=Path(), observables=None
    )
    assert "weight_norm" not in problem.observables
