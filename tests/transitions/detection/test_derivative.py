from collections.abc import Sequence

import numpy as np
import pytest
from scipy.signal import lfilter

from ontogeny.trajectory import STEPS as AXIS
from ontogeny.transitions.detection.curves import curves_of
from ontogeny.transitions.detection.derivative import Slope, boundaries, slope_of
from ontogeny.transitions.detection.search import noise_beside

STEPS = np.unique(np.round(np.geomspace(1, 50_000, 60)).astype(int))
X = np.log1p(STEPS)
Intervals = Sequence[tuple[float, float]]


def slope(one_curve, values: np.ndarray, error: float | None, passages: Intervals = ()) -> Slope:
    curve = curves_of(one_curve(STEPS, values, np.nan if error is None else error))[0]
    return slope_of(curve.positions, curve.values, noise_beside(curve, passages))


def test_the_slope_of_a_straight_line_is_exact(one_curve) -> None:
    found = slope(one_curve, 3 + 2 * X, 0.1)
    np.testing.assert_allclose(found.mean, 2, rtol=1e-3)
    assert np.all(found.rises > 0.99)
    assert found.probability(2, 8, 1.0) > 0.999 > 1e-3 > found.probability(2, 8, -1.0)


def test_the_posterior_covers_a_known_slope_as_often_as_it_says(one_curve) -> None:
    inside = []
    for seed in range(40):
        values = 10 * np.sin(X / 1.5) + 0.5 * np.random.default_rng(seed).standard_normal(len(X))
        found = slope(one_curve, values, 0.5)
        inside.append(np.abs(found.mean - 10 / 1.5 * np.cos(found.positions / 1.5)) <= 1.96 * found.deviation)
    # Neighbouring places share their error, and the hyperparameters are taken as known: not the exact binomial band.
    assert 0.9 <= np.mean(inside) <= 0.99


@pytest.mark.parametrize("error", [0.3, None])
def test_a_rise_between_two_plateaus_has_two_boundaries(one_curve, error) -> None:
    height = 8 * np.clip((X - 4) / 3, 0, 1) + 0.3 * np.random.default_rng(0).standard_normal(len(X))
    found = boundaries(slope(one_curve, height, error, [(4, 7)]), AXIS)
    rises = [turn for turn in found if "rise" in (turn.before, turn.after)]
    assert [(turn.before, turn.after) for turn in rises] in ([("plateau", "rise"), ("rise", "plateau")], [("rise", "plateau")])
    assert abs(np.log1p(rises[-1].location) - 7) < 0.8
    assert all(0.5 < turn.probability <= 1 for turn in rises)


def test_noise_has_hardly_any_boundary(one_curve) -> None:
    counts = [
        len(boundaries(slope(one_curve, 20 + np.random.default_rng(seed).standard_normal(len(X)), 1.0), AXIS))
        for seed in range(40)
    ]
    assert np.mean(np.array(counts) > 0) <= 0.15


def test_noise_that_neighbours_share_and_that_is_larger_than_its_errors_makes_no_slope(one_curve) -> None:
    steep = []
    for seed in range(40):
        white = 2 * np.random.default_rng(seed).standard_normal(len(X) + 20)
        shared = lfilter([1], [1, -0.6], white)[20:]
        found = slope(one_curve, 50 + shared, 1.0)
        steep.append(max(found.probability(X[0], X[-1], sign) for sign in (1.0, -1.0)) >= 0.99)
    assert np.mean(steep) <= 0.2
