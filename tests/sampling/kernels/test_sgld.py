import blackjax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from blackjax.util import generate_gaussian_noise

from ontogeny.sampling.kernels.kernel import Randomness
from ontogeny.sampling.kernels.sgld import SGLD
from ontogeny.sampling.posterior import LocalPosterior


def randomness(noise):
    return Randomness(noise, jnp.zeros(()), jax.random.key(0))


def gradient(position):
    return jnp.sin(position) + position**3


def objective(position):
    return jnp.sum(position**4 / 4 - jnp.cos(position)), gradient(position)


def test_equals_blackjax_step_by_step_without_localisation():
    """BlackJAX's step η is the coefficient of the drift: η = ε / 2; its gradient is that of the log density, -nβ∇L."""
    step_size, inverse_temperature = 1e-2, 30.0
    theirs = blackjax.sgld(lambda position, batch: -inverse_temperature * gradient(position))
    kernel = SGLD(step_size=step_size)
    position = jnp.array([0.3, -1.0, 0.5])
    posterior = LocalPosterior(position, inverse_temperature, 0.0)
    state, expected = kernel.init(posterior, objective), theirs.init(position)
    for key in jax.random.split(jax.random.key(0), 20):
        noise = generate_gaussian_noise(key, expected)
        before = state.position
        state, draw = kernel.step(state, posterior, objective, randomness(noise))
        np.testing.assert_array_equal(draw.position, before)
        assert draw.value == objective(before)[0]
        expected = theirs.step(key, expected, None, step_size / 2)
        np.testing.assert_allclose(state.position, expected, rtol=1e-5, atol=1e-6)


def test_localisation_pulls_towards_the_center():
    kernel = SGLD(step_size=0.1)
    posterior = LocalPosterior(jnp.ones(2), 5.0, 4.0)
    state = kernel.init(posterior, objective)._replace(position=jnp.zeros(2))
    state, _ = kernel.step(state, posterior, lambda position: (0.0, jnp.zeros(2)), randomness(jnp.zeros(2)))
    np.testing.assert_allclose(state.position, 0.1 / 2 * 4.0 * jnp.ones(2), rtol=1e-6)


@pytest.mark.parametrize("step_size", [0.0, -1e-3, float("nan"), float("inf")])
def test_refuses_a_step_size_that_is_not_positive(step_size):
    with pytest.raises(ValueError, match="step_size"):
        SGLD(step_size=step_size).check(full_batch=True)
