"""λ̂ at every cell of a sweep, against what a quadratic gives exactly at that step, nβ and γ."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.estimates.llc import summarise
from ontogeny.sampling.cells import plan_cells, sample_cells
from ontogeny.sampling.chains import sample
from ontogeny.sampling.kernels.sgld import SGLD
from ontogeny.sampling.program import Settings
from ontogeny.sampling.target import Target

CURVATURES = np.array([0.2, 1.0, 3.0, 8.0])
GRID = {"step_size": (0.02, 0.1), "inverse_temperature": (1.0, 4.0), "localization": (1.0, 4.0)}
"""At the largest of all three, ε a is 3.6 of at most 4, and the step makes the stiffest direction ten times too wide."""
OPTIONS = {"key": jax.random.key(0), "chains": 8, "draws": 2000, "burn_in": 500}


def quadratic(params, batch):
    return jnp.sum(jnp.asarray(CURVATURES) * params["w"] ** 2) / 2


def widths(cell):
    """nβ h times the variance of each direction under discrete SGLD (estimate R1 of docs/estimators.md); a = nβ h + γ."""
    stiffness = cell.inverse_temperature * CURVATURES + cell.localization
    return cell.inverse_temperature * CURVATURES / (stiffness * (1 - cell.sampler.step_size * stiffness / 4))


@pytest.fixture(scope="module")
def sampled():
    checkpoints = {"w": jnp.zeros((3, len(CURVATURES)))}
    target = Target.of(quadratic, None, checkpoints, inverse_temperature=1.0, localization=1.0)
    cells = [Settings(SGLD(step_size=step), n_beta, gamma) for step, n_beta, gamma in itertools.product(*GRID.values())]
    return target, checkpoints, cells, sample_cells(target, checkpoints, cells, steps=[1, 5, 9], **OPTIONS)


def test_every_cell_has_the_exact_value(sampled):
    _, _, cells, draws = sampled
    for cell, drawn in zip(cells, draws, strict=True):
        estimate, expected = summarise(drawn), np.sum(widths(cell)) / 2
        assert estimate.standard_error.max() < 0.07 * expected
        np.testing.assert_allclose(estimate.mean, expected, atol=3 * estimate.standard_error.max())
        assert list(estimate.steps) == [1, 5, 9]


def test_the_share_of_the_localisation_is_exact_in_every_cell(sampled):
    _, _, cells, draws = sampled
    for cell, drawn in zip(cells, draws, strict=True):
        estimate, s = summarise(drawn), widths(cell)
        error = estimate.held_by_localization_standard_error.max()
        np.testing.assert_allclose(estimate.held_by_localization, 1 - np.sum(s**2) / np.sum(s), atol=3 * error)


def test_a_cell_is_what_sampling_at_its_settings_gives(sampled):
    target, checkpoints, cells, draws = sampled
    cell = cells[-1]
    own = target._replace(inverse_temperature=cell.inverse_temperature, localization=cell.localization)
    alone = sample(own, checkpoints, cell.sampler, steps=[1, 5, 9], **OPTIONS)
    (single,) = sample_cells(target, checkpoints, cells[-1:], **OPTIONS)
    for drawn in (draws[-1], single):  # side by side with others, and alone
        np.testing.assert_allclose(drawn.values, alone.values, rtol=1e-4, atol=1e-5)
    assert (draws[-1].inverse_temperature, draws[-1].localization) == (cell.inverse_temperature, cell.localization)


def test_cells_of_a_small_network_run_side_by_side_and_of_a_large_one_alone(sampled):
    target, checkpoints, cells, _ = sampled
    assert plan_cells(target, checkpoints, len(cells), 8, 10, 0)[1] > 1

    def wide(params, batch):
        return jnp.mean((batch @ params["w"]) ** 2, axis=1)

    large = {"w": jnp.zeros((3, 512, 512))}
    heavy = Target.of(wide, jnp.ones((4096, 512)), large, localization=1.0)
    assert plan_cells(heavy, large, len(cells), 2, 10, 0)[1] == 1


def test_a_cell_that_cannot_be_sampled_is_named(sampled):
    target, checkpoints, cells, _ = sampled
    with pytest.raises(ValueError, match="localization: must be finite and not negative, got -1"):
        sample_cells(target, checkpoints, [cells[0]._replace(localization=-1.0)], **OPTIONS)
    with pytest.raises(ValueError, match="cells: must be at least 1, got 0"):
        sample_cells(target, checkpoints, [], **OPTIONS)
