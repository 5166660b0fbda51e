"""What the sources claim of two developments, on short runs: saddle to saddle, and a circuit before generalisation."""

from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny import config
from ontogeny.problem.build import build_problem
from ontogeny.problem.keys import TRAIN, seed_keys
from ontogeny.training.loop import compile_training, initial_state
from ontogeny.training.optimizers import build_optimizer


def observed(task: config.Task, model: config.Model, training: config.Training, steps: Sequence[int]) -> dict[str, np.ndarray]:
    """The observables of seed 0 at some steps, by name, or by name and component where there are several."""
    problem = build_problem(task, model, base=Path(), batch_size=training.batch_size, observables=None)
    optimizer = build_optimizer(training)
    bounds = jnp.array([0, *steps[:-1]], jnp.int32), jnp.array(steps, jnp.int32)
    _, piece = compile_training(problem, optimizer)(initial_state(problem, optimizer, [0]), seed_keys([0], TRAIN), *bounds)
    measure = jax.jit(lambda all: jax.lax.map(lambda one: {n: f(one) for n, f in problem.observables.items()}, all))
    return jax.tree.map(np.asarray, measure(jax.tree.map(lambda leaf: leaf[0], piece.params)))


@pytest.mark.end_to_end
def test_a_narrow_linear_network_learns_one_rank_at_a_time_in_every_layer():
    task = config.LinearTeacher(kind="linear_teacher", inputs=3, outputs=3, rank=3, examples=24, whiten=True)
    training = config.Training.model_validate(
        {"optimizer": {"name": "sgd", "learning_rate": 0.005}, "batch_size": 24, "steps": 9000}
    )
    steps = [0, *range(200, 9001, 100)]
    seen = observed(task, config.Linear(kind="linear", hidden=[3, 3], spread=0.05), training, steps)
    ranks = seen["rank"]
    assert list(dict.fromkeys(ranks)) == [0, 1, 2, 3] and np.all(np.diff(ranks) >= 0)
    layers = np.stack(list(seen["layer_rank"].values()))
    assert np.mean(np.all(layers == ranks, axis=0)) > 0.95
    np.testing.assert_array_equal(seen["known_llc"], np.array([3, 4, 4.5, 4.5])[ranks.astype(int)])
    np.testing.assert_allclose(seen["loss"], seen["population_loss"], rtol=1e-3, atol=1e-6)


@pytest.mark.end_to_end
def test_the_circuit_of_modular_addition_forms_before_the_network_generalises():
    """Nanda et al.: the restricted loss falls, and the excluded loss rises, while held-out accuracy is still near chance."""
    task = config.ModularAddition(kind="modular_addition", modulus=31, share=0.5)
    training = config.Training.model_validate(
        {"optimizer": {"name": "adamw", "learning_rate": 5e-3, "weight_decay": 1.0}, "batch_size": 240, "steps": 5000}
    )
    steps = [0, 200, 800, 5000]
    seen = observed(task, config.MLP(kind="mlp", width=24, hidden=64), training, steps)
    assert np.all(seen["accuracy"][1:] > 0.99)
    assert np.all(seen["evaluation_accuracy"][:3] < 0.1) and seen["evaluation_accuracy"][3] > 0.8
    assert seen["restricted_loss"][2] < seen["restricted_loss"][0] - 1 and seen["restricted_loss"][3] < 0.5
    assert seen["excluded_loss"][2] > seen["loss"][2] + 1
    assert seen["key_frequency_share"][3] > 0.75 > 0.3 > seen["key_frequency_share"][1]
