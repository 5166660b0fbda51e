"""The toy model of superposition and the k-gons that it starts from."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.config.models.superposition import PolygonStart, Superposition
from ontogeny.models.superposition import LENGTH_AND_BIAS, build, polygon
from ontogeny.problem.network import functional
from ontogeny.tasks.sparse_features import population_loss


def network(features=6, **options):
    return functional(build(Superposition(kind="superposition", **options), {"features": features}))


def test_output_is_the_formula():
    toy = network(hidden=3)
    params = toy.init(jax.random.key(0))
    params["bias"] = jnp.linspace(-0.5, 0.5, 6)
    x = jax.random.uniform(jax.random.key(1), (5, 6))
    w, b = np.asarray(params["weight"]), np.asarray(params["bias"])
    expected = np.stack([np.maximum(w.T @ w @ row + b, 0) for row in np.asarray(x)])
    np.testing.assert_allclose(toy.apply(params, x), expected, atol=1e-6)


def test_the_paper_s_network_has_18_parameters():
    assert sum(array.size for array in network().init(jax.random.key(0)).values()) == 18


@pytest.mark.end_to_end
@pytest.mark.parametrize("k", LENGTH_AND_BIAS)
def test_polygons_are_critical_points_of_the_population_loss(k):
    with jax.enable_x64(True):
        gradient = jax.grad(population_loss, argnums=(0, 1))(*polygon(k, 8, dead_bias=-1.0))
    for part in gradient:
        np.testing.assert_allclose(part, 0, atol=2e-6)


def test_start_is_the_polygon_and_noise_of_the_given_size():
    weight, bias = polygon(4, 6)
    keys = jax.random.split(jax.random.key(0), 500)
    params = jax.vmap(network(start=PolygonStart(polygon=4, noise=0.01)).init)(keys)
    deviations = np.concatenate([(params["weight"] - weight[None]).reshape(500, -1), params["bias"] - bias[None]], axis=1)
    assert abs(deviations.mean()) < 5 * 0.01 / np.sqrt(9000)
    assert abs(deviations.std() / 0.01 - 1) < 5 / np.sqrt(2 * 9000)


def test_a_start_without_a_place_is_refused():
    with pytest.raises(ValueError, match=r"start\.polygon is 9; with 12 features it may be 3, 4, 5, 6, 7"):
        network(features=12, start=PolygonStart(polygon=9))
