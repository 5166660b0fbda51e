import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.sampling.calibration.curvature import stability, top_curvature
from ontogeny.sampling.kernels.sgld import SGLD
from ontogeny.sampling.target import resolve


def test_defaults_are_n_over_log_n_and_the_full_batch():
    data = {"x": np.zeros((1000, 2))}
    resolved = resolve(data, n=None, batch_size=None, inverse_temperature=None)
    assert resolved == (1000, None, pytest.approx(144.765, abs=1e-3))
    assert resolve(data, n=None, batch_size=1000, inverse_temperature=3.0) == (1000, None, 3.0)
    assert resolve(data, n=None, batch_size=10, inverse_temperature=None).inverse_temperature == resolved.inverse_temperature


def curved(parameters, batch):
    """Hessian diag(curvatures) on average over the data, for the leaves in order."""
    return 0.5 * jnp.sum(jnp.concatenate([parameters["a"], parameters["b"]])[None] ** 2 * batch, axis=1)


@pytest.mark.parametrize(
    "curvatures",
    [np.linspace(0.1, 7, 40), np.r_[np.linspace(-9, 1, 38), 1.9, 2.0], np.r_[5.0, np.zeros(39)]],
    ids=["wide", "saddle", "rank 1"],
)
def test_top_curvature_is_the_largest_eigenvalue_even_where_a_negative_one_is_larger(curvatures):
    data = jnp.asarray(curvatures, jnp.float32)[None] * jnp.linspace(0.5, 1.5, 30)[:, None]
    checkpoints = {"a": jnp.ones((2, 10)), "b": jnp.ones((2, 30))}
    found = top_curvature(curved, checkpoints, data, key=jax.random.key(0))
    np.testing.assert_allclose(found, curvatures.max(), rtol=0.02)


def test_top_curvature_knows_only_the_directions_that_the_mask_leaves_free():
    curvatures = jnp.concatenate([jnp.linspace(0.1, 2.0, 38), jnp.array([3.0, 7.0])])
    mask = {"a": np.ones(10), "b": np.r_[np.ones(29), 0]}
    checkpoints = {"a": jnp.ones((2, 10)), "b": jnp.ones((2, 30))}
    found = top_curvature(curved, checkpoints, curvatures[None], key=jax.random.key(0), mask=mask)
    np.testing.assert_allclose(found, 3.0, rtol=0.02)


def test_top_curvature_of_fewer_parameters_than_iterations():
    found = top_curvature(lambda w, batch: 2 * w[0] ** 2 + 0.5 * w[1] ** 2, jnp.zeros((3, 2)), key=jax.random.key(0))
    np.testing.assert_allclose(found, 4.0, rtol=1e-4)


@pytest.mark.parametrize(("step_size", "word"), [(0.077 / 301, "stable"), (0.08 / 301, "too long"), (4.01 / 301, "unstable")])
def test_stability_says_what_the_step_comes_to(step_size, word):
    """A bias of 2% is passed from 1 / (1 - εa/4) = 1.02 on, εa = .0784."""
    found = stability(SGLD(step_size=step_size), inverse_temperature=100.0, curvature=3.0, localization=1.0)
    assert found.value == pytest.approx(step_size * 301)
    assert found.verdict.startswith(word)
    assert f"{found.value:.3g}" in found.verdict


def test_a_curvature_that_is_not_a_number_is_unstable():
    assert stability(SGLD(step_size=1e-3), 1.0, float("nan"), 1.0).verdict.startswith("unstable")
