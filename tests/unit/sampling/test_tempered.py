"""Tempered SMC against posteriors whose mass and evidence are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.sampling.tempered import temper

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


def test_mass_moves_between_phases_that_no_chain_would_cross():
    """A broad minimum of higher loss at -4 and a narrow one of lower loss at 4: the mass goes over as n grows."""
    left, right, gap = 1.0, 25.0, 0.1

    def loss(w):
        return jnp.minimum(gap + left * (w[0] + 4) ** 2 / 2, right * (w[0] - 4) ** 2 / 2)

    def negative_log_prior(w):
        return jnp.sum(w**2) / 200

    sizes = jnp.linspace(0.5, 80.0, 40)
    start = 10 * jax.random.normal(jax.random.key(0), (2000, 1))
    found = temper(loss, negative_log_prior, start, sizes, key=jax.random.key(2), curvature=right)
    share = np.sum(np.asarray(found.weights) * (np.asarray(found.particles)[:, :, 0] > 0), axis=1)
    grid = np.linspace(-40, 40, 400_001)
    values = np.minimum(gap + left * (grid + 4) ** 2 / 2, right * (grid - 4) ** 2 / 2)
    for place in (10, 20, 39):
        density = np.exp(-np.asarray(sizes)[place] * values - grid**2 / 200)
        assert share[place] == pytest.approx(density[grid > 0].sum() / density.sum(), abs=0.06)
    assert share[4] < 0.45 < 0.9 < share[-1]
