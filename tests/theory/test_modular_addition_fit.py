"""The exponent of λ̂ in p and its interval, on power laws."""

import numpy as np
import pytest

from benchmarks import modular_addition


def test_the_exponent_and_the_straightness_of_a_power_law():
    p = np.repeat([13.0, 17, 23, 31], 3)
    assert modular_addition.exponent(p, 2 * p**1.4) == pytest.approx(1.4)
    assert modular_addition.straightness(p, 3 * p - 7) == pytest.approx(1)
    assert modular_addition.straightness(p, p**2) < 0.99


def test_the_interval_of_the_exponent_holds_the_true_one_in_about_95_of_100_samples():
    generator = np.random.default_rng(0)
    p = np.repeat([13.0, 17, 19, 23, 29, 31, 37], 3)
    held = []
    for _ in range(200):
        low, high = modular_addition.interval(modular_addition.exponent, p, p**2 * np.exp(0.1 * generator.normal(size=len(p))))
        held.append(low < 2 < high)
    assert 0.88 <= np.mean(held) <= 0.99
