"""What the chains are run on, as config.yaml asks."""

from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny import config
from ontogeny.errors import SpecificationError
from ontogeny.jobs.target import build_target
from ontogeny.problem.build import build_problem
from ontogeny.sampling.chains import sample
from ontogeny.sampling.kernels.sgld import SGLD

TASK = config.SparseFeatures(kind="sparse_features", examples=50)
PROBLEM = build_problem(TASK, config.Superposition(kind="superposition"), base=Path())
TASK_DATA = PROBLEM.data.sampling
PARAMS = {name: jnp.stack([leaf, 2 * leaf]) for name, leaf in PROBLEM.init(jax.random.key(0)).items()}


def traces(behavioural, mask=None):
    target = build_target(PROBLEM, config.LocalLearningCoefficient(behavioural=behavioural))
    checkpoints, mask = target.checkpoints(PARAMS), target.mask(PARAMS, mask)
    options = {"key": jax.random.key(0), "sampler": SGLD(step_size=1e-4), "mask": mask, "chains": 2, "draws": 30, "burn_in": 0}
    return sample(target.loss, checkpoints, target.data, collect=lambda params: params, **options)


def test_the_labels_are_the_default():
    found = traces(False)
    assert np.all(found.gradient_norm > 1e-2)
    first = jax.tree.map(lambda leaf: leaf[0], PARAMS)
    np.testing.assert_allclose(found.baseline[0], PROBLEM.loss(first, TASK_DATA).mean(), rtol=1e-5)


def test_behavioural_chains_start_at_an_exact_minimum_and_leave_the_reference():
    mask = {name: jnp.ones_like(leaf[0]) * float(name == "weight") for name, leaf in PARAMS.items()}
    found = traces(True, mask)
    np.testing.assert_allclose(found.gradient_norm, 0, atol=1e-6)
    np.testing.assert_allclose(found.baseline, 0, atol=1e-10)
    assert np.all(np.asarray(found.values)[..., 1:] > 0)
    for name, leaf in PARAMS.items():
        still = np.broadcast_to(leaf[:, None, None], (2, 2, 30, *leaf.shape[1:]))
        np.testing.assert_array_equal(found.collected["reference"][name], still)
    moved = np.asarray(found.collected["moving"]["weight"][:, :, -1] - PARAMS["weight"][:, None])
    assert np.all(moved != 0)
    still = np.broadcast_to(PARAMS["bias"][:, None], (2, 2, 6))
    np.testing.assert_array_equal(found.collected["moving"]["bias"][:, :, -1], still)


def test_a_task_without_a_divergence_is_told():
    with pytest.raises(SpecificationError, match=r"llc\.behavioural: the task says no `divergence`"):
        build_target(replace(PROBLEM, divergence=None), config.LocalLearningCoefficient(behavioural=True))
