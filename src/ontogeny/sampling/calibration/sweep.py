"""λ̂ over inverse temperatures, and the range where it is flat."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Key

from ontogeny.arrays.flat import Checkpoints
from ontogeny.sampling import diagnostics
from ontogeny.sampling.chains import sample
from ontogeny.sampling.kernels.kernel import Kernel, with_step
from ontogeny.sampling.target import Target

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


def temperature_sweep(
    target: Target,
    checkpoint: Checkpoints,
    sampler: Kernel,
    curvature: float,
    *,
    key: Key[Array, ""],
    chains: int,
    draws: int,
) -> Sweep:
    """Measure λ̂ at nβ/9 … 9 nβ, each with a step as far from its own limit as the sampler's is.

    Args:
        checkpoint: pytree, every leaf with a leading axis of 1.
        curvature: the largest Hessian eigenvalue there.
        draws: of each chain, of which the first third is discarded.
    """
    n_beta, stiffest = target.inverse_temperature, max(curvature, 0.0)
    temperatures = n_beta * FACTORS
    scale = (n_beta * stiffest + target.localization) / (temperatures * stiffest + target.localization)
    burn_in = draws // 3
    per_chain, errors = [], []
    for temperature, factor in zip(temperatures, scale, strict=True):
        at_temperature = target._replace(inverse_temperature=float(temperature))
        scaled = with_step(sampler, sampler.step_size * factor)
        drawn = sample(at_temperature, checkpoint, scaled, key=key, chains=chains, draws=draws - burn_in, burn_in=burn_in)
        values = np.asarray(drawn.values, float)
        per_chain.append(temperature * diagnostics.chain_means(values)[0])
        sample_size = diagnostics.effective_sample_size(values)
        errors.append(float(temperature * diagnostics.standard_error(values, sample_size)[0]))
    means = diagnostics.nan_mean(np.array(per_chain), axis=1)
    low, high = flat_range(np.array(per_chain))
    return Sweep(temperatures, means, np.array(errors), float(temperatures[low]), float(temperatures[high]))


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
