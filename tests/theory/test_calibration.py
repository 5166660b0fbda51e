"""`calibrate` on quadratics and minibatches whose bias is known: its step keeps the bias it states, and λ̂ is exact with it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ontogeny
from benchmarks.accuracy_answers import regression_answer
from ontogeny.sampling.calibration.pilots import calibrate
from ontogeny.sampling.calibration.settling import settling
from ontogeny.sampling.calibration.sweep import flat_range
from ontogeny.sampling.target import Target

N = 1000
NBETA = N / np.log(N)
SPECTRUM = np.random.default_rng(3).uniform(0.2, 3.0, 10)


def quadratic(parameters, batch):
    return 0.5 * jnp.sum(jnp.asarray(SPECTRUM, jnp.float32) * parameters**2)


def centred(parameters, batch):
    """(w - x)² / 2: curvature 1, and gradients of variance Var(x)."""
    return 0.5 * (parameters[0] - batch) ** 2


DATA = np.random.default_rng(0).normal(size=N)
DATA = jnp.asarray(2 * (DATA - DATA.mean()) / DATA.std(), jnp.float32)
SAMPLERS = [ontogeny.SGLD, ontogeny.SGHMC, ontogeny.SGNHT, ontogeny.MALA]


@pytest.mark.long
@pytest.mark.parametrize("make", SAMPLERS)
def test_the_step_is_the_longest_that_keeps_the_bias_of_the_stiffest_direction(make):
    found = ontogeny.calibrate(quadratic, jnp.zeros((2, 10)), sampler=make(step_size="auto"), n=N, localization=3.0)
    a = NBETA * SPECTRUM.max() + 3
    limit = found.sampler.limits.stable_below
    assert 1 / (1 - found.sampler.step_size * a / limit) - 1 == pytest.approx(0.02, rel=0.03)
    np.testing.assert_allclose(found.curvature, SPECTRUM.max(), rtol=0.02)
    assert found.stability.kind == "stable"
    assert found.gradient_variance.max() == 0


@pytest.mark.long
@pytest.mark.parametrize("make", SAMPLERS)
def test_the_estimate_with_it_is_within_that_bias(make):
    options = {"n": N, "localization": 3.0, "chains": 32, "draws": 4000, "burn_in": "auto"}
    estimate = ontogeny.estimate_llc(quadratic, jnp.zeros((1, 10)), sampler=make(step_size="auto"), **options)
    exact = float(np.sum(NBETA * SPECTRUM / 2 / (NBETA * SPECTRUM + 3)))
    error = estimate.standard_error[0]
    assert error < 0.02 * exact
    assert -3 * error < estimate.mean[0] - exact < 0.02 * exact + 3 * error


@pytest.mark.long
def test_the_noise_of_minibatches_shortens_the_step():
    """s² = 4: R1b's share ε (nβ)² s² / (4 b) is held at the bound, and the estimate is as far off as R1b says."""
    arguments = {"localization": 1.0, "batch_size": 20}
    sampler = ontogeny.SGLD(step_size="auto")
    found = ontogeny.calibrate(centred, jnp.zeros((1, 1)), DATA, sampler=sampler, largest_bias=0.05, **arguments)
    step = found.sampler.step_size
    np.testing.assert_allclose(found.gradient_variance, 4.0, rtol=1e-3)
    assert step * NBETA**2 * 4 / (4 * 20) == pytest.approx(0.05, rel=1e-3)
    estimate = ontogeny.estimate_llc(
        centred, jnp.zeros((1, 1)), DATA, sampler=found.sampler, chains=200, draws=6000, burn_in=1000, **arguments
    )
    a = NBETA + 1
    variance = (step + (step * NBETA / 2) ** 2 * 4 / 20) / (1 - (1 - step * a / 2) ** 2)
    assert abs(estimate.mean[0] - NBETA * variance / 2) < 3 * estimate.standard_error[0]
    assert estimate.standard_error[0] < 0.02 * estimate.mean[0]
    assert NBETA * variance / 2 < 1.08 * NBETA / 2 / a


@pytest.mark.long
@pytest.mark.parametrize("many", [2, 1000])
def test_curvature_is_looked_for_along_the_chains_where_it_vanishes_at_the_checkpoint(many):
    """At all draws of small models, and of large ones (here: of more than two parameters) at one."""

    def quartic(parameters, batch):
        return jnp.sum(parameters**4)

    checkpoints = jnp.zeros((1, 3))
    target = Target.of(quartic, None, checkpoints, n=N, localization=1.0)
    sampler = ontogeny.SGLD(step_size="auto")
    found = calibrate(target, checkpoints, sampler, key=jax.random.key(0), largest_bias=0.05, many=many)
    spread = (0.338 / np.sqrt(NBETA)) * 12  # E w² of exp(-nβ w⁴) is .338 / √nβ, and the curvature 12 w²
    assert spread < found.curvature[0] < 30 * spread
    estimate = ontogeny.estimate_llc(
        quartic, jnp.zeros((1, 3)), sampler=found.sampler, n=N, localization=1.0, chains=32, draws=6000, burn_in=1000
    )
    w = np.linspace(-1, 1, 200_001)
    weights = np.exp(-NBETA * w**4 - w**2 / 2)
    exact = 3 * NBETA * float(np.sum(weights * w**4) / np.sum(weights))
    error = estimate.standard_error[0]
    assert error < 0.03 * exact
    assert abs(estimate.mean[0] - exact) < 0.02 * exact + 3 * error


@pytest.mark.parametrize("step_size", [0.03, 4.01 / (NBETA * SPECTRUM.max() + 1)])
def test_a_step_beyond_stability_is_refused_with_the_bound(step_size):
    bound = 4 / (NBETA * SPECTRUM.max() + 1)
    with pytest.raises(ValueError, match=r"step_size .* is unstable: .* step_size must be below ([\d.]+)") as raised:
        ontogeny.calibrate(quadratic, jnp.zeros((1, 10)), sampler=ontogeny.SGLD(step_size=step_size), n=N)
    assert float(str(raised.value).split()[-1]) == pytest.approx(bound, rel=0.03)


@pytest.mark.long
def test_a_given_step_is_kept_and_judged():
    sampler = ontogeny.SGLD(step_size=2e-3)
    found = ontogeny.calibrate(quadratic, jnp.zeros((1, 10)), sampler=sampler, n=N)
    assert found.sampler == sampler
    assert found.stability.kind == "too long"
    assert found.stability.value == pytest.approx(2e-3 * (NBETA * SPECTRUM.max() + 1), rel=0.02)
    assert 0.3 < found.acceptance <= 1


@pytest.mark.parametrize("sampler", [ontogeny.RMSPropSGLD(step_size="auto"), ontogeny.NUTS()])
def test_samplers_that_cannot_be_calibrated_say_so(sampler):
    with pytest.raises(ValueError, match="cannot be calibrated; give a number"):
        ontogeny.calibrate(quadratic, jnp.zeros((1, 10)), sampler=sampler, n=N)


@pytest.mark.long
def test_richardson_removes_the_bias_of_a_long_step():
    step = 1.2 / (NBETA * SPECTRUM.max() + 3)
    options = {"n": N, "localization": 3.0, "chains": 64, "draws": 4000, "burn_in": 500}
    sampler = ontogeny.SGLD(step_size=step)
    plain, better = (
        ontogeny.estimate_llc(quadratic, jnp.zeros((1, 10)), sampler=sampler, extrapolate=e, **options) for e in (0, 1)
    )
    exact = float(np.sum(NBETA * SPECTRUM / 2 / (NBETA * SPECTRUM + 3)))
    assert plain.mean[0] - exact > 10 * plain.standard_error[0]
    assert abs(better.mean[0] - exact) < 0.25 * (plain.mean[0] - exact) + 3 * better.standard_error[0]


def test_the_sweep_finds_where_the_estimate_is_flat():
    """λ̂ = Σ nβ h / (2 (nβ h + γ)): at γ = 1 flat from nβ on; at γ = 3000 it grows with nβ everywhere."""
    flat, steep = (
        ontogeny.calibrate(
            quadratic, jnp.zeros((1, 10)), sampler=ontogeny.SGLD(step_size="auto"), n=N, localization=g, sweep=True, draws=2000
        ).sweep
        for g in (1.0, 3000.0)
    )
    assert flat.flat_from <= NBETA and flat.flat_to == pytest.approx(9 * NBETA)
    assert steep.flat_from == steep.flat_to == pytest.approx(NBETA)


def test_settling_is_where_a_transient_has_gone():
    steady = np.random.default_rng(0).normal(size=(20, 4, 400))
    transient = 20 * np.exp(-np.arange(400) / 30)
    assert np.median([settling(trace) for trace in steady]) <= 40
    assert 80 <= np.median([settling(trace + transient) for trace in steady]) <= 240
    assert settling(np.full((2, 400), np.nan)) == 400


@pytest.mark.long
def test_with_control_variates_only_the_curvature_bounds_the_step():
    arguments = {"localization": 1.0, "batch_size": 20, "sampler": ontogeny.SGLD(step_size="auto")}
    found = ontogeny.calibrate(centred, jnp.zeros((1, 1)), DATA, control_variates=True, **arguments)
    full = ontogeny.calibrate(centred, jnp.zeros((1, 1)), DATA, **{**arguments, "batch_size": None})
    assert found.sampler.step_size == pytest.approx(full.sampler.step_size, rel=1e-3)


@pytest.mark.long
@pytest.mark.parametrize("control_variates", [False, True])
def test_noise_that_there_is_only_away_from_the_checkpoint_bounds_the_step(control_variates):
    """Least squares without residuals and with sparse inputs: ∇ℓ_i(w*) = 0, but minibatches differ in their curvature."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(N, 4)) * (rng.random((N, 4)) < 0.05)
    data = jnp.asarray(inputs, jnp.float32)
    found = ontogeny.calibrate(
        lambda w, x: 0.5 * (x @ w) ** 2,
        jnp.zeros((1, 4)),
        data,
        sampler=ontogeny.SGLD(step_size="auto"),
        batch_size=4,
        control_variates=control_variates,
    )
    posterior = value_of_the_posterior(inputs)
    answer = regression_answer(inputs, np.zeros(N), NBETA, 1.0, 4)
    by_curvature = 4 * 0.02 / 1.02 / (NBETA * np.linalg.eigvalsh(inputs.T @ inputs / N).max() + 1)
    assert answer(by_curvature, np.array([])) > 1.2 * posterior
    assert answer(found.sampler.step_size, np.array([])) < 1.03 * posterior


def value_of_the_posterior(inputs):
    stiffness = NBETA * np.linalg.eigvalsh(inputs.T @ inputs / N)
    return float(np.sum(stiffness / 2 / (stiffness + 1)))


def test_chains_that_die_at_every_step_are_an_error():
    checkpoints = jnp.zeros((1, 2))
    target = Target.of(lambda w, _: -jnp.sum(w**4), None, checkpoints, n=10**6)
    with pytest.raises(ValueError, match="chains die at every step tried"):
        calibrate(target, checkpoints, ontogeny.SGLD(step_size="auto"), key=jax.random.key(0), draws=200, rounds=2)


@pytest.mark.long
def test_a_given_step_whose_pilot_chains_die_is_not_called_stable():
    found = ontogeny.calibrate(
        lambda w, _: 40 * jnp.sum(w**6), jnp.zeros((1, 2)), sampler=ontogeny.SGLD(step_size=0.5), n=N, localization=1.0
    )
    assert found.stability.kind == "unstable" and found.stability.dead_chains > 0


def test_too_few_draws_find_no_flat_range():
    """λ̂ is far from flat where γ is of the size of nβ h, and what four short chains say of it is noise."""
    steep = np.array([0.5, 0.9, 1.2, 1.4, 1.5])[:, None]
    noise = np.random.default_rng(0).normal(size=(5, 4))
    assert flat_range(steep + 0.001 * noise) == (2, 2)
    assert flat_range(steep + 2.0 * noise) == (2, 2)
    flat = np.array([1.0, 1.19, 1.2, 1.21, 1.5])[:, None]
    assert flat_range(flat + 0.01 * noise) == (1, 3)
