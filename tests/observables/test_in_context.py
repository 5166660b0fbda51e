"""In-context scores of predictors whose score is known."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.observables import in_context
from ontogeny.problem.build import build_observables
from ontogeny.problem.network import Network
from ontogeny.problem.problem import Data, Task
from ontogeny.tasks.text import repeat

VOCABULARY, CONTEXT = 7, 16


@pytest.fixture(scope="module")
def windows():
    return jax.random.randint(jax.random.key(0), (40, CONTEXT + 1), 0, VOCABULARY)


@pytest.fixture(scope="module")
def task(windows):
    batch = (windows[:, :-1], windows[:, 1:])
    table = jax.random.dirichlet(jax.random.key(1), jnp.ones(VOCABULARY), (VOCABULARY,))
    return Task(
        data=Data(train=lambda key, step: batch, sampling=batch, evaluation=batch),
        output_loss=lambda logits, targets: jnp.zeros(len(targets)),
        shape={"vocabulary": VOCABULARY, "context": CONTEXT},
        provides={"plain_windows": windows, "repeated_windows": repeat(windows, jax.random.key(2)), "bigram": table},
    )


def measured(task, logits_of):
    network = Network(init=lambda key: {}, apply=lambda params, tokens, method="__call__": logits_of(tokens))
    return {name: function({}) for name, function in in_context.build(network, task).items()}


def test_a_predictor_that_ignores_its_context_scores_zero(task):
    values = measured(task, lambda tokens: jnp.zeros((*tokens.shape, VOCABULARY)))
    assert values["in_context_learning_score"] == pytest.approx(0, abs=1e-6)
    assert values["loss_by_position"].keys() == {f"positions.{p}" for p in range(1, CONTEXT + 1)}
    np.testing.assert_allclose(list(values["loss_by_position"].values()), np.log(VOCABULARY), rtol=1e-5)


def test_a_predictor_that_copies_gains_all_of_the_last_quarter(task):
    """It knows the second half of each repeated window but for its first token, and nothing of plain windows."""
    windows = task.provides["repeated_windows"]

    def copies(tokens):
        known = jnp.where(jnp.arange(1, CONTEXT + 1) > CONTEXT // 2, 50.0, 0.0)[None, :, None] * jax.nn.one_hot(
            windows[:, 1:], VOCABULARY
        )
        return jnp.where((tokens == windows[:, :-1]).all(), known, 0.0)

    values = measured(task, copies)
    assert values["in_context_learning_score"] == pytest.approx(-np.log(VOCABULARY), rel=1e-5)
    assert values["in_context_learning_score_plain"] == pytest.approx(0, abs=1e-6)
    losses = values["loss_by_position"]
    assert losses[f"positions.{CONTEXT // 2}"] == pytest.approx(np.log(VOCABULARY), rel=1e-5)
    assert losses[f"positions.{CONTEXT // 2 + 1}"] == pytest.approx(0, abs=1e-5)


def test_cross_entropy_to_the_bigram_is_least_for_the_bigram(task, windows):
    table = task.provides["bigram"]
    exact = measured(task, lambda tokens: jnp.log(table[tokens]))["cross_entropy_to_bigram"]
    entropy = -(table * jnp.log(table)).sum(-1)
    assert exact == pytest.approx(float(entropy[windows[:, :-1]].mean()), rel=1e-5)
    tempered = measured(task, lambda tokens: 0.8 * jnp.log(table[tokens]))["cross_entropy_to_bigram"]
    assert tempered > exact + 1e-3


def test_long_windows_are_shown_at_evenly_spaced_positions():
    assert list(in_context.by_position(jnp.zeros(100)))[:3] == ["positions.1", "positions.8", "positions.15"]
    assert len(in_context.by_position(jnp.zeros(1024))) == 16


def test_a_task_without_windows_is_refused(task):
    network = Network(init=lambda key: {}, apply=lambda params, tokens: tokens)
    bare = Task(data=task.data, output_loss=task.output_loss, shape={"features": 3})
    assert list(build_observables(None, network, bare, Path())) == ["loss", "evaluation_loss"]
    with pytest.raises(ValueError, match="need a task that provides plain_windows and a task that provides repeated_windows"):
        build_observables(["in_context"], network, bare, Path())
    with pytest.raises(ValueError, match="a network with a method attention_patterns"):
        build_observables(["attention"], network, task, Path())
