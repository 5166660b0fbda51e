"""R3: L = w^{2k} with γ = 2 and nβ = n / log n at n = 1024: λ̂ at this n, not its limit 1 / (2k)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

import ontogeny
from ontogeny.sampling.kernels.sgld import SGLD

LOSSES = {k: (lambda parameters, batch, k=k: jnp.sum(parameters["w"] ** (2 * k))) for k in (1, 2, 3)}
EXACT = {1: 0.4966, 2: 0.2365, 3: 0.1478}
STEP_SIZES = {1: 1e-4, 2: 1e-3, 3: 2e-3}


@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_expected_numbers_are_integrals_of_the_local_posterior(k):
    nbeta = 1024 / np.log(1024)
    weight = lambda w: np.exp(-nbeta * w ** (2 * k) - w**2)  # noqa: E731
    ratio = quad(lambda w: nbeta * w ** (2 * k) * weight(w), -4, 4)[0] / quad(weight, -4, 4)[0]
    assert ratio == pytest.approx(EXACT[k], abs=5e-5)


@pytest.mark.end_to_end
@pytest.mark.parametrize("k", [1, 2, 3])
def test_sgld_finds_them(k):
    result = ontogeny.estimate_llc(
        LOSSES[k],
        {"w": jnp.zeros((1, 1))},
        key=jax.random.key(k),
        sampler=SGLD(step_size=STEP_SIZES[k]),
        n=1024,
        localization=2.0,
        chains=400,
        draws=4000,
        burn_in=2000,
    )
    assert result.standard_error[0] < (0.02 if k == 1 else 0.05) * EXACT[k]
    assert abs(result.mean[0] - EXACT[k]) < 3 * result.standard_error[0]
