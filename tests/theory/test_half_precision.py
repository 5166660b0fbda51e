"""Checkpoints in half precision: λ̂ of a linear model is that of R1, as in single precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ontogeny

N, STEP_SIZE = 500, 1e-3
NBETA = N / np.log(N)
RNG = np.random.default_rng(0)
WEIGHTS = jnp.asarray(RNG.normal(size=(1, 16)))
INPUTS = jnp.asarray(RNG.normal(size=(N, 16)))


def loss(parameters, batch):
    return 0.5 * (batch[0] @ parameters["w"] - batch[1]) ** 2


def model(dtype):
    """A checkpoint at the exact minimum of its data, both in `dtype`, and the spectrum of its Hessian."""
    weights, inputs = WEIGHTS.astype(dtype), INPUTS.astype(dtype)
    exact = inputs.astype(jnp.float32)
    spectrum = np.linalg.eigvalsh(np.asarray(exact.T @ exact, float) / N)
    return {"w": weights}, (inputs, exact @ weights[0].astype(jnp.float32)), spectrum


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16])
def test_the_estimate_is_exact(dtype):
    checkpoints, data, spectrum = model(dtype)
    estimate = ontogeny.estimate_llc(
        loss,
        checkpoints,
        data,
        key=jax.random.key(0),
        sampler=ontogeny.SGLD(step_size=STEP_SIZE),
        chains=16,
        draws=3000,
        burn_in=500,
    )
    a = NBETA * spectrum + 1
    exact = float(np.sum(NBETA * spectrum / 2 / (a * (1 - STEP_SIZE * a / 4))))
    error = estimate.standard_error[0]
    assert exact == pytest.approx(8, rel=0.02)
    assert error < 0.02 * exact
    assert abs(estimate.mean[0] - exact) < 3 * error
