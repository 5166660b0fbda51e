"""Chains at several settings of one call are those of a call for each."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.sampling.chains import sample
from ontogeny.sampling.kernels.sgnht import SGNHT
from ontogeny.sampling.program import Settings, run_chains
from ontogeny.sampling.side_by_side import sample_at, values_at
from ontogeny.sampling.target import Target

DATA = jax.random.normal(jax.random.key(1), (60, 3))
CHECKPOINTS = jax.random.normal(jax.random.key(2), (3, 3))
SETTINGS = [
    Settings(SGNHT(step_size=step), nbeta, gamma)
    for step, nbeta, gamma in ((1e-3, 9.0, 1.0), (5e-4, 27.0, 3.0), (1e-3, 3.0, 1.0))
]
COUNTS = {"chains": 2, "draws": 20, "burn_in": 5}


def loss(parameters, batch):
    return (batch @ parameters) ** 2


TARGET = Target.of(loss, DATA, CHECKPOINTS, inverse_temperature=9.0, batch_size=8)


def at(own, checkpoints=CHECKPOINTS, **options):
    target = TARGET._replace(inverse_temperature=own.inverse_temperature, localization=own.localization)
    return sample(target, checkpoints, own.sampler, key=jax.random.key(0), **{**COUNTS, **options})


@pytest.mark.parametrize("lanes", [4, 6])
def test_settings_side_by_side_are_those_one_by_one(lanes):
    steps = [0, 5, 9]
    together = sample_at(SETTINGS, TARGET, CHECKPOINTS, key=jax.random.key(0), lanes=lanes, steps=steps, **COUNTS)
    for own, drawn in zip(SETTINGS, together, strict=True):
        alone = at(own)
        assert (drawn.inverse_temperature, drawn.localization) == (own.inverse_temperature, own.localization)
        np.testing.assert_allclose(drawn.values, alone.values, rtol=2e-4, atol=1e-5)
        np.testing.assert_allclose(drawn.first_order, alone.first_order, rtol=2e-4, atol=1e-5)
        np.testing.assert_array_equal(drawn.baseline, alone.baseline)


def test_settings_in_place_of_checkpoints_compile_nothing_anew():
    options = {"chains": 2, "draws": 20, "collect": {"first": first_of}, "thin": 19}
    alone = [at(own, CHECKPOINTS[-1:], burn_in=0).values[0] for own in SETTINGS]
    at(SETTINGS[0], burn_in=0, **options)
    size = run_chains._cache_size()
    values = values_at(SETTINGS, TARGET, CHECKPOINTS[-1:], size=3, key=jax.random.key(0), **options)
    assert run_chains._cache_size() == size
    np.testing.assert_allclose(values, jnp.stack(alone), rtol=2e-4, atol=1e-5)


def first_of(parameters):
    return parameters[0]
