"""A module made functional: parameters by dotted path, nothing random or stateful left."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from ontogeny.problem.masks import mask_of
from ontogeny.problem.network import functional, parameter_shapes


class Block(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.weight = nnx.Param(jax.random.normal(rngs.params(), (3, 3)))
        self.dropout = nnx.Dropout(0.5, rngs=rngs)


class Stack(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.blocks = nnx.List([Block(rngs), Block(rngs)])
        self.normalise = nnx.BatchNorm(3, rngs=rngs)

    def __call__(self, x):
        for block in self.blocks:
            x = block.dropout(x @ block.weight)
        return self.normalise(x)

    def first(self):
        return self.blocks[0].weight[...]

    def components(self):
        return {
            "weights": lambda shapes: {path: () for path in shapes if path.endswith("weight")},
            "corner": lambda shapes: {"blocks.0.weight": (0, slice(1, 3))},
        }


@pytest.fixture(scope="module")
def network():
    return functional(Stack)


def test_parameters_are_named_by_their_path(network):
    params = network.init(jax.random.key(0))
    assert set(params) == {"blocks.0.weight", "blocks.1.weight", "normalise.scale", "normalise.bias"}
    assert all(isinstance(array, jax.Array) for array in params.values())


def test_apply_uses_the_given_parameters_in_evaluation_mode(network):
    params = {**network.init(jax.random.key(0)), "blocks.0.weight": 2 * jnp.eye(3), "blocks.1.weight": 3 * jnp.eye(3)}
    x = jnp.ones((4, 3))
    # Neither dropout nor the statistics of this batch: the running ones are mean 0 and variance 1.
    np.testing.assert_allclose(network.apply(params, x), 6 * x, rtol=1e-4)
    np.testing.assert_array_equal(network.apply(params, method="first"), 2 * jnp.eye(3))


def test_gradient_reaches_every_parameter(network):
    params = network.init(jax.random.key(1))
    x = jax.random.normal(jax.random.key(2), (4, 3))
    gradient = jax.grad(lambda params: jnp.sum(network.apply(params, x) ** 3))(params)
    assert all(jnp.any(array != 0) for array in gradient.values())


def test_seeds_are_vectorised_and_differ(network):
    keys = jax.random.split(jax.random.key(0), 2)
    stacked = jax.vmap(network.init)(keys)
    alone = network.init(keys[1])
    assert not jnp.array_equal(stacked["blocks.0.weight"][0], stacked["blocks.0.weight"][1])
    for path, array in alone.items():
        np.testing.assert_allclose(stacked[path][1], array, rtol=1e-6)


def test_exposes_the_methods_of_the_class_and_its_components(network):
    assert network.exposes == {"first", "components"}
    assert list(network.components) == ["weights", "corner"]


def test_a_mask_is_true_on_what_the_predicate_gives(network):
    shapes = parameter_shapes(network)
    weights, corner = (mask_of(network.components[name], shapes) for name in ("weights", "corner"))
    assert weights.keys() == corner.keys() == shapes.keys()
    assert weights["blocks.1.weight"].all() and not weights["normalise.scale"].any()
    np.testing.assert_array_equal(corner["blocks.0.weight"], [[False, True, True], [False] * 3, [False] * 3])
    assert not corner["blocks.1.weight"].any()
