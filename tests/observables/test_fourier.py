"""Fourier identities of the observables of modular addition, on logits and embeddings made of known frequencies."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny import config
from ontogeny.observables import fourier
from ontogeny.problem.build import build_problem
from ontogeny.problem.network import Network
from ontogeny.tasks import modular_addition


def clock(numbers, frequencies, height=8.0):
    """The logits height · Σ_k cos(2πk(a + b - c) / p) over some frequencies, [a, b, c]: the circuit of Nanda et al."""
    a, b, c = np.meshgrid(*[np.arange(numbers)] * 3, indexing="ij")
    return jnp.asarray(height * sum(np.cos(2 * np.pi * k * (a + b - c) / numbers) for k in frequencies))


@pytest.mark.parametrize("numbers", [7, 12])
def test_restricted_and_excluded_logits_add_up_to_the_logits_and_their_mean(numbers):
    logits = jax.random.normal(jax.random.key(0), (numbers, numbers, numbers))
    key = jnp.arange(numbers // 2) % 2 == 0
    restricted, excluded = fourier.restricted_and_excluded(logits, key)
    np.testing.assert_allclose(restricted + excluded, logits + logits.mean((0, 1), keepdims=True), atol=1e-5)
    again, nothing = fourier.restricted_and_excluded(restricted, key)
    np.testing.assert_allclose(again, restricted, atol=1e-5)
    np.testing.assert_allclose(nothing, jnp.broadcast_to(restricted.mean((0, 1)), logits.shape), atol=1e-5)
    assert float(jnp.sum((restricted - restricted.mean((0, 1), keepdims=True)) * excluded)) == pytest.approx(0, abs=1e-2)


def test_with_all_frequencies_the_restricted_logits_are_the_means_over_equal_sums():
    logits = jax.random.normal(jax.random.key(1), (5, 5, 5))
    restricted, _ = fourier.restricted_and_excluded(logits, jnp.ones(2, bool))
    mean = np.mean([logits[a, (3 - a) % 5] for a in range(5)], axis=0)
    np.testing.assert_allclose(restricted[1, 2], mean, atol=1e-5)
    np.testing.assert_allclose(restricted[4, 4], mean, atol=1e-5)


def test_a_clock_is_kept_by_its_own_frequencies_and_lost_without_them():
    logits = clock(11, [2, 5])
    restricted, excluded = fourier.restricted_and_excluded(logits, jnp.arange(1, 6) % 3 == 2)
    np.testing.assert_allclose(restricted, logits, atol=1e-4)
    np.testing.assert_allclose(excluded, 0, atol=1e-4)


@pytest.mark.parametrize("numbers", [11, 12])
def test_shares_of_the_embedding_are_those_of_its_variance(numbers):
    angles = 2 * np.pi * np.arange(numbers) / numbers
    columns = [np.cos(2 * angles), np.sin(2 * angles), 3 * np.cos(4 * angles + 1), 7 * np.ones(numbers)]
    embedding = np.stack(columns, axis=1)
    variances = embedding.var(axis=0)
    shares = fourier.energy_shares(jnp.asarray(embedding))
    expected = np.zeros(numbers // 2)
    expected[1], expected[3] = variances[:2].sum(), variances[2]
    np.testing.assert_allclose(shares, expected / expected.sum(), atol=1e-6)
    np.testing.assert_array_equal(np.flatnonzero(fourier.is_key(shares)), [3])


def test_the_energy_of_all_frequencies_is_the_variance():
    embedding = jax.random.normal(jax.random.key(2), (12, 3))
    energy = jnp.abs(jnp.fft.rfft(embedding, axis=0)[1:]) ** 2
    weights = jnp.array([2.0, 2, 2, 2, 2, 1])
    total = float(jnp.sum(weights[:, None] * energy)) / 12**2
    assert total == pytest.approx(float(embedding.var(axis=0).sum()), rel=1e-5)
    np.testing.assert_allclose(fourier.energy_shares(embedding), (weights[:, None] * energy).sum(1) / 144 / total, rtol=1e-5)


@pytest.mark.parametrize(("values", "expected"), [([1.0, 1, 1, 1], 0), ([0.0, 0, 0, 5], 0.75), ([1.0, 3], 0.25)])
def test_gini(values, expected):
    assert float(fourier.gini(jnp.array(values))) == pytest.approx(expected, abs=1e-6)


def test_the_losses_of_a_clock_on_the_pairs_of_the_task():
    section = config.ModularAddition(kind="modular_addition", modulus=11, share=0.4)
    task = modular_addition.build(section, batch_size=5, base=Path())
    angles = 2 * np.pi * np.arange(11) / 11
    embedding = jnp.asarray(np.stack([np.cos(3 * angles), np.sin(3 * angles)], axis=1))
    logits = clock(11, [3])

    def apply(params, *inputs, method="__call__"):
        return embedding if method == "number_embedding" else logits[inputs[0][:, 0], inputs[0][:, 1]]

    network = Network(init=lambda key: {}, apply=apply, exposes=frozenset({"number_embedding"}))
    measures = fourier.build(network, task)
    seen = {name: measure({}) for name, measure in measures.items()}
    assert int(seen["key_frequencies"]) == 1
    assert float(seen["key_frequency_share"]) == pytest.approx(1, abs=1e-5)
    assert float(seen["excluded_loss"]) == pytest.approx(np.log(11), abs=1e-4)
    exact = np.log(np.sum(np.exp(8 * np.cos(3 * angles)))) - 8
    assert float(seen["restricted_loss"]) == pytest.approx(exact, abs=1e-4)
    assert float(seen["frequency_share"]["frequencies.3"]) == pytest.approx(1, abs=1e-5)


def test_a_table_that_is_too_large_is_not_measured():
    section = config.ModularAddition(kind="modular_addition", modulus=211, share=0.01)
    model = config.MLP(kind="mlp", width=2, hidden=2)
    assert "restricted_loss" not in build_problem(section, model, base=Path(), observables=None).observables
