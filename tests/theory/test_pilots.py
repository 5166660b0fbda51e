"""Test what `calibrate` reads off its pilots, against relaxation times and acceptances that are known."""

import jax.numpy as jnp
import numpy as np
import pytest

import ontogeny

NBETA, LOCALIZATION = 100.0, 1.0
SPECTRUM = np.linspace(0.2, 3.0, 10)


def quadratic(parameters, batch):
    return 0.5 * jnp.sum(jnp.asarray(SPECTRUM, jnp.float32) * parameters**2)


@pytest.mark.end_to_end
def test_burn_in_is_a_few_relaxation_times_of_the_slow_directions():
    """From w*, E w_t² = (1 - (1 - εa/2)^2t) / a nearly: it relaxes in 1 / (εa) steps, here 15 times those of the stiff one."""

    def slow_and_stiff(parameters, batch):
        return 0.5 * jnp.sum(parameters[1:] ** 2) + 7.5 * parameters[0] ** 2

    found = ontogeny.calibrate(
        slow_and_stiff,
        jnp.zeros((1, 31)),
        sampler=ontogeny.SGLD(step_size="auto"),
        inverse_temperature=NBETA,
        localization=LOCALIZATION,
        chains=16,
        draws=3000,
    )
    relaxation = 1 / (found.sampler.step_size * (NBETA + LOCALIZATION))
    assert 150 < relaxation < 250
    assert 1.5 * relaxation < found.burn_in < 7 * relaxation


def accepted(step_size, chains=400, draws=64):
    """The share of MALA's proposals from the second on that each of many chains from w* = 0 accepts, counted by hand."""
    rng = np.random.default_rng(0)
    a = NBETA * SPECTRUM + LOCALIZATION
    at, count = np.zeros((chains, len(a))), np.zeros(chains)
    for draw in range(draws):
        to = at * (1 - step_size * a / 2) + np.sqrt(step_size) * rng.normal(size=at.shape)
        there, back = to - at * (1 - step_size * a / 2), at - to * (1 - step_size * a / 2)
        log_ratio = np.sum(a * (at**2 - to**2) / 2 + (there**2 - back**2) / (2 * step_size), axis=1)
        moved = np.log(rng.uniform(size=chains)) < log_ratio
        at, count = np.where(moved[:, None], to, at), count + moved * (draw > 0)
    return count / (draws - 1)


@pytest.mark.end_to_end
@pytest.mark.parametrize(("value", "low", "high"), [(0.01, 0.99, 1.0), (1.0, 0.75, 0.9), (3.0, 0.0, 0.3)])
def test_the_acceptance_is_that_of_a_hand_rolled_mala(value, low, high):
    """`value` is ε (nβ h_max + γ)."""
    step_size = value / (NBETA * SPECTRUM.max() + LOCALIZATION)
    found = ontogeny.calibrate(
        quadratic,
        jnp.zeros((1, 10)),
        sampler=ontogeny.SGLD(step_size=step_size),
        inverse_temperature=NBETA,
        localization=LOCALIZATION,
        chains=1,
        draws=20,
        longest_pilot=1,
    ).acceptance
    shares = accepted(step_size)
    assert low < shares.mean() < high
    assert abs(found - shares.mean()) <= 3 * shares.std() + 1e-9
