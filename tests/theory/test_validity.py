"""Away from a minimum the plain estimate falls below zero; each remedy gives the value of the directions it keeps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ontogeny

N, D = 500, 4
NBETA = N / np.log(N)
RNG = np.random.default_rng(1)
INPUTS = jnp.asarray(RNG.normal(size=(N, D)), jnp.float32)
TARGETS = INPUTS @ jnp.ones(D)
HALF_TRAINED = jnp.full((1, D), 0.5)
OPTIONS = {"localization": 50.0, "chains": 32, "draws": 2500, "burn_in": 500, "sampler": ontogeny.SGLD(step_size=5e-4)}


def predict(parameters, inputs):
    return inputs @ parameters


def loss(parameters, batch):
    inputs, targets = batch
    return 0.5 * (predict(parameters, inputs) - targets) ** 2


def half_squared(outputs, reference):
    return 0.5 * (outputs - reference) ** 2


def quadratic_value(hessian):
    """R1 over the spectrum of a Hessian."""
    h = np.linalg.eigvalsh(hessian)
    a = NBETA * h + 50
    return float(np.sum(NBETA * h / 2 / (a * (1 - 5e-4 * a / 4))))


HESSIAN = np.asarray(INPUTS.T @ INPUTS, float) / N


@pytest.mark.end_to_end
def test_the_plain_estimate_goes_below_zero_and_says_so():
    estimate = ontogeny.estimate_llc(loss, HALF_TRAINED, (INPUTS, TARGETS), **OPTIONS)
    assert estimate.mean[0] < -5
    assert {"negative", "share_below", "first_order"} <= set(estimate.verdict[0].split(", "))
    assert estimate.first_order[0] < estimate.mean[0]


@pytest.mark.end_to_end
def test_the_behavioural_estimate_is_that_of_the_minimum_it_makes():
    estimate = ontogeny.estimate_behavioural_llc(predict, half_squared, HALF_TRAINED, INPUTS, **OPTIONS)
    exact = quadratic_value(HESSIAN)
    assert estimate.verdict == ["ok"]
    assert estimate.standard_error[0] < 0.02 * exact
    assert abs(estimate.mean[0] - exact) < 3 * estimate.standard_error[0]


def test_the_gradient_normal_estimate_is_that_of_the_hyperplane():
    estimate = ontogeny.estimate_llc(loss, HALF_TRAINED, (INPUTS, TARGETS), projection="gradient", **OPTIONS)
    gradient = HESSIAN @ (np.full(D, 0.5) - 1)
    _, _, basis = np.linalg.svd(gradient[None])
    exact = quadratic_value(basis[1:] @ HESSIAN @ basis[1:].T)
    assert estimate.verdict == ["ok"]
    assert estimate.standard_error[0] < 0.02 * exact
    assert abs(estimate.mean[0] - exact) < 3 * estimate.standard_error[0]


@pytest.mark.end_to_end
def test_a_behavioural_mask_moves_its_part_alone():
    mask = jnp.array([1.0, 1.0, 0.0, 0.0])
    estimate = ontogeny.estimate_behavioural_llc(predict, half_squared, HALF_TRAINED, INPUTS, mask=mask, **OPTIONS)
    assert abs(estimate.mean[0] - quadratic_value(HESSIAN[:2, :2])) < 3 * estimate.standard_error[0]


@pytest.mark.end_to_end
def test_the_divergences_are_zero_and_least_where_outputs_agree():
    logits = jnp.asarray(RNG.normal(size=(3, 5, 7)), jnp.float32)
    other = logits + jnp.asarray(RNG.normal(size=(3, 5, 7)), jnp.float32)
    for divergence in (ontogeny.kullback_leibler, ontogeny.squared_difference):
        np.testing.assert_allclose(divergence(logits, logits), 0, atol=1e-6)
        np.testing.assert_allclose(jax.grad(lambda x, d=divergence: d(x, logits).sum())(logits), 0, atol=1e-6)
        assert divergence(other, logits).shape == (3,) and np.all(divergence(other, logits) > 0.1)
    p, q = (np.asarray(jax.nn.softmax(x), float) for x in (logits, other))
    expected = np.sum(p * np.log(p / q), axis=-1).mean(axis=-1)
    np.testing.assert_allclose(ontogeny.kullback_leibler(other, logits), expected, rtol=1e-4)


@pytest.mark.end_to_end
def test_without_a_slope_nothing_is_marked():
    estimate = ontogeny.estimate_llc(loss, jnp.ones((1, D)), (INPUTS, TARGETS), **OPTIONS)
    assert estimate.verdict == ["ok"]
    assert estimate.mean[0] == pytest.approx(quadratic_value(HESSIAN), abs=3 * estimate.standard_error[0])
