"""R1: on L = ½ Σ h_i w_i², full batch, the expectation of λ̂ under discrete SGLD is known exactly, transient included.

With a_i = nβ h_i + γ, after t steps from w*: E λ̂ = Σ (nβ h_i / 2) / (a_i (1 - ε a_i / 4)) · (1 - (1 - ε a_i / 2)^{2t}).
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ontogeny
from ontogeny.sampling.kernels.sgld import SGLD

N = 1000
NBETA = N / np.log(N)


def quadratic(parameters, batch):
    return 0.5 * jnp.sum(parameters["h"] * parameters["w"] ** 2)


def expected(h, step_size, localization, times):
    """The mean of λ̂ over draws that `times` steps precede."""
    a = NBETA * h + localization
    stationary = NBETA * h / 2 / (a * (1 - step_size * a / 4))
    return float(np.sum(stationary[:, None] * (1 - (1 - step_size * a[:, None] / 2) ** (2 * times)), axis=0).mean())


def estimate(h, seed, *, step_size=1e-3, localization=1.0, chains=32, draws=2000, burn_in=200):
    """λ̂ of the quadratic with spectrum h, which travels with the parameters so that spectra share a compilation."""
    h = jnp.asarray(h, jnp.float32)
    checkpoint = {"h": h[None], "w": jnp.zeros((1, h.size))}
    return ontogeny.estimate_llc(
        quadratic,
        checkpoint,
        key=jax.random.key(seed),
        sampler=SGLD(step_size=step_size),
        n=N,
        localization=localization,
        chains=chains,
        draws=draws,
        burn_in=burn_in,
        mask={"h": jnp.zeros(h.size), "w": jnp.ones(h.size)},
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("localization", "step_size"), [(0.0, 1e-3), (1.0, 1e-3), (100.0, 1e-3), (1.0, 8e-3)])
def test_random_spectra_agree_with_the_exact_expectation(seed, localization, step_size):
    h = np.random.default_rng(seed).uniform(0.2, 3.0, 12)
    result = estimate(h, seed, step_size=step_size, localization=localization)
    exact = expected(h, step_size, localization, np.arange(200, 2200))
    error = result.standard_error[0]
    assert error < 0.02 * exact
    assert abs(result.mean[0] - exact) < 3 * error


def test_the_transient_from_the_checkpoint_is_exact_too():
    h = np.random.default_rng(9).uniform(0.02, 0.3, 12)
    result = estimate(h, 9, chains=2000, draws=10, burn_in=5)
    exact = expected(h, 1e-3, 1.0, np.arange(5, 15))
    assert exact < 0.5 * expected(h, 1e-3, 1.0, np.array([10**6]))
    error = result.standard_error[0]
    assert error < 0.02 * exact
    assert abs(result.mean[0] - exact) < 3 * error


def test_error_bars_cover_the_exact_value():
    """Over 40 seeds: about two thirds within one error, nearly all within two, all but a stray one within three."""
    h = np.random.default_rng(0).uniform(0.2, 3.0, 12)
    exact = expected(h, 1e-3, 1.0, np.arange(200, 1000))
    results = [estimate(h, seed, draws=800) for seed in range(100, 140)]
    scores = np.array([(result.mean[0] - exact) / result.standard_error[0] for result in results])
    # The error bar takes the larger of two estimates, so it covers a little more than a normal one; too wide fails too.
    assert 0.55 <= np.mean(np.abs(scores) < 1) <= 0.90
    assert np.mean(np.abs(scores) < 2) >= 0.90
    assert np.sum(np.abs(scores) >= 3) <= 1
    assert abs(scores.mean()) < 3 / np.sqrt(len(scores))


def minibatch_quadratic(parameters, batch):
    return 0.5 * (parameters["w"][0] - batch) ** 2


@pytest.mark.end_to_end
def test_minibatches_widen_the_posterior_by_the_variance_of_their_gradient():
    """R1b: Var(w) = [ε + (ε nβ / 2)² s² / b] / [1 - (1 - ε a / 2)²]; λ̂ reads L_b(w) - L_b(w*), whose mean is h Var(w) / 2."""
    data = np.random.default_rng(0).normal(size=N)
    data = jnp.asarray((data - data.mean()) / data.std(), jnp.float32)
    step_size, batch_size = 1e-3, 20
    result = ontogeny.estimate_llc(
        minibatch_quadratic,
        {"w": jnp.zeros((1, 1))},
        data,
        key=jax.random.key(3),
        sampler=SGLD(step_size=step_size),
        chains=200,
        draws=3000,
        burn_in=200,
        batch_size=batch_size,
    )
    a = NBETA + 1
    variance = (step_size + (step_size * NBETA / 2) ** 2 / batch_size) / (1 - (1 - step_size * a / 2) ** 2)
    exact = NBETA * variance / 2
    assert exact > 1.2 * expected(np.ones(1), step_size, 1.0, np.array([10**6]))
    assert result.standard_error[0] < 0.02 * exact
    assert abs(result.mean[0] - exact) < 3 * result.standard_error[0]
