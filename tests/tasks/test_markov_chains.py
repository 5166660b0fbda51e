"""Markov chains and their predictors, against brute force: integrals over transition matrices and sums over all chains."""

import itertools
from math import gamma
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.config import MarkovChains
from ontogeny.tasks.markov_chains import RULES, build, draw


def card(**options):
    return MarkovChains(kind="markov_chains", **{"examples": 8, "evaluation": 8} | options)


drawn = jax.jit(draw, static_argnums=(0, 2))


def predictions(name, chains, count, concentration=1.0):
    return np.asarray(jax.jit(RULES[name], static_argnums=(1, 2))(jnp.asarray(chains), count, concentration))


def all_chains(count, length):
    return np.array(list(itertools.product(range(count), repeat=length)))


def marginal_likelihood(counts, concentration):
    """Return the integral of Π p_j^counts_j over Dirichlet(α, …, α)."""
    alphas = np.full(len(counts), concentration)
    ratio = np.prod([gamma(a + n) / gamma(a) for a, n in zip(alphas, counts, strict=True)])
    return gamma(alphas.sum()) / gamma(alphas.sum() + sum(counts)) * ratio


def likelihood(chain, count, concentration):
    """Return the probability of a chain: its transition matrix is integrated out, row by row."""
    moves = np.zeros((count, count))
    np.add.at(moves, (chain[:-1], chain[1:]), 1)
    return np.prod([marginal_likelihood(row, concentration) for row in moves]) / count


@pytest.mark.parametrize("concentration", [1.0, 0.3])
def test_the_bigram_rule_is_the_posterior_predictive_by_integration(concentration):
    count, length = 3, 5
    for chain in all_chains(count, length)[::7]:
        exact = np.array([likelihood(np.append(chain, j), count, concentration) for j in range(count)])
        exact /= likelihood(chain, count, concentration)
        np.testing.assert_allclose(predictions("bigram", chain[None], count, concentration)[0, -1], exact, rtol=1e-5)


def test_the_bigram_rule_agrees_with_a_grid_of_two_state_matrices():
    grid = (np.arange(400) + 0.5) / 400
    stay0, stay1 = np.meshgrid(grid, grid)
    rows = np.stack([np.stack([stay0, 1 - stay0], -1), np.stack([1 - stay1, stay1], -1)], -2)  # [.., from, to]
    chain = [0, 1, 1, 0, 1, 1, 1]
    weight = np.prod([rows[..., a, b] for a, b in itertools.pairwise(chain)], axis=0)
    exact = (weight * rows[..., chain[-1], 0]).sum() / weight.sum()
    assert predictions("bigram", [chain], 2)[0, -1, 0] == pytest.approx(exact, abs=1e-5)


def test_the_unigram_rule_is_the_posterior_predictive_of_independent_symbols():
    for chain in all_chains(3, 4)[::5]:
        counts = np.bincount(chain, minlength=3)
        exact = [marginal_likelihood(counts + np.eye(3)[j], 0.7) / marginal_likelihood(counts, 0.7) for j in range(3)]
        np.testing.assert_allclose(predictions("unigram", chain[None], 3, 0.7)[0, -1], exact, rtol=1e-5)


def test_expected_losses_are_those_of_all_chains_and_no_predictor_beats_bayes():
    """The sum over all chains by their exact probability; drawn chains agree within four standard errors."""
    count, context = 3, 6
    chains = all_chains(count, context + 1)
    weights = np.array([likelihood(chain, count, 1.0) for chain in chains])
    assert weights.sum() == pytest.approx(1)
    sample = np.asarray(drawn(card(symbols=count, context=context), jax.random.key(0), 20_000))
    exact = {}
    for name in RULES:
        of_all, of_drawn = (losses(name, sequences, count) for sequences in (chains, sample))
        exact[name] = weights @ of_all
        assert abs(of_drawn.mean() - exact[name]) <= 4 * of_drawn.std() / len(sample) ** 0.5 + 1e-6
    assert exact["bigram"] < min(exact["unigram"], exact["uniform"])
    assert exact["uniform"] == pytest.approx(np.log(3), rel=1e-6)


def losses(name, sequences, count):
    predicted = predictions(name, sequences[:, :-1], count)
    return -np.log(np.take_along_axis(predicted, sequences[:, 1:, None], -1)).mean((1, 2))


def test_the_gap_of_the_unigram_rule_grows_with_the_context():
    gaps = []
    for context in (4, 24):
        sample = np.asarray(drawn(card(context=context), jax.random.key(1), 2000))
        gaps.append(losses("unigram", sample, 3).mean() - losses("bigram", sample, 3).mean())
    assert gaps[1] > 1.5 * gaps[0] > 0


def test_the_first_symbol_is_uniform_and_moves_follow_rows_of_the_asked_concentration():
    """Given the first symbol, the second has the prior mean 1/k; two moves from one symbol agree with (α + 1) / (kα + 1)."""
    for concentration in (1.0, 0.2):
        chains = np.asarray(drawn(card(symbols=2, context=8, concentration=concentration), jax.random.key(2), 40_000))
        assert np.bincount(chains[:, 0]) / len(chains) == pytest.approx([0.5, 0.5], abs=0.01)
        stayed = chains[chains[:, 0] == chains[:, 1]]
        again = (concentration + 1) / (2 * concentration + 1)
        assert (stayed[:, 2] == stayed[:, 1]).mean() == pytest.approx(again, abs=0.015)


def test_training_draws_new_chains_and_the_fixed_ones_depend_on_the_seed():
    task, same, other = (build(card(seed=seed), batch_size=4, base=Path()) for seed in (0, 0, 1))
    one, again, later = (task.data.train(jax.random.key(0), jnp.asarray(step))[0] for step in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert one.shape == (4, 32) and not np.array_equal(one, later)
    np.testing.assert_array_equal(task.data.sampling[0], same.data.sampling[0])
    assert not np.array_equal(task.data.sampling[0], other.data.sampling[0])
    assert not np.array_equal(task.data.sampling[0], task.data.evaluation[0])
    np.testing.assert_array_equal(task.data.sampling[0][:, 1:], task.data.sampling[1][:, :-1])
