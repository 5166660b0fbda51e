"""A list of checkpoints is stacked; a network that is a list is left alone."""

import jax
import jax.numpy as jnp
import numpy as np

from ontogeny.sampling.stacking import stacked

DATA = jnp.ones((5, 2))


def loss(params, batch):
    return (batch @ params["w"]) ** 2


def of_layers(layers, batch):
    return (batch @ layers[0] @ layers[1]) ** 2


def test_a_list_of_checkpoints_is_stacked():
    checkpoints = [{"w": jnp.full(2, float(number))} for number in range(3)]
    np.testing.assert_array_equal(stacked(checkpoints, loss, DATA)["w"], np.repeat([[0.0], [1.0], [2.0]], 2, axis=1))


def test_a_list_of_checkpoints_of_a_network_that_is_a_list():
    checkpoints = [[jnp.full((2, 2), float(number)), jnp.ones(2)] for number in range(3)]
    first, second = stacked(checkpoints, of_layers, DATA)
    assert first.shape == (3, 2, 2) and second.shape == (3, 2)


def test_a_stacked_network_that_is_a_list_is_left_alone():
    checkpoints = [jnp.ones((3, 2, 2)), jnp.ones((3, 2))]
    assert stacked(checkpoints, of_layers, DATA) is checkpoints


def test_what_is_no_list_is_left_alone():
    checkpoints = {"w": jnp.ones((3, 2))}
    assert stacked(checkpoints, loss, DATA) is checkpoints


def test_elements_of_other_shapes_are_layers():
    layers = [{"w": jnp.ones((3, 2))}, {"w": jnp.ones((3, 2, 1))}]
    assert stacked(layers, loss, DATA) is layers


def test_estimates_are_those_of_the_stack():
    import ontogeny

    checkpoints = [{"w": jnp.array([0.1, 0.2])}, {"w": jnp.array([0.3, -0.2])}]
    options = {"sampler": ontogeny.SGLD(step_size=1e-3), "chains": 2, "draws": 4, "burn_in": 0, "key": jax.random.key(0)}
    listed = ontogeny.sample(loss, checkpoints, DATA, **options)
    stack = ontogeny.sample(loss, {"w": jnp.stack([checkpoint["w"] for checkpoint in checkpoints])}, DATA, **options)
    np.testing.assert_array_equal(listed.values, stack.values)
