"""Tempered SMC against posteriors whose mass and evidence are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.phases.tempered import temper

SIZES = jnp.linspace(1.0, 60.0, 12)


def half_square(w):
    return jnp.sum(w**2) / 2


@pytest.fixture(scope="module")
def gaussian():
    start = jax.random.normal(jax.random.key(0), (1000, 3))
    return temper(lambda w: half_square(w - 1), half_square, start, SIZES, key=jax.random.key(1), curvature=1.0)


def test_a_conjugate_posterior_has_its_mean_variance_and_evidence(gaussian):
    sizes = np.asarray(SIZES)
    weights = gaussian.weights[..., None]
    mean = np.sum(weights * gaussian.particles, axis=1)
    np.testing.assert_allclose(gaussian.weights.sum(1), 1, rtol=1e-4)
    np.testing.assert_allclose(mean.mean(1), sizes / (1 + sizes), atol=0.05)
    variance = np.sum(weights * (gaussian.particles - mean[:, None]) ** 2, axis=1).mean(1)
    np.testing.assert_allclose(variance * (1 + sizes), 1, atol=0.2)
    exact = 3 * (-np.log1p(sizes) / 2 - sizes / (2 * (1 + sizes)))
    np.testing.assert_allclose(gaussian.log_evidence, exact, atol=0.15)
