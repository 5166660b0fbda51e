"""Exact answers for polynomials in parameters, f(x) = Σ_j c_j φ_j(x) with c_j = Π_i θ_i^{e_i} and orthonormal φ_j.

No parameter belongs to two coefficients, so K = ½ Σ_j (c_j - c*_j)² is a sum of independent terms. Their learning
coefficients add up. Their expectations under the local posterior add up as well, and each is an integral over one number,
c_j, whose density under the Gaussian exp(-(γ/2) |θ - θ*|²) is a convolution in log |c_j|.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.signal import fftconvolve

Exponents = Sequence[int]
SPACING = 0.01
"""The largest distance of the grid points in log |c|. It is smaller where the posterior of log |c| is narrower."""
LOWEST = -30.0
"""The grid of log |θ| starts here, e^-30."""


def learning_coefficient(exponents: Sequence[Exponents], coefficients: Sequence[float]) -> tuple[float, int]:
    """Return the local λ and its multiplicity where each coefficient has this value.

    At a coefficient of zero all its parameters are zero, and (Π θ_i^{e_i})² has λ = 1 / (2 max e) with as many poles as
    exponents reach the maximum (Watanabe 2009, normal crossings). Elsewhere its zeros are a smooth surface with λ = 1/2.
    """
    crossings = [
        (1 / (2 * max(powers)), list(powers).count(max(powers))) if value == 0 else (0.5, 1)
        for powers, value in zip(exponents, coefficients, strict=True)
    ]
    return sum(value for value, _ in crossings), 1 + sum(multiplicity - 1 for _, multiplicity in crossings)


def expected_llc(
    exponents: Sequence[Exponents],
    parameters: Sequence[Sequence[float]],
    inverse_temperature: float,
    localization: float,
) -> float:
    """Return E λ̂ = nβ E[K] under exp(-nβ K - (γ/2) |θ - θ*|²), where K = ½ Σ_j (c_j - c*_j)² and c* is c at θ*.

    Args:
        exponents: of the parameters of each coefficient.
        parameters: θ*, the parameters of each coefficient.
        inverse_temperature: nβ.
        localization: γ, above 0.
    """
    return sum(
        expected_energy(powers, center, inverse_temperature, localization)
        for powers, center in zip(exponents, parameters, strict=True)
    )


def expected_energy(powers: Exponents, center: Sequence[float], inverse_temperature: float, localization: float) -> float:
    """Return the term of one coefficient in `expected_llc`, by the trapezoidal rule in log |c| over both signs."""
    target = float(np.prod(np.power(np.asarray(center, float), powers)))
    width = 1 / (np.sqrt(inverse_temperature) * max(abs(target), 1e-300))  # of log |c| around log |c*|
    spacing = min(SPACING, width / 2)
    logs, (positive, negative) = density_of_product(powers, center, localization, spacing)
    size = np.exp(logs)
    energies = [inverse_temperature / 2 * (sign * size - target) ** 2 for sign in (1, -1)]
    weights = [density * np.exp(-energy) for density, energy in zip((positive, negative), energies, strict=True)]
    return float(sum((w * e).sum() for w, e in zip(weights, energies, strict=True)) / sum(w.sum() for w in weights))


def density_of_product(
    powers: Exponents, center: Sequence[float], precision: float, spacing: float
) -> tuple[Float[np.ndarray, " points"], tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]]:
    """Return a grid of log |Π θ_i^{e_i}| and its densities, where the product is positive and where it is negative.

    The θ_i are independent Gaussians around `center` with variance 1 / precision.
    """
    lowest, positive, negative = 0.0, np.ones(1), np.zeros(1)
    for power, middle in zip(powers, center, strict=True):
        start, plus, minus = density_of_power(power, middle, precision, spacing)
        positive, negative = (
            (fftconvolve(positive, plus) + fftconvolve(negative, minus)) * spacing,
            (fftconvolve(positive, minus) + fftconvolve(negative, plus)) * spacing,
        )
        lowest += start
    return lowest + spacing * np.arange(len(positive)), (positive / spacing, negative / spacing)


def density_of_power(
    power: int, center: float, precision: float, spacing: float
) -> tuple[float, Float[np.ndarray, " points"], Float[np.ndarray, " points"]]:
    """Return where the grid of v = log |θ^power| starts, and the densities of v where θ^power is positive and negative."""
    highest = np.log(abs(center) + 9 / np.sqrt(precision))
    v = np.arange(power * LOWEST, power * highest, spacing)
    plus, minus = (np.exp(v / power - precision / 2 * (sign * np.exp(v / power) - center) ** 2) / power for sign in (1, -1))
    scale = np.sqrt(precision / (2 * np.pi))
    return float(v[0]), scale * (plus if power % 2 else plus + minus), scale * (minus if power % 2 else np.zeros_like(minus))
