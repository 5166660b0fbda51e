"""The Fourier plane and the spectrum of known embeddings."""

import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.config import MLP, ModularAddition
from ontogeny.pictures.fourier import plane_coordinates, spectrum
from ontogeny.problem.build import build_problem

P = 11
ANGLES = 2 * np.pi * np.arange(P) / P


def waves_of(*parts):
    """An embedding in orthogonal directions: a circle of each (frequency, radius)."""
    columns = [radius * wave(k * ANGLES) for k, radius in parts for wave in (np.cos, np.sin)]
    return jnp.asarray(np.stack(columns, axis=1), jnp.float32)


def test_the_dominant_plane_shows_the_circle_of_the_strongest_wave():
    embedding = waves_of((4, 3.0), (2, 1.0)) + 5  # the mean is no part of it
    coordinates = np.asarray(plane_coordinates(embedding))
    np.testing.assert_allclose(coordinates, 3 * np.stack([np.cos(4 * ANGLES), np.sin(4 * ANGLES)], axis=1), atol=1e-5)


def test_shares_of_frequencies_are_those_of_the_variance():
    np.testing.assert_allclose(spectrum(waves_of((4, 3.0), (2, 1.0))), [0, 0.1, 0, 0.9, 0], atol=1e-6)
    even = np.stack([np.cos(np.pi * np.arange(8)), np.cos(np.pi * np.arange(8) / 2)], axis=1)
    variances = even.var(0)  # 1 at frequency 4, 1/2 at frequency 2
    np.testing.assert_allclose(
        spectrum(jnp.asarray(even, jnp.float32)), np.array([0, variances[1], 0, variances[0]]) / variances.sum(), atol=1e-6
    )


def test_an_embedding_without_variance_has_no_wave():
    coordinates = np.asarray(plane_coordinates(jnp.ones((P, 3))))
    assert np.all(np.isfinite(coordinates))
    assert np.abs(coordinates).max() < 1e-5


def test_the_embedding_of_a_network_is_recorded(tmp_path):
    task, model = ModularAddition(kind="modular_addition", modulus=P), MLP(kind="mlp", width=4, hidden=4)
    recorded = build_problem(task, model, base=tmp_path, pictures=None).pictures
    assert recorded.keys() == {"fourier"}
    params = {"embedding": waves_of((3, 2.0), (1, 0.5)), "output": jnp.zeros((4, P))}
    params |= {name: jnp.zeros((4, 4)) for name in ("first", "second")}
    of = {name: function(params) for name, function in recorded["fourier"].items()}
    assert of["frequency"] == 3
    assert np.hypot(*np.asarray(of["coordinates"]).T) == pytest.approx(2.0, abs=1e-5)
