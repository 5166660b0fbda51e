"""Thermodynamic integration where the free energies are known: quadratics in closed form, polygons by their posterior."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.estimates.free_energy import critical_sample_size
from ontogeny.estimates.thermodynamic import FreeEnergyDifference, free_energy_difference
from ontogeny.phases.occupancy import crossing
from ontogeny.phases.polygons import polygon_occupancy

LADDER = np.geomspace(1e-2, 2000, 41)
LOCALIZATION = 5.0
BROAD, NARROW = (np.array([0.3, 1.0]), 0.10), (np.array([0.5, 2.0, 4.0, 9.0]), 0.05)
"""Curvatures and the least loss of the phase before and of the phase after."""


def mean_loss(phase, inverse_temperatures=LADDER, localization=LOCALIZATION):
    """E[L] of a quadratic with the local prior exp(-(γ/2)|w|²)."""
    curvatures, least = phase
    return least + (curvatures / 2 / (inverse_temperatures[:, None] * curvatures + localization)).sum(1)


def free_energy(phase, inverse_temperatures=LADDER, localization=LOCALIZATION):
    """nβ L + (1/2) Σ log(1 + nβ h / γ), less the integral of the local prior."""
    curvatures, least = phase
    scales = 1 + inverse_temperatures[:, None] * curvatures / localization
    return inverse_temperatures * least + np.log(scales).sum(1) / 2


EXACT = free_energy(NARROW) - free_energy(BROAD)


def test_of_quadratics_the_difference_is_the_closed_form():
    found = free_energy_difference(LADDER, mean_loss(BROAD), mean_loss(NARROW))
    np.testing.assert_allclose(found.value, EXACT, atol=2e-4)
    assert np.all(found.standard_error == 0) and found.quadrature_error.max() < 0.01
    assert np.all(np.abs(found.value - EXACT) <= found.quadrature_error + 1e-6)


def test_a_few_directions_more_cost_half_a_log_each():
    flat, bowl = (np.zeros(0), 0.0), (np.full(3, 2.0), 0.0)
    found = free_energy_difference(LADDER, mean_loss(flat), mean_loss(bowl))
    assert found.value[-1] == pytest.approx(1.5 * np.log(1 + 2000 * 2.0 / LOCALIZATION), abs=1e-3)


def test_a_coarse_ladder_says_how_far_it_is_off():
    ladder = np.geomspace(1e-2, 2000, 9)
    found = free_energy_difference(ladder, mean_loss(BROAD, ladder), mean_loss(NARROW, ladder))
    off = np.abs(found.value - (free_energy(NARROW, ladder) - free_energy(BROAD, ladder)))
    assert off.max() > 0.005 and np.all(off <= 2 * found.quadrature_error + 1e-4)


def test_a_ladder_that_starts_too_high_says_so_and_one_may_start_from_a_known_difference():
    ladder = LADDER[20:]
    exact = free_energy(NARROW, ladder) - free_energy(BROAD, ladder)
    blind = free_energy_difference(ladder, mean_loss(BROAD, ladder), mean_loss(NARROW, ladder))
    assert abs(blind.value[-1] - exact[-1]) > 0.1 and blind.quadrature_error[-1] > 0.1
    told = free_energy_difference(ladder, mean_loss(BROAD, ladder), mean_loss(NARROW, ladder), start=exact[0])
    np.testing.assert_allclose(told.value, exact, atol=1e-3)


@pytest.mark.parametrize("chains", [0, 6])
def test_the_error_is_that_of_repetitions(chains: int):
    """Each chain errs alike at all rungs, so that independent errors would be too small."""
    generator = np.random.default_rng(0)
    scale = 0.02 / np.sqrt(LADDER)
    values, errors = [], []
    for _ in range(400):
        if chains:
            noise = scale[:, None] * generator.standard_normal((2, 1, chains))
            sides = [mean_loss(phase)[:, None] + own for phase, own in zip((BROAD, NARROW), noise, strict=True)]
            found = free_energy_difference(LADDER, *sides)
        else:
            sides = [mean_loss(phase) + scale * generator.standard_normal(len(LADDER)) for phase in (BROAD, NARROW)]
            found = free_energy_difference(LADDER, *sides, before_errors=scale, after_errors=scale)
        values.append(found.value)
        errors.append(found.standard_error)
    np.testing.assert_allclose(np.sqrt(np.mean(np.square(errors), axis=0))[10:], np.std(values, axis=0)[10:], rtol=0.15)
    assert found.degrees_of_freedom == (chains - 1 if chains else np.inf)


def test_the_crossing_holds_the_volumes_that_the_formula_leaves_out():
    fine, localization = np.geomspace(1, 2000, 200_000), 0.5
    above = free_energy(NARROW, fine, localization) > free_energy(BROAD, fine, localization)
    truth, ladder = fine[np.flatnonzero(above)[-1]], np.geomspace(1e-3, 2000, 41)
    sides = [mean_loss(phase, ladder, localization) for phase in (BROAD, NARROW)]
    scale = np.full(len(LADDER), 2e-4)
    found = free_energy_difference(ladder, *sides, before_errors=scale, after_errors=scale)
    value, low, high = found.crossing()
    assert value == pytest.approx(truth, rel=0.02) and low < value < high < 1.5 * low
    leading, _, _ = critical_sample_size(NARROW[1] - BROAD[1], 1.0)
    assert not truth / 1.5 < leading < 1.5 * truth


def test_where_the_free_energies_do_not_cross_there_is_no_crossing():
    none = FreeEnergyDifference(
        inverse_temperatures=LADDER,
        value=np.full(len(LADDER), 1.0),
        standard_error=np.zeros(len(LADDER)),
        degrees_of_freedom=np.inf,
        quadrature_error=np.zeros(len(LADDER)),
    )
    assert np.all(np.isnan(none.crossing()))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"inverse_temperatures": LADDER[::-1]}, "increasing numbers above 0"),
        ({"inverse_temperatures": LADDER[:3], "before": np.ones(3), "after": np.ones(3)}, "at least 5"),
        ({"after": np.ones(7)}, r"got \(41,\) and \(7,\)"),
        ({"before": np.ones((41, 1)), "after": np.ones((41, 1))}, "at least 2"),
        ({"before": np.ones((41, 4)), "after": np.ones((41, 4)), "after_errors": np.ones(41)}, "no errors beside them"),
        ({"before_errors": np.ones(3)}, "each must have 41 numbers"),
    ],
)
def test_arguments_that_do_not_fit_are_named(changes: dict, words: str):
    given = {"inverse_temperatures": LADDER, "before": np.ones(41), "after": np.ones(41)} | changes
    ladder, before, after = (given.pop(name) for name in ("inverse_temperatures", "before", "after"))
    with pytest.raises(ValueError, match=words):
        free_energy_difference(ladder, before, after, **given)


@pytest.mark.long
def test_from_the_5_gon_to_the_6_gon_it_crosses_where_the_posterior_does():
    """The mean losses within the phases alone, where both hold some of the posterior, against the shares of the phases."""
    sizes = np.geomspace(1.0, 700.0, 60)
    found = polygon_occupancy(6, jnp.asarray(sizes), key=jax.random.key(0), particles=1000)
    shares, losses = np.asarray(found.shares, float), np.asarray(found.losses, float)
    held = np.flatnonzero((shares[:, 5:7].min(axis=1) > 0.02) & np.isfinite(losses[:, 5:7]).all(axis=1))
    ladder = slice(held[0], held[-1] + 1)
    exact = np.log(shares[ladder, 5] / shares[ladder, 6])
    integrated = free_energy_difference(sizes[ladder], losses[ladder, 5], losses[ladder, 6], start=exact[0])
    np.testing.assert_allclose(integrated.value, exact, atol=0.5)
    value, _, _ = integrated.crossing()
    assert value == pytest.approx(crossing(sizes, shares[:, 5], shares[:, 6]), rel=0.15)
    assert 200 < value < 340, "the formula without volumes says 601"
