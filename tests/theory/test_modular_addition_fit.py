"""The exponent of λ̂ in p, R² and their intervals, on power laws and lines."""

import numpy as np
import pytest

from benchmarks import modular_addition

P = np.repeat([13.0, 17, 19, 23, 29, 31, 37], 3)


def test_the_exponent_and_the_straightness_of_a_power_law():
    assert modular_addition.exponent(P, 2 * P**1.4) == pytest.approx((1.4, 1.4, 1.4))
    assert modular_addition.straightness(P, P + 5e-5 * P**2)[0] > 0.9999
    assert modular_addition.straightness(P, P**2)[0] < 0.99


def test_the_intervals_hold_the_true_values_in_about_95_of_100_samples():
    generator = np.random.default_rng(0)
    held = []
    for _ in range(400):
        _, low, high = modular_addition.exponent(P, P**2 * np.exp(0.1 * generator.normal(size=len(P))))
        _, least, most = modular_addition.straightness(x := generator.normal(size=len(P)), x + generator.normal(size=len(P)))
        held.append((low < 2 < high, least < 0.5 < most))
    assert np.all(np.abs(np.mean(held, axis=0) - 0.95) < 0.03)
