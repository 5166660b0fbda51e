"""Verdicts of cells over all checkpoints, and which set is recommended."""

from dataclasses import replace

import numpy as np
import pytest

from ontogeny.estimates.llc import summarise, with_step_size_check
from ontogeny.estimates.sweep import JudgedCell, judged, nearest, recommended, remedies
from ontogeny.sampling.calibration.stability import Stability
from ontogeny.sampling.draws import Draws

CHECKPOINTS, CHAINS, DRAWS, DIRECTIONS = 3, 4, 2000, 8
STABLE = Stability("stable", 0.1, 0.01, 0.0, 0.02, 4.0, whole_bias=0.01)


def values_of(share, seed=0, draws=DRAWS):
    """nβ (L(w) - L(w*)) of independent draws on a quadratic of which γ decides a share: s/2 times chi square, s = 1 - share."""
    squares = np.random.default_rng(seed).chisquare(DIRECTIONS, (CHECKPOINTS, CHAINS, draws))
    return (1 - share) / 2 * squares


def cell(share, n_beta=100.0, step=1e-3, *, values=None, stability=STABLE, first_order=0.0):
    values = values_of(share) if values is None else values
    draws = Draws(
        values=values / n_beta,
        baseline=np.zeros(CHECKPOINTS),
        gradient_norm=np.zeros(CHECKPOINTS),
        first_order=np.broadcast_to(np.reshape(first_order, (-1, 1)) / n_beta, (CHECKPOINTS, CHAINS)),
        inverse_temperature=n_beta,
        localization=1.0,
        n=1000,
        dimension=50,
        steps=np.arange(CHECKPOINTS),
    )
    estimate = with_step_size_check(replace(summarise(draws), stability=stability))
    estimates = {"": estimate}
    return JudgedCell(
        step_size=step, inverse_temperature=n_beta, localization=1.0, estimates=estimates, share_by_hessian=[0.5] * CHECKPOINTS
    )


def test_a_cell_passes_where_every_checkpoint_passes():
    assert cell(0.2).passes and not cell(0.2).failures
    stuck = values_of(0.2)
    stuck[1, 0] += 20
    failing = cell(0.2, values=stuck)
    assert not failing.passes and failing.failures[("r_hat", "")] == 1


def test_the_smallest_share_is_recommended():
    cells = [cell(0.6), cell(0.2), cell(0.4)]
    assert recommended(cells) is cells[1]


def test_the_share_that_counts_is_that_of_the_checkpoint_where_it_is_largest():
    uneven = values_of(0.1)
    uneven[2] = values_of(0.7)[2]
    cells = [cell(0.1, values=uneven), cell(0.4)]
    assert recommended(cells) is cells[1]


def test_of_equal_shares_the_largest_nbeta_and_then_the_longest_step_is_recommended():
    cells = [cell(0.3, 100.0, 1e-3), cell(0.3, 300.0, 1e-4), cell(0.3, 300.0, 1e-3), cell(0.3, 30.0, 1e-2)]
    assert recommended(cells) is cells[2]


def test_a_failing_cell_is_not_recommended_and_the_nearest_is_told():
    too_long = STABLE._replace(kind="too long", whole_bias=0.1)
    better = cell(0.1, stability=too_long)
    assert recommended([better, cell(0.5)]).share[0] > 0.4
    worse = cell(0.1, values=values_of(0.1, draws=8), stability=too_long)
    assert recommended([better, worse]) is None
    assert nearest([worse, better]) is better
    assert remedies(better) == ["the step and the noise of minibatches bias λ̂ by 10%: step_size 0.0005 would do"]


def test_short_chains_are_told_how_many_draws_would_do():
    slow = np.repeat(values_of(0.2, draws=6), 50, axis=-1)
    sentences = remedies(cell(0.2, values=slow))
    assert len(sentences) == 1 and "draws would do" in sentences[0]


def test_a_step_beyond_stability_fails():
    diverging = cell(0.2, stability=Stability("unstable", 8.0, np.inf, 0.0, 0.02, 4.0, 5e-4))
    assert diverging.failures == {("step_size", ""): CHECKPOINTS}
    assert remedies(diverging) == ["chains diverge where the curvature is largest: step_size must be well below 0.0005"]


def test_chains_that_visit_two_basins_fail_though_they_mix():
    two = values_of(0.1)
    hops = np.random.default_rng(1).random(two.shape) < 0.5
    two = np.where(hops, two, two + 12)
    mixed = cell(0.1, values=two)
    assert mixed.failures == {("several_basins", ""): CHECKPOINTS}
    assert "raise localization" in remedies(mixed)[0]
    assert recommended([mixed, cell(0.5)]).share[0] > 0.4


@pytest.mark.parametrize("power", [1, 2, 3])
def test_one_basin_is_never_taken_for_several(power):
    """For L = w^2k, nβ L has a gamma distribution of shape 1 / 2k, with equal mean and variance."""
    gamma = np.random.default_rng(0).gamma(DIRECTIONS / (2 * power), size=(CHECKPOINTS, CHAINS, DRAWS))
    assert cell(0.0, values=gamma).passes


def test_where_the_draws_do_not_know_the_share_it_is_that_of_the_hessian():
    far_apart = values_of(0.2) * np.array([0.5, 1, 1.5, 2])[:, None]
    estimate = cell(0.2, values=far_apart).estimates[""]
    assert (estimate.held_by_localization_standard_error > 0.15).all()
    assert cell(0.2, values=far_apart).shares == [(0.5, 0.0)] * CHECKPOINTS


def test_a_checkpoint_that_is_no_minimum_counts_against_no_cell():
    slope = np.array([3.0, 0.0, 0.0])
    cells = judged([cell(0.2, first_order=slope), cell(0.4, first_order=slope)])
    assert cells[0].set_aside == {("first_order", "", 0)} and recommended(cells) is cells[0]
    one_only = judged([cell(0.2, first_order=slope), cell(0.4)])
    assert not one_only[0].set_aside and recommended(one_only) is one_only[1]


def test_a_component_that_fails_counts():
    fine, failing = cell(0.2), cell(0.2, values=values_of(0.2, draws=8))
    both = replace(fine, estimates={"": fine.estimates[""], "layers.0": failing.estimates[""]})
    assert not both.passes and {component for _, component in both.failures} == {"layers.0"}
