"""The transformer: what it may see, what it starts from, and what it shows."""

import tracemalloc
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.config import Transformer
from ontogeny.models.transformer import build
from ontogeny.problem.masks import mask_of
from ontogeny.problem.network import functional, parameter_shapes

VOCABULARY, CONTEXT = 11, 8


def network(vocabulary=VOCABULARY, context=CONTEXT, **options):
    made = functional(build(Transformer(kind="transformer", **options), {"vocabulary": vocabulary, "context": context}))
    return replace(made, init=jax.jit(made.init), apply=jax.jit(made.apply, static_argnames="method"))


@pytest.fixture(scope="module")
def small():
    transformer = network(layers=2, heads=2, width=12, mlp=20)
    return transformer, transformer.init(jax.random.key(0))


@pytest.fixture(scope="module")
def masks(small):
    transformer, _ = small
    return {name: mask_of(predicate, parameter_shapes(transformer)) for name, predicate in transformer.components.items()}


@pytest.fixture(scope="module")
def tokens():
    return jax.random.randint(jax.random.key(1), (3, CONTEXT), 0, VOCABULARY)


def test_the_paper_s_network_has_its_number_of_parameters():
    shapes = parameter_shapes(network(vocabulary=5000, context=1024, layers=2, heads=8, width=256))
    assert sum(int(np.prod(array.shape)) for array in shapes.values()) == 3_355_016  # Hoogland et al. 2024


def test_the_paper_s_regression_network_has_its_number_of_parameters():
    config, shape = Transformer(kind="transformer", layers=2, heads=4, width=64, mlp=64), {"token_size": 5, "context": 16}
    shapes = parameter_shapes(functional(build(config, shape)))
    biases, unused = 2 * 4 * 64, 4 * 65  # attention has none in Hoogland et al. 2024, whose output has five numbers, four unused
    assert sum(int(np.prod(array.shape)) for array in shapes.values()) == 51_717 + biases - unused == config.parameters(shape)


def test_vectors_are_read_in_their_order_and_written_as_numbers():
    config, shape = Transformer(kind="transformer", layers=1, heads=2, width=12), {"token_size": 3, "context": CONTEXT}
    vectors = functional(build(config, shape))
    apply, params = jax.jit(vectors.apply), vectors.init(jax.random.key(0))
    tokens = jax.random.normal(jax.random.key(1), (2, CONTEXT, 3))
    changed, swapped = np.array(tokens), np.array(tokens)
    changed[:, 5] += 1
    swapped[:, [0, 1]] = swapped[:, [1, 0]]
    outputs, of_changed, of_swapped = (np.asarray(apply(params, jnp.asarray(x))) for x in (tokens, changed, swapped))
    assert outputs.shape == (2, CONTEXT, 1)
    np.testing.assert_allclose(of_changed[:, :5], outputs[:, :5], atol=1e-6)
    assert (np.abs(of_changed[:, 5:] - outputs[:, 5:]) > 1e-4).all()
    assert np.abs(of_swapped[:, 3] - outputs[:, 3]).max() > 1e-3


@pytest.mark.end_to_end
def test_no_prediction_depends_on_a_later_token(small):
    transformer, params = small
    embedded = jax.random.normal(jax.random.key(2), (CONTEXT, 12))

    def logits(embedded):
        return transformer.apply({**params, "embedding": embedded}, jnp.arange(CONTEXT)[None])[0]

    sensitivity = jnp.abs(jax.jit(jax.jacobian(logits))(embedded)).sum((1, 3))  # [position predicted from, token read]
    assert not jnp.any(jnp.triu(sensitivity, 1))
    assert jnp.all(sensitivity[jnp.tril_indices(CONTEXT)] > 0)


def test_attention_rows_sum_to_one_and_do_not_look_ahead(small, tokens):
    transformer, params = small
    patterns = transformer.apply(params, tokens, method="attention_patterns")
    assert patterns.shape == (2, 3, 2, CONTEXT, CONTEXT)
    np.testing.assert_allclose(patterns.sum(-1), 1, rtol=1e-5)
    assert not jnp.any(jnp.triu(patterns, 1))


def test_positions_enter_through_queries_and_keys_alone():
    """In one layer whose heads attend evenly, the order of the earlier tokens leaves no trace."""
    transformer = network(layers=1, heads=2, width=12)
    params = transformer.init(jax.random.key(0))
    even = {path: jnp.zeros_like(array) if path.endswith((".query", ".key")) else array for path, array in params.items()}
    orders = jnp.array([[1, 2, 3, 4], [2, 3, 1, 4]])
    one, other = transformer.apply(even, orders)[:, -1]
    np.testing.assert_allclose(one, other, atol=1e-5)
    one, other = transformer.apply(params, orders)[:, -1]
    assert jnp.abs(one - other).max() > 1e-2


@pytest.mark.end_to_end
def test_initial_scales():
    params = network(vocabulary=300, context=200, layers=3, heads=4, width=80, mlp=160).init(jax.random.key(0))
    fan_in = {"layers.2.attention.value": 80, "layers.1.mlp.input": 80, "unembedding": 80}
    expected = {path: size**-0.5 for path, size in fan_in.items()} | {"embedding": 1.0, "positions": 1.0}
    expected |= {"layers.0.attention.query": 0.5 * 80**-0.5, "layers.2.attention.key": 0.5 * 80**-0.5}
    expected |= {"layers.0.attention.output": (80 * 6) ** -0.5, "layers.0.mlp.output": (160 * 6) ** -0.5}
    for path, scale in expected.items():
        assert abs(params[path].std() / scale - 1) < 5 / np.sqrt(2 * params[path].size), path


def test_building_a_large_network_allocates_no_parameters_and_no_masks():
    before = sum(array.nbytes for array in jax.live_arrays())
    tracemalloc.start()
    shape = {"vocabulary": 12_000, "context": 512}
    large = functional(build(Transformer(kind="transformer", layers=12, heads=8, width=512, mlp=2048), shape))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    size = sum(int(np.prod(array.shape)) for array in parameter_shapes(large).values())
    assert size > 50e6 and len(large.components) == 2 + 12 + 12 * 8
    assert peak < 10e6 and sum(array.nbytes for array in jax.live_arrays()) - before < 1e6


@pytest.mark.end_to_end
def test_head_masks_share_out_the_attention_parameters(small, masks):
    _, params = small
    heads = [masks[f"layers.1.heads.{j}"] for j in range(2)]
    for path, array in params.items():
        counts = sum(mask[path].astype(int) for mask in heads)
        assert counts.shape == array.shape
        belongs = path.startswith("layers.1.attention.") and not path.endswith("output_bias")
        assert (counts == int(belongs)).all(), path


def test_a_head_s_mask_holds_all_that_decides_where_it_attends(small, masks, tokens):
    transformer, params = small
    head, layer = masks["layers.0.heads.1"], masks["layers.0"]
    noise = transformer.init(jax.random.key(3))

    def patterns(mask):
        changed = {path: jnp.where(mask[path] & (".attention." in path), noise[path], array) for path, array in params.items()}
        return transformer.apply(changed, tokens, method="attention_patterns")[0]

    before, with_other_head, with_other_attention = patterns(dict.fromkeys(params, False)), patterns(head), patterns(layer)
    np.testing.assert_array_equal(before[:, 0], with_other_head[:, 0])
    np.testing.assert_array_equal(with_other_head[:, 1], with_other_attention[:, 1])
    assert jnp.abs(before[:, 1] - with_other_head[:, 1]).max() > 0.01


def test_layer_and_embedding_masks(small, masks):
    _, params = small
    for name, prefix in {"layers.0": "layers.0.", "embedding": "embedding", "unembedding": "unembedding"}.items():
        for path, mask in masks[name].items():
            assert mask.shape == params[path].shape and mask.dtype == bool
            assert (mask == path.startswith(prefix)).all(), (name, path)


def test_value_logits_are_a_head_s_part_of_the_logits(tokens):
    """With one layer and one head that attends wholly to its own token, undoing LayerNorm's division gives the logits."""
    transformer = network(layers=1, heads=1, width=12)
    params = transformer.init(jax.random.key(0))
    first = tokens[:, :1]  # a single token can only attend to itself
    direct = params["embedding"][first[:, 0]]
    with_head, without = (
        transformer.apply({**params, "layers.0.attention.output": scale * params["layers.0.attention.output"]}, first)[:, 0]
        for scale in (1.0, 0.0)
    )
    shown = transformer.apply(params, first, method="value_logits")[0, :, 0, 0]
    value = direct - direct.mean(-1, keepdims=True)
    value = value / jnp.sqrt((value**2).mean(-1, keepdims=True) + 1e-5)
    written = jnp.einsum("bd,dhe,hef->bf", value, params["layers.0.attention.value"], params["layers.0.attention.output"])
    lengths = [jnp.sqrt(x.var(-1, keepdims=True) + 1e-5) for x in (direct + written, direct)]
    np.testing.assert_allclose(shown, with_head * lengths[0] - without * lengths[1], atol=1e-4)
