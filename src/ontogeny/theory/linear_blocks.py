"""Exact answers for a rank-one linear block, f(x) = b aᵀ x with a and b of the same size d.

K = ½ |b aᵀ - b* a*ᵀ|² depends on a through its component α along a* and the length r of the rest. Given α and r, b is Gaussian
under the local posterior, so that it integrates out. What is left is an integral over the half plane of (α, r).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

REACH = 9.0
"""The Gaussian of the localisation is followed over this many of its standard deviations."""
LOWEST = -20.0
"""The grid of log r, and of log |α| on either side of 0, starts here, e^-20 of its end."""


class Block(NamedTuple):
    """Hold where a block is: its size d, |a*| and |b*|."""

    size: int
    inward: float = 0.0
    outward: float = 0.0


def learning_coefficient(size: int, learnt: bool) -> tuple[float, int]:
    """Return the local λ and its multiplicity of a block of size d: (d/2, 2) where b aᵀ = 0 with a = b = 0, else (d - 1/2, 1).

    At 0, K = ½ |b|² |a|² is a normal crossing of |a| and |b| with d directions each, so λ = d/2. Elsewhere the matrices of rank
    one are a smooth surface of dimension 2 d - 1, on which K is quadratic.
    """
    return (size - 0.5, 1) if learnt else (size / 2, 2)


def expected_llc(block: Block, inverse_temperature: float, localization: float, points: int = 400) -> float:
    """Return E λ̂ = nβ E[K] of a block under exp(-nβ K - (γ/2) (|a - a*|² + |b - b*|²)).

    Args:
        block: where it is. Only the lengths of a* and b* matter.
        inverse_temperature: nβ.
        localization: γ, above 0.
        points: of the quadrature along each axis, on each side of 0.
    """
    alpha, along = both_sides(block.inward, localization, points)
    if block.size == 1:
        r, across = np.zeros(1), np.ones(1)
    else:
        r, across = log_grid((REACH + np.sqrt(block.size)) / np.sqrt(localization), points)
        across = across * r ** (block.size - 2)
    logs, energy = after_outward(block, alpha[:, None], r[None], inverse_temperature, localization)
    weight = along[:, None] * across[None] * np.exp(logs - logs.max())
    return float((weight * energy).sum() / weight.sum())


def after_outward(
    block: Block,
    alpha: Float[np.ndarray, "A 1"],
    r: Float[np.ndarray, "1 R"],
    inverse_temperature: float,
    localization: float,
) -> tuple[Float[np.ndarray, "A R"], Float[np.ndarray, "A R"]]:
    """Return the log density of (α, r) with b integrated out, and nβ E[K] given them.

    Given a, b has the precision Λ = nβ |a|² + γ in every direction, and the mean h / Λ along b*.
    """
    squared = alpha**2 + r**2
    precision = inverse_temperature * squared + localization
    pull = block.outward * (inverse_temperature * alpha * block.inward + localization)
    mean = pull / precision
    logs = pull * mean / 2 - block.size / 2 * np.log(precision) - localization / 2 * ((alpha - block.inward) ** 2 + r**2)
    target = block.inward * block.outward
    energy = squared * (block.size / precision + mean**2) - 2 * alpha * mean * target + target**2
    return logs, inverse_temperature / 2 * energy


def both_sides(
    center: float, localization: float, points: int
) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]:
    """Return a grid of α on both sides of 0, dense at 0, and its weights."""
    sizes, weights = log_grid(abs(center) + REACH / np.sqrt(localization), points)
    return np.concatenate([-sizes[::-1], sizes]), np.concatenate([weights[::-1], weights])


def log_grid(end: float, points: int) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]:
    """Return x up to `end` and the weights of the trapezoidal rule in log x."""
    logs = np.linspace(np.log(end) + LOWEST, np.log(end), points)
    return np.exp(logs), np.exp(logs) * (logs[1] - logs[0])
