from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from benchmarks.detection_curves import noise_of
from ontogeny.estimates.free_energy import critical_sample_size
from ontogeny.transitions.detection.curves import Curve, noise_variance
from ontogeny.transitions.detection.noise import noise_beside, nulls_over
from ontogeny.transitions.evidence import Change, change_across, change_within
from ontogeny.transitions.free_energies import probability_of_fall


def curve(values: np.ndarray, noise: np.ndarray | None = None) -> Curve:
    steps = np.arange(len(values), dtype=float)
    return Curve(
        observable="llc",
        component="",
        checkpoints=steps,
        positions=np.log1p(steps),
        values=np.asarray(values, float),
        noise=noise,
    )


def test_levels_leave_out_what_lies_inside_the_passage() -> None:
    change = change_across(curve([1, 1, 1, 2, 3, 5, 5, 5, 9], np.eye(9)), 2, 5)
    assert change == Change(1.0, 5.0, pytest.approx(np.sqrt(2 / 3)))
    assert change.difference == 4.0


def test_levels_do_not_look_beyond_the_neighbours() -> None:
    change = change_across(curve([7, 7, 1, 5, 9, 9], np.eye(6)), 2, 3, earliest=2, latest=3)
    assert change == Change(1.0, 5.0, pytest.approx(np.sqrt(2)))


def test_a_level_ends_where_the_curve_itself_changes() -> None:
    dropped = np.array([9.0, 1.0, 1.2, 0.9, 1.1, 5.0, 5.1, 4.9, 0.0])
    change = change_across(curve(dropped, 0.04 * np.eye(9)), 2, 5)
    assert (change.before, change.after) == (pytest.approx(1.1), pytest.approx(5.0))
    assert change.standard_error == pytest.approx(0.2 * np.sqrt(1 / 2 + 1 / 3))
    ends = change_within(curve(dropped, 0.04 * np.eye(9)), 0, 8)
    assert (ends.before, ends.after) == (9.0, 0.0)


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_levels_of_a_constant_with_noise_keep_their_checkpoints_and_cover_as_often_as_they_say(correlation: float) -> None:
    noise = correlation ** np.abs(np.subtract.outer(np.arange(6), np.arange(6)))
    draws = np.random.default_rng(0).multivariate_normal(np.zeros(6), noise, 2000)
    changes = [change_across(curve(values, noise), 2, 3) for values in draws]
    whole = np.repeat([-1 / 3, 1 / 3], 3)
    full = np.isclose([change.standard_error for change in changes], np.sqrt(whole @ noise @ whole))
    assert np.mean(full) > 0.98
    covered = [abs(change.difference) <= 1.96 * change.standard_error for change in changes]
    low, high = binom.interval(0.999, 2000, 0.95)
    assert low <= sum(covered) <= high


def test_no_level_on_one_side_is_no_change() -> None:
    assert change_across(curve(np.arange(5)), -1, 2) is None
    assert change_across(curve(np.arange(5)), 2, 9) is None
    assert change_within(curve(np.arange(5)), 2, 2) is None


def test_shared_noise_cancels_in_a_difference() -> None:
    shared = 0.1 * np.eye(8) + 4 * np.ones((8, 8))
    change = change_across(curve(np.repeat([0, 5], 4), shared), 3, 4)
    assert change.standard_error == pytest.approx(np.sqrt(0.2 / 3))


def changes_of_four_chains(true: float, simulations: int) -> list[Change]:
    """Chains that start anywhere and share their random numbers over the checkpoints."""
    generator = np.random.default_rng(0)
    found = []
    for _ in range(simulations):
        chains = 10 + 3 * generator.standard_normal(4) + generator.standard_normal((6, 4)) + true * (np.arange(6) >= 3)[:, None]
        found.append(change_across(replace(curve(chains.mean(axis=1), np.eye(6)), chains=chains), 2, 3))
    return found


@pytest.mark.end_to_end
def test_intervals_from_four_chains_cover_as_often_as_they_say_and_normal_ones_do_not() -> None:
    truth, _, _ = critical_sample_size(-0.02, 4.0)
    rates = []
    for student in (True, False):
        covered = []
        for change in changes_of_four_chains(4.0, 600):
            errors, freedom = np.diag([0, change.standard_error**2]), (np.inf, change.degrees_of_freedom if student else np.inf)
            _, low, high = critical_sample_size(-0.02, change.difference, covariance=errors, degrees_of_freedom=freedom)
            covered.append(low <= truth <= high)
        rates.append(sum(covered))
    low, high = binom.interval(0.999, 600, 0.95)
    assert rates[1] < low <= rates[0] <= high


def test_the_probability_of_a_fall_from_four_chains_is_uniform_where_there_is_none() -> None:
    changes = changes_of_four_chains(0.0, 600)
    low, high = binom.interval(0.999, 600, 0.05)
    assert low <= sum(probability_of_fall(change) >= 0.95 for change in changes) <= high
    assert sum(probability_of_fall(replace(change, degrees_of_freedom=np.inf)) >= 0.95 for change in changes) > high


def test_change_within_a_stretch_uses_its_ends() -> None:
    assert change_within(curve([100, 1, 2, 3, 4, 100], np.eye(6)), 1, 4) == Change(1.5, 3.5, pytest.approx(1.0))


def test_noise_of_a_curve_without_errors_sees_neither_trend_nor_step() -> None:
    noise = 0.5 * np.random.default_rng(0).standard_normal(2000)
    place = np.arange(2000)
    assert noise_variance(noise + 0.01 * place + 50 * (place > 700)) == pytest.approx(0.25, rel=0.15)
    assert noise_variance(np.array([1.0, 2.0])) == 0.0


def test_errors_that_neighbours_share_are_in_those_of_a_change_and_white_ones_would_be_too_small() -> None:
    rates = []
    nulls = nulls_over(curve(np.zeros(60)))
    for noisy in (True, False):
        covered = []
        for seed in range(100):
            noise = noise_of("ar1", np.random.default_rng(seed), 60)
            plain = curve(20 + 10 * (np.arange(60) >= 30) + noise)
            passage = float(np.log1p(29)), float(np.log1p(30))
            correlated = replace(plain, noise=noise_beside(plain, [passage], nulls))
            change = change_across(correlated if noisy else plain, 29, 30)
            covered.append(abs(change.difference - 10) <= 1.96 * change.standard_error)
        rates.append(sum(covered))
    low, high = binom.interval(0.999, 100, 0.95)
    assert rates[1] < low <= rates[0] <= high
