"""λ̂ over inverse temperatures, and the range where it is flat."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ontogeny.sampling import diagnostics
from ontogeny.sampling.kernels.kernel import Kernel, with_step
from ontogeny.sampling.program import Settings

FACTORS = 3.0 ** np.arange(-2, 3)
"""Factors of nβ at which λ̂ is measured."""
FLAT_WITHIN = 0.1


class Sweep(NamedTuple):
    """λ̂ at one checkpoint over inverse temperatures, and the range around the target's nβ where it is flat.

    Flat means within 10% of the value at the target's nβ, known to 10%. With too few draws to know, the range is nβ itself.
    """

    inverse_temperature: Float[np.ndarray, " temperatures"]
    llc: Float[np.ndarray, " temperatures"]
    standard_error: Float[np.ndarray, " temperatures"]
    flat_from: float
    flat_to: float


def settings_of_sweep(sampler: Kernel, inverse_temperature: float, localization: float, curvature: float) -> list[Settings]:
    """Return the settings at nβ/9 … 9 nβ, each with a step as far from its own limit as the sampler's is.

    Args:
        curvature: the largest Hessian eigenvalue at the checkpoint.
    """
    stiffest, temperatures = max(curvature, 0.0), inverse_temperature * FACTORS
    scale = (inverse_temperature * stiffest + localization) / (temperatures * stiffest + localization)
    return [
        Settings(with_step(sampler, sampler.step_size * factor), float(temperature), localization)
        for temperature, factor in zip(temperatures, scale, strict=True)
    ]


def summarised(settings: Sequence[Settings], values: Float[np.ndarray, "temperatures chains draws"]) -> Sweep:
    """Return λ̂ at each of the settings from the values of its chains, of which the first third is discarded."""
    temperatures = np.array([own.inverse_temperature for own in settings])
    kept = np.asarray(values[..., values.shape[-1] // 3 :], float)
    per_chain = temperatures[:, None] * diagnostics.chain_means(kept)
    errors = temperatures * diagnostics.standard_error(kept, diagnostics.effective_sample_size(kept))
    low, high = flat_range(per_chain)
    means = diagnostics.nan_mean(per_chain, axis=1)
    return Sweep(temperatures, means, errors, float(temperatures[low]), float(temperatures[high]))


def flat_range(per_chain: Float[np.ndarray, "temperatures chains"]) -> tuple[int, int]:
    """Return the first and last index of the range around the middle where λ̂ is known to be flat.

    Chains have the same noise at all temperatures, so each is compared with itself at the middle. λ̂ is flat where the mean of
    these differences is within 10% of the middle's value, and so is the error of that mean.
    """
    middle = len(per_chain) // 2
    differences = per_chain - per_chain[middle]
    size = FLAT_WITHIN * abs(diagnostics.nan_mean(per_chain, axis=1)[middle])
    live = np.maximum(np.isfinite(differences).sum(axis=1), 1)
    error = diagnostics.nan_deviation(differences, axis=1) / np.sqrt(live)
    flat = (np.abs(diagnostics.nan_mean(differences, axis=1)) <= size) & (error <= size)
    low = middle
    while low > 0 and flat[low - 1]:
        low -= 1
    high = middle
    while high < len(per_chain) - 1 and flat[high + 1]:
        high += 1
    return low, high
