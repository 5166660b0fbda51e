"""Head scores of attention patterns and OV circuits made by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.config import Text, Transformer
from ontogeny.observables.attention import (
    PROBES,
    copying,
    follows_a_copy,
    per_head,
    prefix_matching,
    previous_token,
    random_repeats,
)
from ontogeny.problem.build import build_problem

VOCABULARY, TIME = 20, 16


@pytest.fixture(scope="module")
def tokens():
    return random_repeats(VOCABULARY, TIME)


def heads(*patterns):
    """Patterns [time, time] or [batch, time, time] of the heads of a single layer."""
    return jnp.stack([jnp.broadcast_to(pattern, (PROBES, TIME, TIME)) for pattern in patterns], axis=1)[None]


def looking_back(distance):
    return jnp.eye(TIME)[jnp.maximum(jnp.arange(TIME) - distance, 0)]


UNIFORM = jnp.tril(jnp.ones((TIME, TIME))) / jnp.arange(1.0, TIME + 1)[:, None]


def test_probes_repeat_each_token_once_in_many_rotations(tokens):
    first, second = np.asarray(tokens[:, : TIME // 2]), np.asarray(tokens[:, TIME // 2 :])
    assert all(len(set(row)) == TIME // 2 for row in first)
    shifts = {int(np.flatnonzero(a == b[0])[0]) for a, b in zip(first, second, strict=True)}
    assert shifts == set(range(TIME // 2))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(b, np.roll(a, -np.flatnonzero(a == b[0])[0]))


def test_previous_token_head(tokens):
    scores = previous_token(heads(looking_back(1), looking_back(2), UNIFORM), tokens).mean(0)[0]
    assert scores[0] == 1
    assert scores[1] == pytest.approx(1 / (TIME - 1))  # only where looking back two is looking at the first token
    assert scores[2] == pytest.approx(np.mean(1 / np.arange(2, TIME + 1)), rel=1e-5)


def test_induction_head_matches_prefixes_and_no_fixed_distance_does(tokens):
    matches = follows_a_copy(tokens)
    perfect = jnp.where(matches.any(-1, keepdims=True), matches.astype(float), looking_back(0)[None])
    fixed = [looking_back(distance) for distance in range(TIME)]
    scores = prefix_matching(heads(perfect, UNIFORM, *fixed), tokens).mean(0)[0]
    assert scores[0] == 1
    assert scores[1] == pytest.approx(np.mean([1 / t for t in range(TIME // 2 + 1, TIME + 1)]), rel=0.05)
    assert max(scores[2:]) < 0.25


def test_the_copy_is_the_token_before(tokens):
    batch, later, earlier = np.nonzero(np.asarray(follows_a_copy(tokens)))
    assert (np.asarray(tokens)[batch, later] == np.asarray(tokens)[batch, earlier - 1]).all()
    assert len(batch) == PROBES * (TIME // 2 - 1)


def test_probes_of_a_small_vocabulary_count_every_copy():
    tokens = random_repeats(5, TIME)
    matches = follows_a_copy(tokens)
    spread = matches.astype(float) / jnp.maximum(matches.sum(-1, keepdims=True, dtype=float), 1)
    assert float(prefix_matching(heads(spread), tokens).mean()) == pytest.approx(1)


def test_copying_head(tokens):
    own = jnp.eye(VOCABULARY)[tokens]
    other = jnp.eye(VOCABULARY)[(tokens + 1) % VOCABULARY]
    circuits = jnp.stack([own, other, -own, own + other, jnp.full_like(own, 1.0).at[..., 0].set(2.0)], axis=1)[None]
    scores = copying(circuits, tokens).mean(0)[0]
    np.testing.assert_allclose(scores[:4], [1, 0, 0, 0.5], atol=1e-6)


def test_components_are_heads():
    assert per_head(jnp.arange(4.0).reshape(2, 2))["layers.1.heads.0"] == 2


@pytest.mark.end_to_end
def test_copying_over_chance_is_the_score_times_the_vocabulary(tmp_path):
    (tmp_path / "corpus.txt").write_text("to be or not to be " * 4000)
    text = Text(kind="text", corpus="corpus.txt", tokenizer="byte", context=8, examples=4, evaluation=4)
    problem = build_problem(text, Transformer(kind="transformer", width=8), base=tmp_path, observables=["attention"])
    params = problem.init(jax.random.key(0))
    scores, ratios = (problem.observables[name](params) for name in ("copying_score", "copying_score_over_chance"))
    assert scores.keys() == ratios.keys()
    for head, score in scores.items():
        assert float(score) > 0 and float(ratios[head]) == pytest.approx(256 * float(score), rel=1e-5)
