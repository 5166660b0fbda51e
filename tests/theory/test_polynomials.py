"""λ and λ̂ at finite nβ of products of parameters, against closed forms, other quadratures and integrals over the plane."""

import numpy as np
import pytest
from scipy.integrate import dblquad

from benchmarks.accuracy_answers import crossing, product_of_three
from ontogeny.theory.polynomials import density_of_product, expected_energy, expected_llc, learning_coefficient

MACHINE = [[1] * factors for factors in range(1, 6)]
ZERO = [[0.0] * factors for factors in range(1, 6)]


@pytest.mark.parametrize(
    ("exponents", "coefficients", "expected"),
    [
        ([[1]], [0], (0.5, 1)),
        ([[2]], [0], (0.25, 1)),
        ([[1, 1]], [0], (0.5, 2)),
        ([[1, 2]], [0], (0.25, 1)),
        ([[2, 2, 1]], [0], (0.25, 2)),
        ([[1, 2]], [3], (0.5, 1)),
        (MACHINE, [0, 0, 0, 0, 0], (2.5, 11)),
        (MACHINE, [0, 0, 0, 0, 1], (2.5, 7)),
        (MACHINE, [1, 1, 1, 1, 1], (2.5, 1)),
    ],
)
def test_learning_coefficients_of_sums_of_crossings(exponents, coefficients, expected):
    assert learning_coefficient(exponents, coefficients) == expected


@pytest.mark.parametrize("powers", [(1, 1), (1, 2), (2, 2), (1, 3)])
def test_crossings_agree_with_quadrature_in_the_plane(powers):
    assert expected_energy(powers, (0, 0), 800.0, 1.0) == pytest.approx(crossing(*powers, 400.0, 1.0), rel=1e-7)


def test_a_product_of_three_agrees_with_one_that_integrates_a_factor_out():
    assert expected_energy((1, 1, 1), (0, 0, 0), 10.0, 2.0) == pytest.approx(product_of_three(10.0, 2.0), rel=1e-7)


def test_a_single_parameter_is_a_quadratic():
    assert expected_llc([[1]], [[0.7]], 50.0, 10.0) == pytest.approx(50 / 60 / 2, rel=1e-7)


@pytest.mark.parametrize(("powers", "center"), [((1, 1), (1.0, 1.0)), ((1, 2), (-0.8, 0.8)), ((1, 1), (0.0, 0.6))])
def test_signs_and_centres_agree_with_an_integral_over_the_plane(powers, center):
    n_beta, gamma = 30.0, 5.0
    target = np.prod(np.power(center, powers))

    def integrand(kind):
        def value(y, x):
            energy = n_beta / 2 * (x ** powers[0] * y ** powers[1] - target) ** 2
            weight = np.exp(-energy - gamma / 2 * ((x - center[0]) ** 2 + (y - center[1]) ** 2))
            return weight * energy if kind else weight

        return dblquad(value, -4, 4, -4, 4, epsabs=1e-9)[0]

    assert expected_energy(powers, center, n_beta, gamma) == pytest.approx(integrand(1) / integrand(0), rel=1e-5)


def test_the_density_of_a_product_has_mass_one_and_its_moments():
    logs, (positive, negative) = density_of_product((1, 1, 2), (1.0, -0.5, 0.3), 4.0, 0.01)
    spacing, size = logs[1] - logs[0], np.exp(logs)
    assert (positive + negative).sum() * spacing == pytest.approx(1, abs=1e-6)
    mean = ((positive - negative) * size).sum() * spacing
    assert mean == pytest.approx(1.0 * -0.5 * (0.3**2 + 1 / 4), rel=1e-6)


def test_the_zero_function_lies_below_the_fourth_power_at_equal_lambda():
    """Skalse's machine: λ is 5/2 at both; the multiplicities 11 and 7 part them at every finite nβ."""
    fourth = [*ZERO[:4], [1.0] * 5]
    assert learning_coefficient(MACHINE, [0] * 5)[0] == learning_coefficient(MACHINE, [0] * 4 + [1])[0]
    for n_beta in (1e2, 1e3, 1e4, 1e6):
        zero, other = (expected_llc(MACHINE, point, n_beta, 10.0) for point in (ZERO, fourth))
        assert zero < other - 0.4 < 2.5


def test_an_answer_rises_to_its_limit():
    values = [expected_energy((1, 1, 1), (1.0, 1.0, 1.0), n_beta, 10.0) for n_beta in (1e2, 1e4, 1e6, 1e8)]
    assert values == sorted(values)
    assert values[-1] == pytest.approx(0.5, abs=1e-6)
