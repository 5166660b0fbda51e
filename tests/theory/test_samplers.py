"""Every sampler on a quadratic with a random spectrum, where its stationary λ̂ is known at its own finite settings."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import solve_discrete_lyapunov

import ontogeny

N, LOCALIZATION = 1000, 3.0
NBETA = N / np.log(N)
SPECTRUM = np.random.default_rng(3).uniform(0.2, 3.0, 10)
A = NBETA * SPECTRUM + LOCALIZATION


def quadratic(parameters, batch):
    return 0.5 * jnp.sum(jnp.asarray(SPECTRUM, jnp.float32) * parameters**2)


def continuous(free=slice(None)):
    """λ̂ of the local posterior itself: the limit of small steps, and of samplers with a Metropolis test."""
    return float(np.sum(NBETA * SPECTRUM[free] / 2 / A[free]))


def langevin(step_size):
    """R1: SGLD's variance is 1 / (a (1 - ε a / 4))."""
    return float(np.sum(NBETA * SPECTRUM / 2 / (A * (1 - step_size * A / 4))))


def hamiltonian(step_size, friction):
    """SGHMC is a linear recursion of (w, v): its stationary covariance solves Σ = T Σ Tᵀ + α ε (1, 1)ᵀ(1, 1)."""
    total = 0.0
    for h, a in zip(SPECTRUM, A, strict=True):
        pull = step_size * a / 2
        transition = np.array([[1 - pull, 1 - friction], [-pull, 1 - friction]])
        total += NBETA * h / 2 * solve_discrete_lyapunov(transition, friction * step_size * np.ones((2, 2)))[0, 0]
    return float(total)


CASES = {
    "SGLD": (ontogeny.SGLD(step_size=4e-3), langevin(4e-3)),
    "RMSProp-SGLD, v = 1": (ontogeny.RMSPropSGLD(step_size=4.4e-3, decay=1.0), langevin(4e-3)),
    "SGHMC": (ontogeny.SGHMC(step_size=2e-3, friction=0.3), hamiltonian(2e-3, 0.3)),
    "SGHMC, long steps": (ontogeny.SGHMC(step_size=8e-3, friction=0.8), hamiltonian(8e-3, 0.8)),
    "SGNHT": (ontogeny.SGNHT(step_size=1e-4, friction=0.05), continuous()),
    "MALA": (ontogeny.MALA(step_size=3e-3), continuous()),
    "NUTS": (ontogeny.NUTS(), continuous()),
    "MCLMC": (ontogeny.MCLMC(step_size=0.01, decoherence_length=0.15), continuous()),
}


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
def test_the_stationary_value_is_exact(name):
    sampler, exact = CASES[name]
    chains, draws = (16, 1000) if name == "NUTS" else (32, 5000)
    estimate = ontogeny.estimate_llc(
        quadratic,
        jnp.zeros((1, 10)),
        key=jax.random.key(1),
        sampler=sampler,
        n=N,
        localization=LOCALIZATION,
        chains=chains,
        draws=draws,
        burn_in=1000,
    )
    error = estimate.standard_error[0]
    assert error < 0.02 * exact
    assert abs(estimate.mean[0] - exact) < 3 * error


@pytest.mark.long
def test_the_noise_of_minibatches_does_not_heat_the_thermostat():
    """At a step where R1b gives SGLD 30% more variance than 1 / a, and SGHMC of this friction six times that share."""
    nbeta, curvature, step, friction, batch_size, heating = 10.0, 0.3, 0.015, 0.05, 4, 0.3

    def centred(parameters, batch):
        return curvature / 2 * jnp.sum((parameters[None] - batch) ** 2, axis=1)

    scale = np.sqrt(heating * 4 * batch_size / step) / (nbeta * curvature)
    data = np.random.default_rng(0).normal(size=(N, 10))
    data = jnp.asarray(scale * (data - data.mean(axis=0)) / data.std(axis=0), jnp.float32)
    options = {"inverse_temperature": nbeta, "localization": 1.0, "batch_size": batch_size}
    sampler = ontogeny.SGNHT(step_size=step, friction=friction)
    estimate = ontogeny.estimate_llc(
        centred, jnp.zeros((1, 10)), data, sampler=sampler, chains=32, draws=4000, burn_in=500, **options
    )
    unheated, error = 10 * nbeta * curvature / 2 / (nbeta * curvature + 1), estimate.standard_error[0]
    assert abs(estimate.mean[0] - unheated) < 0.1 * heating * unheated + 3 * error
    assert error < 0.02 * unheated


@pytest.mark.long
def test_masks_leave_the_free_part_of_the_sum():
    mask = jnp.arange(10) % 2
    estimate = ontogeny.estimate_llc(
        quadratic, jnp.zeros((1, 10)), sampler=ontogeny.MALA(step_size=3e-3), n=N, localization=LOCALIZATION, mask=mask,
        chains=32, draws=4000, burn_in=300,
    )  # fmt: skip
    exact = continuous(slice(1, None, 2))
    assert estimate.standard_error[0] < 0.02 * exact
    assert abs(estimate.mean[0] - exact) < 3 * estimate.standard_error[0]
