"""Linear regression with known noise is a regular model whose posterior is Gaussian: every criterion has a closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ontogeny

N, D = 400, 5
RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(N, D))
TARGETS = INPUTS @ RNG.normal(size=D) + RNG.normal(size=N)
SOLUTION = np.linalg.lstsq(INPUTS, TARGETS, rcond=None)[0]
DATA = (jnp.asarray(INPUTS, jnp.float32), jnp.asarray(TARGETS, jnp.float32))


def negative_log_likelihood(parameters, batch):
    inputs, targets = batch
    return 0.5 * (inputs @ parameters - targets) ** 2 + 0.5 * jnp.log(2 * jnp.pi)


ALL = ontogeny.per_example_losses(negative_log_likelihood, DATA)


@pytest.mark.parametrize("inverse_temperature", [float(N), N / np.log(N)], ids=["beta = 1", "WBIC"])
def test_the_criteria_of_a_regular_model(inverse_temperature):
    traces = ontogeny.sample(
        negative_log_likelihood,
        jnp.asarray(SOLUTION, jnp.float32)[None],
        DATA,
        key=jax.random.key(0),
        sampler=ontogeny.MALA(step_size=0.3 / inverse_temperature),
        inverse_temperature=inverse_temperature,
        localization=0.0,
        chains=16,
        draws=8_000,
        burn_in=200,
        collect={"losses": ALL},
        thin=10,
    )
    found = ontogeny.information_criteria(traces.collected["losses"], inverse_temperature)
    beta = inverse_temperature / N
    residuals = TARGETS - INPUTS @ SOLUTION
    spread = np.einsum("ni,ij,nj->n", INPUTS, np.linalg.inv(beta * INPUTS.T @ INPUTS), INPUTS)
    # f = x·w is normal of variance s about the fit: log p = -(r - f)²/2 has variance r² s + s²/2, and mean r² + s above it.
    variance = float(np.sum(residuals**2 * spread + spread**2 / 2))
    gibbs = float(np.mean(residuals**2 + spread) / 2 + np.log(2 * np.pi) / 2)
    training = float(np.mean(residuals**2 / (1 + spread) / 2 + np.log(1 + spread) / 2) + np.log(2 * np.pi) / 2)
    assert found.functional_variance[0] == pytest.approx(variance, rel=0.05)
    assert found.gibbs_training_loss[0] == pytest.approx(gibbs, abs=0.02 * D / 2 / inverse_temperature)
    assert found.bayes_training_loss[0] == pytest.approx(training, abs=0.05 * D / 2 / inverse_temperature)
    assert found.waic[0] == pytest.approx(training + beta * variance / N, abs=1e-3)
    # λ = ν = d/2: exactly for λ̂; for ν with the residuals' own variance in place of 1.
    llc = ontogeny.summarise(traces)
    assert abs(llc.mean[0] - D / 2) < 3 * llc.standard_error[0]
    assert llc.standard_error[0] < 0.02 * D / 2
    assert found.singular_fluctuation[0] == pytest.approx(D / 2, rel=0.2)
    assert found.singular_fluctuation[0] == pytest.approx(beta * variance / 2, rel=0.05)
    if np.isclose(inverse_temperature, N / np.log(N)):
        assert found.wbic[0] == pytest.approx(N * gibbs, rel=1e-3)
    else:
        assert np.isnan(found.wbic[0])


def test_draws_of_dead_chains_are_left_out_and_too_few_are_told():
    losses = np.random.default_rng(0).normal(1, 0.1, (1, 2, 5, 3))
    whole = ontogeny.information_criteria(losses[:, :1], 3.0)
    losses[0, 1, 3:] = np.nan
    found = ontogeny.information_criteria(losses, 3.0)
    assert found.functional_variance == whole.functional_variance and found.waic == whole.waic
    for n_beta in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="inverse_temperature: must be positive and finite"):
            ontogeny.information_criteria(losses, n_beta)
    with pytest.raises(ValueError, match="at least 2 draws of live chains"):
        ontogeny.information_criteria(losses[:, 1:], 3.0)
    with pytest.raises(ValueError, match=r"losses: must have the axes .* got shape \(2, 5, 3\)"):
        ontogeny.information_criteria(losses[0], 3.0)
