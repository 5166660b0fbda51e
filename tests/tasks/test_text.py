"""The text task: windows, repeats, targets, and the bigram table."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.config import Text
from ontogeny.tasks.text import bigram, build, draw, repeat, token_losses

CONTEXT = 16


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Files of bytes that count up: any window is known from its first token."""
    folder = tmp_path_factory.mktemp("corpus")
    for number in range(10):
        (folder / f"{number}.txt").write_bytes(bytes(range(32, 127)) * 20)
    return folder


@pytest.fixture(scope="module")
def make(corpus):
    def make(**options):
        options = {"corpus": "*.txt", "tokenizer": "byte", "context": CONTEXT, "examples": 64, "evaluation": 32} | options
        return build(Text(kind="text", **options), batch_size=8, base=corpus)

    return make


@pytest.fixture(scope="module")
def plain(make):
    return make()


def counts_up(tokens):
    return ((np.diff(tokens, axis=1) - 1) % 95 == 0).all(1)


def test_shapes_and_targets_are_the_next_tokens(plain):
    assert plain.shape == {"vocabulary": 256, "context": CONTEXT}
    train = plain.data.train(jax.random.key(0), 0)
    for (inputs, targets), count in ((train, 8), (plain.data.sampling, 64), (plain.data.evaluation, 32)):
        assert inputs.shape == targets.shape == (count, CONTEXT)
        np.testing.assert_array_equal(inputs[:, 1:], targets[:, :-1])
        assert counts_up(np.asarray(targets)).all()


@pytest.mark.end_to_end
def test_the_loss_is_minus_the_log_likelihood_of_a_window_over_its_tokens(plain):
    inputs, targets = plain.data.sampling
    logits = jax.random.normal(jax.random.key(0), (*inputs.shape, 256))
    likelihood = jnp.take_along_axis(jax.nn.log_softmax(logits), targets[..., None], -1).sum((1, 2))
    assert plain.is_log_likelihood
    np.testing.assert_allclose(plain.averages_over * plain.output_loss(logits, targets), -likelihood, rtol=1e-5)


def test_training_batches_depend_on_key_and_step_alone(plain):
    train = jax.jit(plain.data.train)
    one, again, step, key = (train(jax.random.key(k), s)[0] for k, s in ((0, 5), (0, 5), (0, 6), (1, 5)))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, step) and not np.array_equal(one, key)


def test_repeated_windows_are_their_first_half_rotated_by_every_shift(plain):
    windows = np.asarray(plain.provides["repeated_windows"])
    half = CONTEXT // 2
    shifts = set()
    for window in windows:
        first, second = window[:half], window[half:]
        shift = int(np.flatnonzero(first == second[0])[0])
        shifts.add(shift)
        np.testing.assert_array_equal(second, first[(shift + np.arange(half + 1)) % half])
    assert len(shifts) > half // 2
    assert counts_up(np.asarray(plain.provides["plain_windows"])).all()


@pytest.mark.end_to_end
def test_the_share_of_repeats_is_the_asked_one():
    stream = jnp.arange(100_000)
    for share in (0.0, 0.6, 1.0):
        windows = np.asarray(draw(stream, jax.random.key(0), 2000, context=32, share=share))
        # A rotation by 0 at the end of a half also counts up, but never over the seam between the halves.
        repeats = windows[:, 16] != windows[:, 15] + 1
        assert abs(repeats.mean() - share) <= 5 * np.sqrt(share * (1 - share) / 2000)


def test_repeat_leaves_the_first_half():
    windows = jnp.arange(40).reshape(2, 20)[:, :17]
    np.testing.assert_array_equal(repeat(windows, jax.random.key(0))[:, :8], windows[:, :8])


@pytest.mark.end_to_end
def test_loss_is_the_mean_cross_entropy_of_the_next_token(plain):
    _, targets = plain.data.sampling
    logits = jnp.log(jnp.full((*targets.shape, 256), 1 / 256))
    np.testing.assert_allclose(plain.output_loss(logits, targets), np.log(256), rtol=1e-5)
    sure = 50.0 * jax.nn.one_hot(targets, 256)
    np.testing.assert_allclose(plain.output_loss(sure, targets), 0, atol=1e-5)
    halved = logits.at[:, : CONTEXT // 2].set(sure[:, : CONTEXT // 2])
    np.testing.assert_allclose(plain.output_loss(halved, targets), np.log(256) / 2, rtol=1e-5)
    np.testing.assert_allclose(token_losses(halved, targets)[:, -1], np.log(256), rtol=1e-5)


def test_bigram_is_the_share_of_each_successor():
    table = np.asarray(bigram(np.array([0, 1, 0, 1, 0, 2] * 1000 + [0]), 4))
    np.testing.assert_allclose(table.sum(1), 1, rtol=1e-6)
    np.testing.assert_allclose(table[0], [0, 2 / 3, 1 / 3, 0], atol=1e-3)
    np.testing.assert_allclose(table[2], [1, 0, 0, 0], atol=1e-3)
    np.testing.assert_allclose(table[3], [1 / 2, 1 / 3, 1 / 6, 0], atol=1e-3)  # never seen: how frequent tokens are


@pytest.mark.end_to_end
def test_sampling_and_evaluation_come_from_different_text(tmp_path):
    for number in range(10):
        (tmp_path / f"{number}.txt").write_text(chr(ord("a") + number) * 500)
    task = build(Text(kind="text", corpus="*.txt", tokenizer="byte", context=8), batch_size=8, base=tmp_path)
    assert set(np.unique(task.data.evaluation[0])) == {ord("j")}
    assert ord("j") not in np.unique(task.data.sampling[0])


def test_a_text_too_short_for_a_window_is_refused(tmp_path):
    (tmp_path / "short.txt").write_text("a few words")
    with pytest.raises(ValueError, match=r"'short.txt' is too short: 0 tokens in a part, context 32"):
        build(Text(kind="text", corpus="short.txt", tokenizer="byte"), batch_size=8, base=tmp_path)
