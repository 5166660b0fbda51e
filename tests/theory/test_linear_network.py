"""A deep linear network where every layer has full rank: the minima are a smooth fibre, λ = rank(J) / 2 (R4), R1 applies."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import ontogeny
from ontogeny.sampling.kernels.sgld import SGLD

WIDTHS = (4, 2, 2, 3)
NBETA = 1e4
LOCALIZATION = 200.0


def product(parameters):
    return parameters["layers.2"] @ parameters["layers.1"] @ parameters["layers.0"]


def orthonormal(rng, rows, columns):
    """A full-rank layer with all singular values 1, so that the Hessian is well conditioned."""
    return np.linalg.qr(rng.normal(size=(max(rows, columns),) * 2))[0][:rows, :columns]


@pytest.mark.end_to_end
def test_the_estimate_is_half_the_rank_of_the_product_map():
    rng = np.random.default_rng(4)
    first, second, third = (orthonormal(rng, rows, columns) for columns, rows in pairwise(WIDTHS))
    checkpoint = {"layers.0": jnp.asarray(first), "layers.1": jnp.asarray(second), "layers.2": jnp.asarray(third)}
    checkpoint = jax.tree.map(lambda layer: layer.astype(jnp.float32), checkpoint)
    target = product(checkpoint)
    inputs = jnp.asarray(np.linalg.qr(rng.normal(size=(64, 4)))[0] * 8, jnp.float32)

    def loss(parameters, batch):
        return 0.5 * jnp.sum((batch @ (product(parameters) - target).T) ** 2, axis=1)

    flat, unflatten = ravel_pytree(checkpoint)
    jacobian = jax.jacobian(lambda position: product(unflatten(position)).ravel())(flat)
    rank = int(np.linalg.matrix_rank(np.asarray(jacobian), tol=1e-4))
    assert rank / 2 == (min(WIDTHS) * (WIDTHS[0] + WIDTHS[-1]) - min(WIDTHS) ** 2) / 2  # Aoyagi's λ at rank min(WIDTHS)

    h = np.linalg.eigvalsh(np.asarray(jax.hessian(lambda position: loss(unflatten(position), inputs).mean())(flat)))
    h = h[h > 1e-3]
    assert len(h) == rank
    step_size = 0.05 / (NBETA * h.max())
    a = NBETA * h + LOCALIZATION
    exact = float(np.sum(NBETA * h / 2 / (a * (1 - step_size * a / 4))))
    assert abs(exact - rank / 2) < 0.05 * rank / 2

    result = ontogeny.estimate_llc(
        loss,
        jax.tree.map(lambda layer: layer[None], checkpoint),
        inputs,
        key=jax.random.key(0),
        sampler=SGLD(step_size=step_size),
        inverse_temperature=NBETA,
        localization=LOCALIZATION,
        chains=16,
        draws=1500,
        burn_in=500,
    )
    assert result.standard_error[0] < 0.05 * exact
    assert abs(result.mean[0] - exact) < 3 * result.standard_error[0]
    assert result.verdict == ["ok"]
