"""The bias of λ̂ as a whole, from the density of the Hessian's eigenvalues, is that of R1 and R1b on quadratics."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.sampling.calibration.spectrum import bias_as_a_whole, spectrum
from ontogeny.sampling.kernels.sghmc import SGHMC
from ontogeny.sampling.kernels.sgld import SGLD
from ontogeny.sampling.kernels.sgnht import SGNHT
from ontogeny.sampling.target import Target

N, D = 400, 40
NBETA = N / np.log(N)
H = np.concatenate([np.geomspace(0.001, 0.3, D - 2), [2.0, 5.0]])
ROTATION = np.linalg.qr(np.random.default_rng(0).normal(size=(D, D)))[0]
NOISE = np.random.default_rng(1).normal(size=(N, D)) * np.linspace(0.1, 2.0, D)
NOISE -= NOISE.mean(axis=0)


def loss(parameters, batch):
    along = jnp.asarray(ROTATION.T, jnp.float32) @ parameters["w"]
    return 0.5 * jnp.sum(jnp.asarray(H, jnp.float32) * along**2) + batch @ along


def target(**options):
    checkpoints = {"w": jnp.zeros((2, D))}
    return Target.of(loss, NOISE.astype(np.float32), checkpoints, localization=2.0, **options), checkpoints


def found(own, checkpoints):
    return spectrum(own, checkpoints, key=jax.random.key(0), probes=400, iterations=25)


def test_trace_share_and_largest_eigenvalue_are_exact():
    own, checkpoints = target()
    density = found(own, checkpoints)
    s = NBETA * H / (NBETA * H + 2.0)
    np.testing.assert_allclose(density.trace, H.sum(), rtol=0.15)
    np.testing.assert_allclose(density.largest, 5.0, rtol=1e-3)
    np.testing.assert_allclose(density.weights.sum(axis=1), D, rtol=1e-4)
    np.testing.assert_allclose(density.held_by_localization(NBETA, 2.0), 1 - np.sum(s**2) / np.sum(s), rtol=0.15)


@pytest.mark.end_to_end
@pytest.mark.parametrize("sampler", [SGLD(step_size=3e-3), SGHMC(step_size=4e-3, friction=0.2)])
@pytest.mark.parametrize("batch_size", [None, 50])
def test_the_bias_is_that_of_the_exact_variances(sampler, batch_size):
    own, checkpoints = target(batch_size=batch_size)
    by_step, by_noise = bias_as_a_whole(found(own, checkpoints), sampler, own)
    a, s = NBETA * H + 2.0, NBETA * H / (NBETA * H + 2.0)
    limits = sampler.limits
    exact = np.sum(s * (1 / (1 - sampler.step_size * a / limits.stable_below) - 1)) / np.sum(s)
    assert by_step == pytest.approx(exact, rel=0.15)
    extra = sampler.step_size * NBETA**2 * NOISE.var(axis=0) / (4 * (batch_size or np.inf) * limits.injected)
    assert by_noise == pytest.approx(np.sum(s * extra) / np.sum(s), rel=0.15)
    stiffest = 1 / (1 - sampler.step_size * a.max() / limits.stable_below) - 1
    assert by_step < 0.3 * stiffest


def test_a_thermostat_takes_out_the_mean_of_the_noise():
    own, checkpoints = target(batch_size=50)
    density = found(own, checkpoints)
    plain = bias_as_a_whole(density, SGHMC(step_size=1e-3, friction=0.2), own)[1]
    assert bias_as_a_whole(density, SGNHT(step_size=1e-3, friction=0.2), own)[1] < 0.7 * plain


def test_chains_that_diverge_have_no_bias():
    own, checkpoints = target()
    assert bias_as_a_whole(found(own, checkpoints), SGLD(step_size=1.0), own)[0] == np.inf


@pytest.mark.end_to_end
def test_masked_parameters_do_not_count():
    checkpoints = {"w": jnp.zeros((1, D))}
    mask = {"w": jnp.asarray(np.arange(D) < 10, jnp.float32)}
    own = Target.of(loss, NOISE.astype(np.float32), checkpoints, localization=2.0, mask=mask)
    density = found(own, checkpoints)
    np.testing.assert_allclose(density.weights.sum(axis=1), 10, rtol=1e-4)
    hessian = ROTATION @ np.diag(H) @ ROTATION.T
    np.testing.assert_allclose(density.trace, np.trace(hessian[:10, :10]), rtol=0.15)
