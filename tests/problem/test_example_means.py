"""Observables over the same examples share a pass of the network; alone, together and by hand they are the same numbers."""

import jax
import jax.numpy as jnp
import numpy as np

from ontogeny.problem.example_means import ExampleMean, measure_all
from ontogeny.problem.network import Network

X = jax.random.normal(jax.random.key(0), (50, 3))
OTHER = X + 1
PARAMS = {"weight": jnp.array([1.0, -2.0, 0.5])}


def network():
    def apply(params, x, method="__call__"):
        return jnp.sin(x @ params["weight"]) if method == "__call__" else x * params["weight"][None]

    return Network(init=lambda key: PARAMS, apply=apply)


def observables():
    of = {"network": network(), "inputs": lambda x: x}
    return {
        "mean": ExampleMean(examples=X, measure=lambda y, x: y, **of),
        "own": lambda params: jnp.sum(params["weight"]),
        "squares": ExampleMean(examples=X, measure=lambda y, x: y**2 * x[:, 0], finish=lambda mean: {"a": mean}, **of),
        "other": ExampleMean(examples=OTHER, measure=lambda y, x: y, **of),
        "parts": ExampleMean(examples=X, measure=lambda y, x: y, method="scaled", **of),
    }


def test_together_and_alone_they_are_means_over_all_examples():
    together = jax.jit(lambda params: measure_all(observables(), params))(PARAMS)
    assert together.keys() == observables().keys()
    y = jnp.sin(X @ PARAMS["weight"])
    np.testing.assert_allclose(together["mean"], y.mean(), rtol=1e-5)
    np.testing.assert_allclose(together["own"], -0.5)
    np.testing.assert_allclose(together["squares"]["a"], (y**2 * X[:, 0]).mean(), rtol=1e-4)
    np.testing.assert_allclose(together["other"], jnp.sin(OTHER @ PARAMS["weight"]).mean(), rtol=1e-5)
    np.testing.assert_allclose(together["parts"], (X * PARAMS["weight"][None]).mean(0), rtol=1e-4, atol=1e-6)
    for name, observable in observables().items():
        alone, there = jax.tree.leaves(observable(PARAMS)), jax.tree.leaves(together[name])
        np.testing.assert_allclose(alone[0], there[0], rtol=1e-5, atol=1e-6)


def test_the_same_examples_are_shown_once():
    rows, weights = jnp.tile(X, (4, 20)), {"weight": jnp.ones((60, 60))}
    squared = Network(init=lambda key: weights, apply=lambda params, x, method: (x @ params["weight"]) ** 2)

    def products(*examples):
        means = {
            str(place): ExampleMean(network=squared, examples=x, inputs=lambda x: x, measure=lambda y, x, n=place: y**n)
            for place, x in enumerate(examples, start=1)
        }
        text = jax.jit(lambda params: measure_all(means, params)).lower(weights).compile().as_text()
        return text.count(" dot(")

    assert products(rows, rows, rows) == products(rows) < products(rows, rows + 1, rows + 2)
