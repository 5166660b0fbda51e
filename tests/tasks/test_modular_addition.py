"""The table of sums, which part is learnt from, and the accuracies."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pydantic import ValidationError

from ontogeny import config
from ontogeny.observables import accuracy
from ontogeny.problem.build import build_problem
from ontogeny.problem.network import Network
from ontogeny.tasks import modular_addition

SECTION = config.ModularAddition(kind="modular_addition", modulus=7, share=0.4)


def test_every_pair_is_learnt_from_or_held_out_and_labelled_right():
    (pairs, sums), (others, other_sums) = modular_addition.pairs(SECTION)
    assert len(pairs) == SECTION.examples == 20
    together = np.concatenate([pairs, others])
    assert len(np.unique(together, axis=0)) == 49
    np.testing.assert_array_equal(np.concatenate([sums, other_sums]), together.sum(1) % 7)
    again, _ = modular_addition.pairs(SECTION.model_copy(update={"seed": 1}))
    assert not np.array_equal(again[0], pairs)


def test_random_labels_belong_to_the_same_pairs_and_follow_no_sum():
    section = config.ModularAddition(kind="modular_addition", modulus=31, share=0.4, labels="random")
    (pairs, labels), (_, others) = modular_addition.pairs(section)
    (same, sums), _ = modular_addition.pairs(section.model_copy(update={"labels": "sums"}))
    np.testing.assert_array_equal(pairs, same)
    for drawn, count in ((labels, len(labels)), (others, len(others))):
        assert set(np.unique(drawn)) == set(range(31)) and len(drawn) == count
    assert np.mean(labels == sums) < 0.1


@pytest.mark.end_to_end
def test_accuracy_counts_right_answers_on_both_parts():
    task = modular_addition.build(SECTION, batch_size=20, base=Path())
    known = {tuple(pair) for pair in np.asarray(task.data.sampling[0]).tolist()}

    def memory(params, pairs):
        seen = jnp.array([[(a, b) in known for b in range(7)] for a in range(7)])[pairs[:, 0], pairs[:, 1]]
        return jax.nn.one_hot((pairs.sum(-1) + jnp.where(seen, 0, 1)) % 7, 7)

    measures = accuracy.build(Network(init=lambda key: {}, apply=memory), task)
    assert {name: float(measure({})) for name, measure in measures.items()} == {"accuracy": 1.0, "evaluation_accuracy": 0.0}


@pytest.mark.end_to_end
def test_the_network_reads_both_numbers_and_starts_near_chance():
    problem = build_problem(SECTION, config.MLP(kind="mlp", width=4, hidden=8), base=Path())
    params = problem.init(jax.random.key(0))
    logits = problem.apply(params, jnp.array([[1, 2], [2, 1], [1, 3]]))
    assert logits.shape == (3, 7)
    assert not np.allclose(logits[0], logits[1]) and not np.allclose(logits[0], logits[2])
    assert float(problem.loss(params, problem.data.sampling).mean()) < 3 * np.log(7)
    assert problem.is_log_likelihood


@pytest.mark.parametrize(("share", "modulus"), [(0.001, 7), (0.9999, 7)])
def test_a_share_that_leaves_nothing_is_refused(share, modulus):
    with pytest.raises(ValidationError, match="pairs to learn from"):
        config.ModularAddition(kind="modular_addition", modulus=modulus, share=share)
