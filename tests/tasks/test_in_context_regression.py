"""In-context regression and its predictors, against Gaussian conditioning and Monte Carlo."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.config import InContextRegression
from ontogeny.tasks.in_context_regression import build, draw, draw_maps, interleaved, pairs_of, predicted
from ontogeny.tasks.in_context_regression import dmmse as dmmse_rule
from ontogeny.tasks.in_context_regression import ridge as ridge_rule

NOISE = 0.125


def card(**options):
    return InContextRegression(kind="in_context_regression", **{"examples": 8, "evaluation": 8} | options)


drawn = jax.jit(draw, static_argnums=(0, 3))
ridge, dmmse = jax.jit(ridge_rule, static_argnums=1), jax.jit(dmmse_rule, static_argnums=2)


@pytest.fixture(scope="module")
def sequences():
    return drawn(card(dimensions=2, pairs=5), None, jax.random.key(0), 6)


def test_tokens_alternate_and_give_the_pairs_back(sequences):
    tokens, y = sequences
    x, again = pairs_of(tokens)
    assert tokens.shape == (6, 10, 3) and x.shape == (6, 5, 2)
    np.testing.assert_array_equal(again, y)
    np.testing.assert_array_equal(interleaved(x, y), tokens)
    assert not np.any(tokens[:, ::2, 0]) and not np.any(tokens[:, 1::2, 1:])


def test_ridge_is_the_gaussian_posterior_mean(sequences):
    """y of all pairs is Gaussian with covariance X Xᵀ + σ² I; conditioning on earlier y is linear algebra of another shape."""
    tokens, y = sequences
    x = np.asarray(pairs_of(tokens)[0], float)
    predictions = np.asarray(ridge(tokens, NOISE))
    np.testing.assert_array_equal(predictions[:, 0], 0)
    for b in range(len(x)):
        for k in range(1, 5):
            earlier, now = x[b, :k], x[b, k]
            covariance = earlier @ earlier.T + NOISE * np.eye(k)
            exact = (now @ earlier.T) @ np.linalg.solve(covariance, np.asarray(y[b, :k], float))
            assert predictions[b, k] == pytest.approx(exact, abs=1e-4)


def test_dmmse_is_the_mean_of_the_maps_weighted_by_their_likelihoods(sequences):
    tokens, y = sequences
    x = np.asarray(pairs_of(tokens)[0], float)
    maps = np.asarray(draw_maps(jax.random.key(1), 5, 2), float)
    predictions = np.asarray(dmmse(tokens, jnp.asarray(maps), NOISE))
    for b in range(len(x)):
        for k in range(5):
            residuals = np.asarray(y[b, :k])[None] - maps @ x[b, :k].T
            weights = np.prod(np.exp(-(residuals**2) / (2 * NOISE)), axis=1)
            assert predictions[b, k] == pytest.approx(weights @ (maps @ x[b, k]) / weights.sum(), abs=1e-4)


def test_dmmse_of_one_map_is_that_map_and_of_many_maps_is_ridge(sequences):
    tokens, _ = sequences
    x = pairs_of(tokens)[0]
    one = draw_maps(jax.random.key(1), 1, 2)
    np.testing.assert_allclose(dmmse(tokens, one, NOISE), x @ one[0], atol=1e-5)
    many, few = (draw_maps(jax.random.key(1), count, 2) for count in (20_000, 50))
    errors = [float(jnp.abs(dmmse(tokens, maps, NOISE) - ridge(tokens, NOISE)).max()) for maps in (few, many)]
    assert errors[1] < 0.08 < errors[0]


def test_sets_of_maps_are_nested():
    few, many = (draw_maps(jax.random.key(3), count, 4) for count in (3, 100))
    np.testing.assert_array_equal(few, many[:3])


def test_each_predictor_is_best_on_its_own_distribution():
    """The expected loss of the first pair is D + σ² for ridge, which predicts 0, and smaller with every further pair."""
    config = card(dimensions=4, pairs=8, diversity=16, evaluation=4000)
    task = build(config, batch_size=4, base=Path())
    ours = loss_of(task.provides["predictors"], task.data.evaluation)
    unseen = loss_of(task.provides["predictors"], task.provides["out_of_distribution"]["unseen_maps"])
    assert ours["dmmse"].mean() < ours["ridge"].mean() and unseen["ridge"].mean() < unseen["dmmse"].mean()
    assert task.provides["bayes"] == "dmmse" and build(card(), batch_size=4, base=Path()).provides["bayes"] == "ridge"
    assert unseen["ridge"][0] == pytest.approx(4 + NOISE, rel=0.1)
    assert (np.diff(unseen["ridge"]) < 0).all()


def loss_of(predictors, batch):
    tokens, y = batch
    return {name: np.asarray((predict(tokens) - y) ** 2).mean(0) for name, predict in predictors.items()}


def test_the_expected_loss_of_ridge_after_one_pair_is_its_posterior_variance():
    """In one dimension, after x₁: σ² + E[x₂²] E[σ² / (x₁² + σ²)], by quadrature over x₁."""
    tokens, y = drawn(card(dimensions=1, pairs=2), None, jax.random.key(4), 40_000)
    errors = np.asarray((ridge(tokens, NOISE) - y)[:, 1] ** 2)
    x = np.linspace(-8, 8, 20_001)
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    exact = NOISE + np.sum(density * NOISE / (x**2 + NOISE)) * (x[1] - x[0])
    assert abs(errors.mean() - exact) < 4 * errors.std() / len(errors) ** 0.5


def test_the_loss_reads_predictions_at_the_tokens_of_x_alone():
    task = build(card(dimensions=2, pairs=3), batch_size=4, base=Path())
    tokens, y = task.data.sampling
    outputs = jax.random.normal(jax.random.key(5), (*tokens.shape[:2], 1))
    np.testing.assert_allclose(task.output_loss(outputs, y), ((outputs[:, ::2, 0] - y) ** 2).mean(-1), rtol=1e-6)
    elsewhere = outputs.at[:, 1::2].add(3.0)
    np.testing.assert_array_equal(task.output_loss(elsewhere, y), task.output_loss(outputs, y))
    assert task.divergence is not None
    np.testing.assert_array_equal(task.divergence(elsewhere, outputs), jnp.zeros(8))
    assert predicted(outputs).shape == y.shape


def test_wide_inputs_keep_the_maps_and_training_draws_new_sequences():
    task = build(card(diversity=3), batch_size=50, base=Path())
    wide = pairs_of(task.provides["out_of_distribution"]["wide_inputs"][0])[0]
    assert float(wide.std()) == pytest.approx(2, abs=0.3)
    one, again, later = (task.data.train(jax.random.key(0), jnp.asarray(step))[0] for step in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, later)
