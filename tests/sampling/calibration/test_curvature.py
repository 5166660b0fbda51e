import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.sampling.calibration.curvature import top_curvature


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
