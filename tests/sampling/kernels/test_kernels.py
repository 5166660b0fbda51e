"""The kernels beside SGLD: what they become in limits where that is known, and what they refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.arrays.flat import unit
from ontogeny.sampling.kernels.blackjax import MCLMC, NUTS
from ontogeny.sampling.kernels.kernel import Randomness
from ontogeny.sampling.kernels.mala import MALA
from ontogeny.sampling.kernels.rmsprop_sgld import RMSPropSGLD
from ontogeny.sampling.kernels.sghmc import SGHMC
from ontogeny.sampling.kernels.sgld import SGLD
from ontogeny.sampling.kernels.sgnht import SGNHT
from ontogeny.sampling.posterior import LocalPosterior

EVERY = [SGLD(), RMSPropSGLD(), SGHMC(), SGNHT(), MALA(), NUTS(), MCLMC()]
CENTER = jnp.array([0.3, -1.0, 0.5])


def objective(position):
    return jnp.sum(position**4 / 4 - jnp.cos(position)), jnp.sin(position) + position**3


@jax.jit
def step(kernel, state, posterior, random, burning_in):
    return kernel.step(state, posterior, objective, random, burning_in)


def walk(kernel, posterior, steps=20, burn_in=0):
    """The positions that a chain visits."""
    state, positions = kernel.init(posterior, objective), []
    for number, key in enumerate(jax.random.split(jax.random.key(0), steps)):
        random = Randomness(jax.random.normal(key, CENTER.shape), jax.random.uniform(key), key)
        state, draw = step(kernel, state, posterior, random, number < burn_in)
        positions.append(draw.position)
    return np.stack(positions)


def test_rmsprop_sgld_with_a_preconditioner_that_stays_is_sgld():
    """With β₂ = 1, v is 1 for ever, and ε_i = ε / (1 + a)."""
    posterior = LocalPosterior(CENTER, 30.0, 2.0)
    found = walk(RMSPropSGLD(step_size=1.1e-2, decay=1.0, stability=0.1), posterior, burn_in=20)
    np.testing.assert_allclose(found, walk(SGLD(step_size=1e-2), posterior), rtol=1e-5, atol=1e-6)


def test_rmsprop_follows_the_squared_gradient_until_burn_in_ends():
    kernel = RMSPropSGLD(step_size=1e-3, decay=0.5)
    posterior, random = LocalPosterior(CENTER, 30.0, 2.0), Randomness(jnp.ones(3), jnp.zeros(()), jax.random.key(0))
    start = kernel.init(posterior, objective)
    gradient = objective(CENTER)[1]
    followed, _ = kernel.step(start, posterior, objective, random, True)
    np.testing.assert_allclose(followed.second_moment, 0.5 + 0.5 * gradient**2, rtol=1e-6)
    steps = 1e-3 / (np.sqrt(followed.second_moment) + 0.1)
    expected = CENTER - steps / 2 * 30 * gradient + np.sqrt(steps)
    np.testing.assert_allclose(followed.position, expected, rtol=1e-5)
    frozen, _ = kernel.step(followed, posterior, objective, random, False)
    np.testing.assert_array_equal(frozen.second_moment, followed.second_moment)
    loose, _ = RMSPropSGLD(decay=0.5, freeze=False).step(followed, posterior, objective, random, False)
    assert np.all(loose.second_moment != followed.second_moment)


def test_rmsprop_after_its_freeze_is_sgld_with_the_steps_of_the_frozen_preconditioner():
    """In direction i the variance is 1 / (a_i (1 - ε_i a_i / 4)), with ε_i from what v was when burn-in ended."""
    curvatures, burn_in, draws = jnp.array([1.0, 4.0]), 300, 3000
    kernel, posterior = RMSPropSGLD(step_size=3e-3, decay=0.9), LocalPosterior(jnp.zeros(2), 10.0, 2.0)

    def bowl(position):
        return 0.5 * jnp.sum(curvatures * position**2), curvatures * position

    def advance(state, number_and_key):
        number, key = number_and_key
        random = Randomness(jax.random.normal(key, (2,)), jnp.zeros(()), key)
        state, draw = kernel.step(state, posterior, bowl, random, number < burn_in)
        return state, (draw.position, state.second_moment)

    def chain(key):
        numbers = jnp.arange(burn_in + draws)
        return jax.lax.scan(advance, kernel.init(posterior, bowl), (numbers, jax.random.split(key, len(numbers))))[1]

    visited, followed = jax.jit(jax.vmap(chain))(jax.random.split(jax.random.key(0), 200))
    steps = 3e-3 / (np.sqrt(followed[:, burn_in - 1]) + 0.1)
    a = 10 * np.asarray(curvatures) + 2
    assert steps.std(axis=0).min() > 0.05 * steps.mean()
    relative = np.mean(np.asarray(visited[:, burn_in + 100 :]) ** 2, axis=1) * a * (1 - steps * a / 4)
    error = relative.std(axis=0) / np.sqrt(len(relative))
    assert error.max() < 0.015
    assert np.all(np.abs(relative.mean(axis=0) - 1) < 3 * error)


def test_sghmc_that_loses_all_its_velocity_is_sgld():
    posterior = LocalPosterior(CENTER, 30.0, 2.0)
    found = walk(SGHMC(step_size=1e-2, friction=1.0), posterior)
    np.testing.assert_allclose(found, walk(SGLD(step_size=1e-2), posterior), rtol=1e-4, atol=1e-5)


def test_sgnht_cools_what_is_too_hot_and_heats_what_is_too_cold():
    posterior, random = LocalPosterior(CENTER, 0.0, 0.0), Randomness(jnp.zeros(3), jnp.zeros(()), jax.random.key(0))
    kernel = SGNHT(step_size=2e-2, friction=0.1)
    start = kernel.init(posterior, objective)
    for size, sign in ((1.0, 1), (0.001, -1)):
        state, draw = kernel.step(start._replace(velocity=jnp.full(3, size)), posterior, objective, random)
        assert np.sign(state.friction - 0.1) == sign
        np.testing.assert_allclose(draw.position, CENTER + size / 2, rtol=1e-6)


def test_mala_accepts_everything_where_the_potential_is_flat_and_refuses_a_cliff():
    def cliff(position):
        return jnp.where(jnp.abs(position - CENTER).max() > 0.02, 1e9, 0.0), jnp.zeros(3)

    posterior = LocalPosterior(CENTER, 1.0, 0.0)
    kernel, state = MALA(step_size=1e-4), MALA(step_size=1e-4).init(posterior, cliff)
    positions = []
    for key in jax.random.split(jax.random.key(0), 200):
        random = Randomness(jax.random.normal(key, (3,)), jax.random.uniform(key), key)
        state, draw = kernel.step(state, posterior, cliff, random)
        positions.append(draw.position)
    moved = np.any(np.diff(np.stack(positions), axis=0) != 0, axis=1)
    assert np.abs(np.stack(positions) - CENTER[None]).max() <= 0.02
    assert 0.3 < moved.mean() < 1


@pytest.mark.end_to_end
@pytest.mark.parametrize("kernel", EVERY, ids=lambda kernel: type(kernel).__name__)
def test_every_kernel_stays_inside_the_mask_and_normal_to_the_gradient(kernel):
    normal = unit(jnp.array([1.0, 0.0, -2.0]))
    posterior = LocalPosterior(CENTER, 30.0, 2.0, jnp.array([1.0, 0.0, 1.0]), normal)
    moved = walk(kernel, posterior) - CENTER[None]
    np.testing.assert_allclose(moved[:, 1], 0, atol=1e-7)
    np.testing.assert_allclose(moved @ normal, 0, atol=1e-6)
    assert np.abs(moved[-1]).max() > 1e-4
    assert posterior.dimension() == 1


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (SGLD(step_size=float("nan")), "step_size must be positive and finite, got nan"),
        (SGLD(step_size=None), "step_size must be a number here, got None"),
        (SGLD(step_size="auto"), "step_size must be a number here, got None; estimate_llc and calibrate choose one"),
        (RMSPropSGLD(decay=1.5), "decay must lie between 0 and 1, got 1.5"),
        (RMSPropSGLD(stability=0.0), "stability must be positive"),
        (SGHMC(friction=0.0), "friction must lie above 0"),
        (SGNHT(friction=2.0), "friction must lie above 0 and not above 1, got 2.0"),
        (MCLMC(decoherence_length=-1.0), "decoherence_length must be positive"),
        (SGHMC(step_size="automatic"), "step_size must be a number here, got 'automatic'"),
    ],
)
def test_numbers_out_of_bounds_are_named(kernel, message):
    with pytest.raises(ValueError, match=message):
        kernel.check(full_batch=True)


@pytest.mark.parametrize("kernel", [MALA(), NUTS(), MCLMC()], ids=lambda kernel: type(kernel).__name__)
def test_full_batch_kernels_refuse_minibatches(kernel):
    with pytest.raises(ValueError, match=f"batch_size: {type(kernel).__name__} takes the full batch"):
        kernel.check(full_batch=False)
