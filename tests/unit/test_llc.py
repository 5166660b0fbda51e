import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ontogeny

CHECKPOINTS = {"w": jnp.zeros((2, 3))}


def bowl(parameters, batch):
    return jnp.sum(parameters["w"] ** 2)


def ridge(parameters, batch):
    """Falls without end on both sides: no minimum at w = 0, and chains overflow."""
    return -jnp.sum(parameters["w"] ** 4)


def traces(values, inverse_temperature=10.0):
    values = np.asarray(values, np.float32)
    return ontogeny.Traces(
        values=values,
        baseline=np.zeros(len(values)),
        inverse_temperature=inverse_temperature,
        localization=1.0,
        n=100,
        steps=np.arange(len(values)),
    )


def test_importing_ontogeny_imports_no_jax():
    code = "import sys, ontogeny; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", ontogeny.__all__)
def test_public_names_resolve(name):
    assert getattr(ontogeny, name).__name__ == name
    assert name in dir(ontogeny)


def test_estimate_is_sample_then_summarise():
    options = {"key": jax.random.key(0), "n": 100, "chains": 4, "draws": 200, "burn_in": 50, "steps": [5, 9]}
    estimate = ontogeny.estimate_llc(bowl, CHECKPOINTS, sampler=ontogeny.SGLD(step_size=1e-3), **options)
    sampled = ontogeny.sample(bowl, CHECKPOINTS, sampler=ontogeny.SGLD(step_size=1e-3), **options)
    np.testing.assert_array_equal(estimate.trace, sampled.values)
    np.testing.assert_allclose(estimate.per_chain, sampled.inverse_temperature * np.mean(sampled.values, axis=-1), rtol=1e-5)
    np.testing.assert_allclose(estimate.mean, estimate.per_chain.mean(axis=1))
    frame = estimate.to_frame()
    columns = "step llc standard_error effective_sample_size r_hat dead_chains share_below drift verdict"
    assert list(frame.columns) == columns.split()
    assert list(frame["step"]) == [5, 9]


def test_dead_chains_are_left_out_and_counted():
    values = np.random.default_rng(0).uniform(0.1, 0.3, (2, 4, 100))
    values[0, 1, 50:] = np.nan
    values[0, 1, :50] = 1e6
    estimate = ontogeny.summarise(traces(values))
    assert list(estimate.dead_chains) == [1, 0]
    assert np.isnan(estimate.per_chain[0, 1])
    assert estimate.mean[0] == pytest.approx(10 * values[0, [0, 2, 3]].mean(), rel=1e-5)
    assert estimate.verdict == ["dead_chains", "ok"]


def test_where_all_chains_die_nothing_is_claimed():
    estimate = ontogeny.estimate_llc(
        ridge, CHECKPOINTS, key=jax.random.key(0), n=10_000, chains=3, sampler=ontogeny.SGLD(step_size=0.1), draws=100
    )
    assert np.isnan(estimate.mean).all()
    assert np.isnan(estimate.standard_error).all()
    assert list(estimate.dead_chains) == [3, 3]
    assert estimate.verdict == ["all chains dead"] * 2


def test_negative_values_are_reported_and_marked():
    estimate = ontogeny.summarise(traces(-np.random.default_rng(0).uniform(0.1, 0.3, (1, 4, 100))))
    assert estimate.mean[0] == pytest.approx(-2.0, rel=0.1)
    assert estimate.verdict == ["negative, share_below"]


def test_one_chain_has_an_error_from_its_autocorrelation():
    estimate = ontogeny.summarise(traces(np.random.default_rng(0).normal(1, 0.1, (1, 1, 400))))
    assert estimate.standard_error[0] == pytest.approx(10 * 0.1 / np.sqrt(400), rel=0.3)


def test_another_seed_changes_the_estimate_by_what_its_error_says():
    options = {"n": 100, "chains": 8, "draws": 400, "burn_in": 100, "sampler": ontogeny.SGLD(step_size=5e-3)}
    estimates = [ontogeny.estimate_llc(bowl, CHECKPOINTS, key=jax.random.key(seed), **options) for seed in range(30)]
    spread = np.std([estimate.mean[0] for estimate in estimates], ddof=1)
    error = np.median([estimate.standard_error[0] for estimate in estimates])
    assert 0.6 < error / spread < 1.6
