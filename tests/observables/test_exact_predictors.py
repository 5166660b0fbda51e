"""Divergences and distances from the exact predictors, of networks that are one of them."""

from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.config import InContextRegression, MarkovChains
from ontogeny.observables import in_context_regression, markov_chains
from ontogeny.problem.network import Network
from ontogeny.tasks.in_context_regression import build as build_regression
from ontogeny.tasks.markov_chains import build as build_chains


def measured(kind, task, predict, **more):
    network = Network(init=lambda key: {}, apply=lambda params, inputs, method="__call__": predict(inputs), **more)
    return {name: function({}) for name, function in kind.build(network, task).items()}


@pytest.fixture(scope="module")
def chains():
    return build_chains(MarkovChains(kind="markov_chains", evaluation=400), batch_size=4, base=Path())


def test_the_divergence_of_a_predictor_from_itself_is_zero_and_the_gap_of_the_unigram_is_one(chains):
    for name, rule in chains.provides["predictors"].items():
        values = measured(markov_chains, chains, lambda symbols, rule=rule: jnp.log(rule(symbols)))
        assert values[f"divergence_from_{name}"] == pytest.approx(0, abs=1e-6)
        others = [value for key, value in values.items() if key not in (f"divergence_from_{name}", "gap_to_bayes")]
        assert min(others) > 0.01
        expected = {"bigram": 0, "unigram": 1}.get(name)
        assert expected is None or values["gap_to_bayes"] == pytest.approx(expected, abs=1e-5)


def test_the_divergence_from_the_bigram_is_the_loss_beyond_it(chains):
    """The loss of the unigram rule less that of Bayes is KL(bigram ‖ unigram), up to the noise of the targets."""
    task, rules = chains, chains.provides["predictors"]
    symbols, targets = task.data.evaluation
    unigram, bigram = (task.output_loss(jnp.log(rules[name](symbols)), targets) for name in ("unigram", "bigram"))
    excess = unigram - bigram
    values = measured(markov_chains, task, lambda symbols: jnp.log(rules["unigram"](symbols)))
    assert abs(excess.mean() - values["divergence_from_bigram"]) < 4 * excess.std() / len(excess) ** 0.5


def test_a_head_that_attends_what_followed_copies_has_the_score_one():
    symbols = jnp.array([[0, 1, 2, 0, 1, 0]])
    followers = markov_chains.follows_a_copy(symbols)[0]
    assert np.argwhere(followers).tolist() == [[3, 1], [4, 2], [5, 1], [5, 4]]
    shares = np.asarray(followers, np.float32)
    patterns = jnp.asarray(shares / np.maximum(shares.sum(-1, keepdims=True), 1))
    scores = markov_chains.statistical_induction(patterns[None, None, None], symbols)
    np.testing.assert_allclose(scores, 1, rtol=1e-6)
    evenly = markov_chains.statistical_induction(jnp.full((1, 1, 1, 6, 6), 1 / 6), symbols)
    np.testing.assert_allclose(evenly, (1 + 1 + 2) / 6 / 3, rtol=1e-6)


@pytest.fixture(scope="module")
def regression():
    card = InContextRegression(kind="in_context_regression", diversity=4, evaluation=64)
    return build_regression(card, batch_size=4, base=Path())


@pytest.mark.parametrize("name", ["ridge", "dmmse", "zero"])
def test_the_distance_of_a_predictor_from_itself_is_zero(regression, name):
    predictors = {**regression.provides["predictors"], "zero": lambda tokens: jnp.zeros((len(tokens), 8))}

    def outputs(tokens):
        return jnp.repeat(predictors[name](tokens), 2, axis=1)[..., None]

    values = measured(in_context_regression, regression, outputs)
    assert values[f"distance_from_{name}"] == pytest.approx(0, abs=1e-9)
    assert min(values[f"distance_from_{other}"] for other in predictors if other != name) > 0.1
    assert {"dmmse": 0, "zero": 1}.get(name, values["gap_to_bayes"]) == pytest.approx(values["gap_to_bayes"], abs=1e-6)
    unseen = values["out_of_distribution_loss"]["unseen_maps"]
    tokens, y = regression.provides["out_of_distribution"]["unseen_maps"]
    assert unseen == pytest.approx(float(((predictors[name](tokens) - y) ** 2).mean()), rel=1e-5)


def test_with_a_new_map_each_time_ridge_is_the_bayes_predictor_and_there_is_no_dmmse():
    task = build_regression(InContextRegression(kind="in_context_regression", evaluation=16), batch_size=4, base=Path())
    values = measured(in_context_regression, task, lambda tokens: jnp.zeros((*tokens.shape[:2], 1)))
    assert "distance_from_dmmse" not in values and values["gap_to_bayes"] == pytest.approx(1)


def test_vanished_weights_of_layer_norms_are_counted(regression):
    network = Network(init=lambda key: {}, apply=lambda params, tokens, method="__call__": jnp.zeros((*tokens.shape[:2], 1)))
    functions = in_context_regression.build(network, regression)
    params = {
        "layers.0.attention_norm.scale": jnp.array([1.0, -0.05, 0.05, -1.0]),
        "norm.scale": jnp.ones(4),
        "other": jnp.zeros(4),
    }
    assert functions["layer_norm_vanished"](params) == {"layers.0.attention_norm": 0.5, "norm": 0.0}
    assert functions["layer_norm_scale"](params)["layers.0.attention_norm"] == pytest.approx(0.525)


def test_heads_are_scored_where_the_network_shows_them(chains):
    def apply(params, symbols, method="__call__"):
        if method == "attention_patterns":
            batch, time = symbols.shape
            return jnp.broadcast_to(jnp.eye(time, k=-1).at[0, 0].set(1.0), (2, batch, 1, time, time))
        return jnp.zeros((*symbols.shape, 3))

    network = replace(Network(init=lambda key: {}, apply=apply), exposes=frozenset({"attention_patterns"}))
    values = {name: function({}) for name, function in markov_chains.build(network, chains).items()}
    assert values["previous_token_score"]["layers.1.heads.0"] == pytest.approx(1)
    assert 0 < values["statistical_induction_score"]["layers.0.heads.0"] < 1
