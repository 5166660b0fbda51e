import numpy as np
import pytest

from ontogeny.transitions.curves import Curve
from ontogeny.transitions.evidence import Change, change_across, change_within, noise_variance


def curve(values: np.ndarray, noise: np.ndarray | None = None) -> Curve:
    steps = np.arange(len(values), dtype=float)
    return Curve(
        observable="llc", component="", axis=steps, positions=np.log1p(steps), values=np.asarray(values, float), noise=noise
    )


def test_levels_leave_out_what_lies_inside_the_passage() -> None:
    change = change_across(curve([1, 1, 1, 2, 3, 5, 5, 5, 9], np.eye(9)), 2, 5)
    assert change == Change(1.0, 5.0, pytest.approx(np.sqrt(2 / 3)))
    assert change.difference == 4.0


def test_levels_do_not_look_beyond_the_neighbours() -> None:
    change = change_across(curve([7, 7, 1, 5, 9, 9], np.eye(6)), 2, 3, earliest=2, latest=3)
    assert change == Change(1.0, 5.0, pytest.approx(np.sqrt(2)))


def test_no_level_on_one_side_is_no_change() -> None:
    assert change_across(curve(np.arange(5)), -1, 2) is None
    assert change_across(curve(np.arange(5)), 2, 9) is None
    assert change_within(curve(np.arange(5)), 2, 2) is None


def test_shared_noise_cancels_in_a_difference() -> None:
    shared = 0.1 * np.eye(8) + 4 * np.ones((8, 8))
    change = change_across(curve(np.arange(8), shared), 3, 4)
    assert change.standard_error == pytest.approx(np.sqrt(0.2 / 3))


def test_change_within_a_stretch_uses_its_ends() -> None:
    assert change_within(curve([100, 1, 2, 3, 4, 100], np.eye(6)), 1, 4) == Change(1.5, 3.5, pytest.approx(1.0))


def test_noise_of_a_curve_without_errors_sees_neither_trend_nor_step() -> None:
    noise = 0.5 * np.random.default_rng(0).standard_normal(2000)
    place = np.arange(2000)
    assert noise_variance(noise + 0.01 * place + 50 * (place > 700)) == pytest.approx(0.25, rel=0.15)
    assert noise_variance(np.array([1.0, 2.0])) == 0.0
