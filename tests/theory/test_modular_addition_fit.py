"""The exponent of λ̂ in p and its interval, on power laws."""

import numpy as np
import pytest

from benchmarks import modular_addition


def test_the_exponent_and_the_straightness_of_a_power_law():
    p = np.repeat([13.0, 17, 23, 31], 3)
    assert modular_addition.exponent(p, 2 * p**1.4) == pytest.approx(1.4)
    assert modular_addition.straightness(p, 3 * p - 7) == pytest.approx(1)
    assert modular_addition.straightness(p, p**2) < 0.99


def test_the_interval_of_the_exponent_holds_the_true_one_and_shrinks_with_the_noise():
    generator = np.random.default_rng(1)
    p = np.repeat([13.0, 17, 19, 23, 29, 31], 3)
    widths = []
    for noise in (0.1, 0.01):
        low, high = modular_addition.interval(modular_addition.exponent, p, p**2 * np.exp(noise * generator.normal(size=len(p))))
        assert low < 2 < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 5
