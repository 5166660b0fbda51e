"""What the other kinds record: shapes, exact values, and which families they fit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.config import PICTURES, Linear, LinearTeacher, SparseFeatures, Superposition, Text, Transformer
from ontogeny.pictures.attention import in_255ths
from ontogeny.pictures.token_losses import MOST_TOKENS, repeated_window
from ontogeny.problem.build import build_problem


@pytest.fixture
def text(tmp_path):
    (tmp_path / "corpus.txt").write_text("to be or not to be\n" * 4000)
    task = Text(kind="text", corpus="corpus.txt", tokenizer="byte", context=8, examples=4, evaluation=4)
    model = Transformer(kind="transformer", layers=2, heads=2, width=8)
    return build_problem(task, model, base=tmp_path, pictures=None)


def recorded(problem, params):
    return {
        kind: {name: np.asarray(part(params) if callable(part) else part) for name, part in parts.items()}
        for kind, parts in problem.pictures.items()
    }


def test_a_transformer_has_attention_and_the_loss_of_each_token(text):
    params = text.init(jax.random.key(0))
    of = recorded(text, params)
    assert of.keys() == {"attention", "token_losses"}
    patterns, texts = of["attention"]["patterns"], of["attention"]["texts"]
    assert patterns.shape == (2, 2, 8, 8)
    assert patterns.dtype == np.uint8
    assert np.all(patterns[..., 0, 0] == 255)
    assert np.all(np.triu(patterns, 1) == 0)
    np.testing.assert_allclose(patterns.sum(-1, dtype=int), 255, atol=5)
    assert texts.tolist() == of["token_losses"]["repeated_texts"][:8].tolist()
    assert "".join(of["token_losses"]["plain_texts"]) in "to be or not to be\n" * 3


def test_a_network_that_knows_nothing_pays_log_v_for_each_token(text):
    params = jax.tree.map(jnp.zeros_like, text.init(jax.random.key(0)))
    of = recorded(text, params)["token_losses"]
    assert of["vocabulary"] == 256
    for name in ("plain", "repeated"):
        np.testing.assert_allclose(of[f"{name}_losses"], np.full(8, np.log(256)), rtol=1e-3)
        assert of[f"{name}_losses"].dtype == np.float16
        assert of[f"{name}_texts"].shape == (9,)


def test_attention_is_kept_to_a_255th():
    assert in_255ths(jnp.array([0.0, 0.2, 0.999, 1.0])).tolist() == [0, 51, 255, 255]


def test_a_long_window_is_cut_so_that_it_still_repeats_itself():
    short, long = (jnp.arange(2 * length).reshape(2, length) for length in (9, 200))
    assert repeated_window(short).tolist() == [list(range(9))]
    half = list(range(MOST_TOKENS // 2))
    assert repeated_window(long).tolist() == [[*half, *half, 0]]


def test_feature_vectors_in_the_plane_are_the_columns_of_w(tmp_path):
    task = SparseFeatures(kind="sparse_features", features=5, examples=10)
    planar = build_problem(task, Superposition(kind="superposition"), base=tmp_path, pictures=None)
    weight = jnp.arange(10.0).reshape(2, 5)
    np.testing.assert_array_equal(recorded(planar, {"weight": weight, "bias": jnp.zeros(5)})["features"]["vectors"], weight)
    spatial = build_problem(task, Superposition(kind="superposition", hidden=3), base=tmp_path, pictures=None)
    assert not spatial.pictures
    with pytest.raises(ValueError, match="pictures features need two hidden dimensions"):
        build_problem(task, Superposition(kind="superposition", hidden=3), base=tmp_path, pictures=["features"])


def test_singular_values_stand_beside_the_teacher_s(tmp_path):
    task = LinearTeacher(kind="linear_teacher", inputs=4, outputs=3, rank=2, scale=1.5, examples=10)
    problem = build_problem(task, Linear(kind="linear", hidden=[3]), base=tmp_path, pictures=None)
    params = {"layers.0": jnp.diag(jnp.array([2.0, 1.0, 0.5, 9.0]))[:3], "layers.1": jnp.diag(jnp.array([3.0, 1.0, 1.0]))}
    of = recorded(problem, params)["singular_values"]
    np.testing.assert_allclose(of["values"], [6, 1, 0.5], rtol=1e-6)
    np.testing.assert_allclose(of["teacher"], [3, 1.5, 0], atol=1e-6)


def test_every_kind_is_listed_and_none_is_built_unless_asked_for(tmp_path):
    assert {"attention", "features", "fourier", "singular_values", "token_losses"} <= {*PICTURES}
    task, model = SparseFeatures(kind="sparse_features", examples=10), Superposition(kind="superposition")
    assert not build_problem(task, model, base=tmp_path).pictures
