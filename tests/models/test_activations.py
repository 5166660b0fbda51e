"""Activations by site, of every built-in model."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from ontogeny.config import MLP, Linear, PairTransformer, Superposition, Transformer
from ontogeny.models import linear, mlp, pair_transformer, superposition, transformer
from ontogeny.problem.network import functional

TOKENS = jax.random.randint(jax.random.key(0), (3, 8), 0, 11)
PAIRS = jax.random.randint(jax.random.key(0), (3, 2), 0, 7)
VECTORS = jax.random.uniform(jax.random.key(0), (3, 6))
LAYER = {"patterns": (3, 2, 8, 8), "values": (3, 8, 2, 6), "attention": (3, 8, 12), "mlp": (3, 8, 12)}


def unembedded(params, sites):
    scale, shift, bias = (params[name][None, None] for name in ("norm.scale", "norm.bias", "unembedding_bias"))
    x = sites["residual.2"]
    x = (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return (x * scale + shift) @ params["unembedding"] + bias


MODELS = {
    "transformer": (
        transformer.build,
        Transformer(kind="transformer", layers=2, heads=2, width=12, mlp=20),
        {"vocabulary": 11, "context": 8},
        TOKENS,
        {f"layers.{i}.{name}": shape for i in range(2) for name, shape in LAYER.items()}
        | dict.fromkeys(("embedding", "residual.1", "residual.2"), (3, 8, 12)),
        unembedded,
    ),
    "mlp": (
        mlp.build,
        MLP(kind="mlp", width=5, hidden=9),
        {"numbers": 7, "classes": 7},
        PAIRS,
        {"embedding": (3, 2, 5), "hidden": (3, 9)},
        lambda params, sites: sites["hidden"] @ params["output"],
    ),
    "pair_transformer": (
        pair_transformer.build,
        PairTransformer(kind="pair_transformer", heads=2, width=8, mlp=9),
        {"numbers": 7, "classes": 5},
        PAIRS,
        {"embedding": (3, 3, 8), "patterns": (3, 2, 3), "hidden": (3, 9)}
        | dict.fromkeys(("attention", "mlp", "residual"), (3, 8)),
        lambda params, sites: (sites["embedding"][:, -1] + sites["attention"] + sites["mlp"]) @ params["unembedding"],
    ),
    "linear": (
        linear.build,
        Linear(kind="linear", hidden=[5, 4]),
        {"inputs": 6, "outputs": 2},
        VECTORS,
        {"hidden.0": (3, 5), "hidden.1": (3, 4)},
        lambda params, sites: sites["hidden.1"] @ params["layers.2"].T,
    ),
    "superposition": (
        superposition.build,
        Superposition(kind="superposition"),
        {"features": 6},
        VECTORS,
        {"hidden": (3, 2)},
        lambda params, sites: jax.nn.relu(sites["hidden"] @ params["weight"] + params["bias"][None]),
    ),
}


@pytest.fixture(params=MODELS)
def model(request):
    build, section, shape, inputs, sites, output = MODELS[request.param]
    network = functional(build(section, shape))
    return network, network.init(jax.random.key(1)), inputs, sites, output


def test_sites_have_their_shapes(model):
    network, params, inputs, sites, _ = model
    assert {name: site.shape for name, site in network.activations(params, inputs).items()} == sites


@pytest.mark.end_to_end
def test_the_output_follows_from_the_last_site(model):
    network, params, inputs, _, output = model
    sites = jax.jit(network.activations)(params, inputs)
    np.testing.assert_allclose(output(params, sites), network.apply(params, inputs), rtol=1e-5, atol=1e-5)


def test_the_residual_stream_sums_what_the_layers_write():
    build, section, shape, *_ = MODELS["transformer"]
    network = functional(build(section, shape))
    sites = network.activations(network.init(jax.random.key(1)), TOKENS)
    written = sum(sites[f"layers.{i}.{name}"] for i in range(2) for name in ("attention", "mlp"))
    np.testing.assert_allclose(sites["embedding"] + written, sites["residual.2"], rtol=1e-5, atol=1e-5)


def test_a_compiled_function_computes_the_sites_that_it_uses_alone():
    build, section, shape, *_ = MODELS["transformer"]
    network = functional(build(section, shape))
    params = network.init(jax.random.key(1))

    def operations(site):
        program = jax.jit(lambda params, tokens: network.activations(params, tokens)[site]).lower(params, TOKENS).compile()
        return program.cost_analysis().get("flops", 0)

    first, last = operations("residual.1"), operations("residual.2")
    assert operations("embedding") < 0.05 * first and first < 0.6 * last


def test_a_module_that_names_no_site_has_no_activations():
    network = functional(lambda rngs: nnx.Linear(6, 2, rngs=rngs))
    assert network.activations(network.init(jax.random.key(0)), VECTORS) == {}
