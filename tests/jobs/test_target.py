"""Test what the chains are run on, as config.yaml asks."""

from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny import config
from ontogeny.errors import SpecificationError
from ontogeny.jobs.target import build_target, chain_loss
from ontogeny.problem.build import build_problem
from ontogeny.sampling.chains import sample
from ontogeny.sampling.kernels.sgld import SGLD

TASK = config.SparseFeatures(kind="sparse_features", examples=50)
PROBLEM = build_problem(TASK, config.Superposition(kind="superposition"), base=Path())
TASK_DATA = PROBLEM.data.sampling
PARAMS = {name: jnp.stack([leaf, 2 * leaf]) for name, leaf in PROBLEM.init(jax.random.key(0)).items()}


def draws(behavioural, mask=None):
    target, checkpoints = build_target(PROBLEM, config.LocalLearningCoefficient(behavioural=behavioural), PARAMS, mask=mask)
    collect = {"position": lambda params: params}
    counts = {"chains": 2, "draws": 30, "burn_in": 0}
    return sample(target, checkpoints, SGLD(step_size=1e-4), key=jax.random.key(0), collect=collect, **counts)


def test_the_labels_are_the_default():
    found = draws(False)
    assert np.all(found.gradient_norm > 1e-2)
    first = jax.tree.map(lambda leaf: leaf[0], PARAMS)
    np.testing.assert_allclose(found.baseline[0], PROBLEM.loss(first, TASK_DATA).mean(), rtol=1e-5)


@pytest.mark.end_to_end
def test_behavioural_chains_start_at_an_exact_minimum_and_leave_the_reference():
    mask = {name: jnp.ones_like(leaf[0]) * float(name == "weight") for name, leaf in PARAMS.items()}
    found = draws(True, mask)
    np.testing.assert_allclose(found.gradient_norm, 0, atol=1e-6)
    np.testing.assert_allclose(found.baseline, 0, atol=1e-10)
    assert np.all(np.asarray(found.values)[..., 1:] > 0)
    for name, leaf in PARAMS.items():
        still = np.broadcast_to(leaf[:, None, None], (2, 2, 30, *leaf.shape[1:]))
        np.testing.assert_array_equal(found.collected["position"]["reference"][name], still)
    moved = np.asarray(found.collected["position"]["moving"]["weight"][:, :, -1] - PARAMS["weight"][:, None])
    assert np.all(moved != 0)
    still = np.broadcast_to(PARAMS["bias"][:, None], (2, 2, 6))
    np.testing.assert_array_equal(found.collected["position"]["moving"]["bias"][:, :, -1], still)


def test_a_task_without_a_divergence_is_an_error():
    with pytest.raises(SpecificationError, match=r"llc\.behavioural: the task has no `divergence`"):
        build_target(replace(PROBLEM, divergence=None), config.LocalLearningCoefficient(behavioural=True), PARAMS)


def test_the_behavioural_loss_of_a_problem_is_the_same_program_in_every_chunk():
    llc = config.LocalLearningCoefficient(behavioural=True)
    assert chain_loss(PROBLEM, llc) == chain_loss(PROBLEM, llc)
    assert hash(chain_loss(PROBLEM, llc)) == hash(chain_loss(PROBLEM, llc))


def test_a_target_that_cannot_be_made_names_the_section():
    with pytest.raises(SpecificationError, match="llc: batch_size: must lie between 1 and n = 50, got 51"):
        build_target(PROBLEM, config.LocalLearningCoefficient(batch_size=51), PARAMS)
