"""How surprising a passage is under a smooth trend: a likelihood ratio, its simulation, and many curves at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import false_discovery_control

from ontogeny.transitions.smoothing import Whitening, log_likelihood

NEGLIGIBLE = 1e-6
"""A passage of which the free part leaves a smaller share of the norm is not tested: it repeats what is there."""


@dataclass(frozen=True)
class Scan:
    """The most likely passage of each of B curves, against a smooth trend.

    Attributes:
        statistic: log likelihood gained by adding the passage, each side at its own best hyperparameters.
        passage: its column in the shapes.
        null, alternative: indices of the covariances chosen without it and with it.
        null_variance: the factor of the covariance chosen without it.
    """

    statistic: Float[np.ndarray, "B"]
    passage: Int[np.ndarray, "B"]
    null: Int[np.ndarray, "B"]
    alternative: Int[np.ndarray, "B"]
    null_variance: Float[np.ndarray, "B"]


def scan(
    columns: Float[np.ndarray, "N B"],
    covariances: Sequence[Float[np.ndarray, "N N"]],
    free: Float[np.ndarray, "N P"],
    shapes: Float[np.ndarray, "N T"],
    smallest_variance: float,
) -> Scan:
    """Compare a smooth trend with a smooth trend and one passage, over all covariances and passages."""
    freedom = columns.shape[0] - free.shape[1]
    count = columns.shape[1]
    null, alternative = np.full(count, -np.inf), np.full(count, -np.inf)
    passage, null_index, index = (np.zeros(count, dtype=int) for _ in range(3))
    variance = np.ones(count)
    for number, covariance in enumerate(covariances):
        whitening = Whitening.of(covariance, free)
        residuals = whitening(columns)
        squares = np.einsum("nb,nb->b", residuals, residuals)
        likelihood, scale = log_likelihood(squares, whitening.log_determinant, freedom, smallest_variance)
        better = likelihood > null
        null[better], null_index[better], variance[better] = likelihood[better], number, scale[better]
        projections = np.abs(unit_shapes(whitening, shapes).T @ residuals)
        best = projections.argmax(axis=0)
        left = np.maximum(squares - projections[best, np.arange(count)] ** 2, 0)
        likelihood, _ = log_likelihood(left, whitening.log_determinant, freedom, smallest_variance)
        better = likelihood > alternative
        alternative[better], passage[better], index[better] = likelihood[better], best[better], number
    return Scan(alternative - null, passage, null_index, index, variance)


def unit_shapes(whitening: Whitening, shapes: Float[np.ndarray, "N T"]) -> Float[np.ndarray, "N T"]:
    """The whitened shapes at length one; zero where the free part already contains them."""
    whitened = whitening(shapes)
    norms = np.sqrt(np.einsum("nt,nt->t", whitened, whitened))
    usual = np.sqrt(np.median(norms**2))
    return np.where(norms > NEGLIGIBLE * usual, whitened / np.maximum(norms, NEGLIGIBLE * usual), 0)


def simulate(
    generator: np.random.Generator, covariance: Float[np.ndarray, "N N"], variance: float, draws: int
) -> Float[np.ndarray, "N draws"]:
    """Curves without a transition (their free part is left at zero: the scan does not see it)."""
    return np.sqrt(variance) * np.linalg.cholesky(covariance) @ generator.standard_normal((len(covariance), draws))


def p_value(statistic: float, simulated: Float[np.ndarray, "draws"]) -> float:
    """(1 + #{simulated ≥ observed}) / (draws + 1), the Monte Carlo p-value that never claims 0."""
    return (1 + int(np.sum(simulated >= statistic))) / (len(simulated) + 1)


def q_values(p_values: Sequence[float]) -> Float[np.ndarray, "m"]:
    """Benjamini and Hochberg's adjusted p-values over the curves of a run."""
    return false_discovery_control(np.asarray(p_values), method="bh") if len(p_values) else np.zeros(0)
