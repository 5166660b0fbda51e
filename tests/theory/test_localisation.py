"""The share of λ̂ that the localisation decides is known exactly on quadratics and on powers of w.

On L = ½ Σ h_i w_i² chains have variance v_i in direction i, and nβ L is a sum of gamma variables: λ̂ = Σ ½ nβ h_i v_i and
Var(nβ L) = Σ ½ (nβ h_i v_i)².
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ontogeny
from ontogeny.sampling.kernels.sghmc import SGHMC
from ontogeny.sampling.kernels.sgld import SGLD

N = 1000
NBETA = N / np.log(N)
H = np.array([0.03, 0.1, 0.3, 1.0, 3.0, 0.2, 0.05, 2.0])


def quadratic(parameters, batch):
    return 0.5 * jnp.sum(jnp.asarray(H, jnp.float32) * parameters["w"] ** 2)


def check(estimate, terms):
    """`terms`: nβ h_i v_i of each direction."""
    exact, variance = np.sum(terms) / 2, np.sum(terms**2) / 2
    assert abs(estimate.mean[0] - exact) < 4 * estimate.standard_error[0]
    assert abs(estimate.llc_variance[0] - variance) < 4 * estimate.llc_variance_standard_error[0] < 0.3 * variance
    error = estimate.held_by_localization_standard_error[0]
    assert abs(estimate.held_by_localization[0] - (1 - variance / exact)) < 4 * error < 0.3
    np.testing.assert_allclose(estimate.llc_corrected, 2 * estimate.mean - estimate.llc_variance)


@pytest.mark.parametrize("localization", [1.0, 30.0, 1000.0])
def test_on_a_quadratic_the_share_is_exact(localization):
    sampler = SGLD(step_size=1e-3)
    options = {"n": N, "localization": localization, "chains": 32, "draws": 4000, "burn_in": 1000}
    estimate = ontogeny.estimate_llc(quadratic, {"w": jnp.zeros((1, 8))}, sampler=sampler, **options)
    a = NBETA * H + localization
    check(estimate, NBETA * H / (a * (1 - 1e-3 * a / 4)))


def noisy(parameters, batch):
    """Losses ½ Σ h_i w_i² + x·w with mean-free x: batches add noise to losses and gradients."""
    return 0.5 * jnp.sum(jnp.asarray(H, jnp.float32) * parameters["w"] ** 2) + batch @ parameters["w"]


@pytest.mark.end_to_end
@pytest.mark.parametrize("sampler", [SGLD(step_size=5e-4), SGHMC(step_size=2e-4, friction=0.2)])
def test_the_noise_of_batches_is_taken_out(sampler):
    batch, localization = 10, 5.0
    data = np.random.default_rng(0).normal(size=(N, 8)) * 0.15
    data = (data - data.mean(axis=0)).astype(np.float32)
    options = {"localization": localization, "chains": 32, "draws": 6000, "burn_in": 1500, "batch_size": batch}
    estimate = ontogeny.estimate_llc(noisy, {"w": jnp.zeros((1, 8))}, data, sampler=sampler, **options)
    a, noise = NBETA * H + localization, data.var(axis=0) / batch
    step = sampler.step_size
    if isinstance(sampler, SGLD):
        variance = (step + (step * NBETA / 2) ** 2 * noise) / (1 - (1 - step * a / 2) ** 2)
    else:
        alpha = sampler.friction
        injected = (alpha * step + (step * NBETA / 2) ** 2 * noise) / (alpha * step)
        variance = injected / (a * (1 - step * a / (4 * (2 - alpha))))
    raw = NBETA**2 * estimate.trace[0].var()
    terms = NBETA * H * variance
    assert raw > 2 * np.sum(terms**2) / 2, "batches add little, so this test would show nothing"
    check(estimate, terms)


@pytest.mark.end_to_end
@pytest.mark.parametrize("power", [2, 4])
def test_without_localisation_powers_are_not_held(power):
    def loss(parameters, batch):
        return jnp.sum(parameters["w"] ** power)

    options = {"n": N, "localization": 0.0, "chains": 64, "draws": 8000, "burn_in": 2000}
    estimate = ontogeny.estimate_llc(loss, {"w": jnp.zeros((1, 1))}, sampler=SGLD(step_size=1e-3), **options)
    error = estimate.held_by_localization_standard_error[0]
    assert error < 0.1
    assert abs(estimate.held_by_localization[0]) < 4 * error + 0.08  # the step adds to both


@pytest.mark.end_to_end
def test_a_strong_localisation_holds_the_trace():
    options = {"n": N, "localization": 1e5, "chains": 16, "draws": 2000, "burn_in": 200}
    estimate = ontogeny.estimate_llc(quadratic, {"w": jnp.zeros((1, 8))}, sampler=SGLD(step_size=2e-6), **options)
    assert estimate.held_by_localization[0] > 0.95
    assert abs(estimate.mean[0] / (NBETA * H.sum() / 2e5) - 1) < 0.1


def test_dead_chains_and_single_chains_are_no_numbers_where_they_must_be():
    values = np.random.default_rng(1).exponential(size=(1, 1, 50)).astype(np.float32)
    draws = ontogeny.Draws(
        values=values,
        baseline=np.zeros(1),
        gradient_norm=np.zeros(1),
        first_order=np.zeros((1, 1)),
        inverse_temperature=2.0,
        localization=1.0,
        n=10,
        dimension=10,
        steps=np.arange(1),
    )
    estimate = ontogeny.summarise(draws)
    assert estimate.llc_variance[0] == pytest.approx(4 * values.astype(float).var())
    assert np.isnan(estimate.held_by_localization_standard_error[0])
    dead = ontogeny.summarise(jax.tree_util.tree_map(lambda d: d, draws.__class__(**{**vars(draws), "values": values * np.nan})))
    assert np.isnan([dead.llc_variance[0], dead.held_by_localization[0]]).all()
