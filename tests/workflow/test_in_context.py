"""What Edelman et al. (2024) claim of in-context Markov chains: two layers leave the unigram for the bigram, one cannot."""

from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from ontogeny import config
from ontogeny.problem.build import build_problem
from ontogeny.problem.keys import TRAIN, seed_keys
from ontogeny.training.loop import compile_training, initial_state
from ontogeny.training.optimizers import build_optimizer

STEPS = 300


@pytest.mark.end_to_end
@pytest.mark.parametrize(("layers", "lowest", "highest"), [(1, 0.8, 1.3), (2, 0.0, 0.5)])
def test_two_layers_pass_the_unigram_and_one_does_not(layers, lowest, highest):
    task = config.MarkovChains(kind="markov_chains", context=32, examples=8, evaluation=256)
    model = config.Transformer(kind="transformer", layers=layers, heads=2, width=32, mlp=64)
    optimizer = {"name": "adam", "learning_rate": 1e-2}
    section = config.Training.model_validate(
        {"optimizer": optimizer, "clip": 1.0, "warmup": 50, "batch_size": 64, "steps": STEPS}
    )
    problem = build_problem(task, model, base=Path(), batch_size=section.batch_size, observables=["markov_chains"])
    optimiser = build_optimizer(section)
    advance = compile_training(problem, optimiser)
    state, _ = advance(initial_state(problem, optimiser, [0]), seed_keys([0], TRAIN), jnp.array([0]), jnp.array([STEPS]))
    params = {name: array[0] for name, array in state.params.items()}
    assert lowest < float(jax.jit(problem.observables["gap_to_bayes"])(params)) < highest
