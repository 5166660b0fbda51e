"""How surprising a passage is under a smooth trend: a likelihood ratio, its simulation, and many curves at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import false_discovery_control

from ontogeny.transitions.detection.smoothing import Null, log_likelihood, residuals

TRUSTED = 100
FEWEST_ABOVE = 10
"""Simulated values above the observed one from which on they are counted."""
NO_PASSAGE = -1
NEGLIGIBLE = 1e-6
"""A passage of which the free part leaves a smaller share is not tested: it repeats what is there."""


@dataclass(frozen=True)
class Scan:
    """The most likely passage of each of B curves, against a smooth trend.

    Attributes:
        statistic: log likelihood gained by adding the passage, each side at its own best hyperparameters.
        passage: its column in the shapes.
        sign: of its change.
        without: log likelihood without it.
        null: index of the covariance chosen without it.
        null_variance: the factor of the covariance chosen without it.
        noise: index of the noise chosen with the passage.
        variance: the factor of the covariance chosen with it.
        points: where another detector places change points, given the noise chosen with the passage.
        together: in place of the one passage, several of each curve (columns in the shapes; none if the one is enough).
    """

    statistic: Float[np.ndarray, " B"]
    passage: Int[np.ndarray, " B"]
    sign: Float[np.ndarray, " B"]
    without: Float[np.ndarray, " B"]
    null: Int[np.ndarray, " B"]
    null_variance: Float[np.ndarray, " B"]
    noise: Int[np.ndarray, " B"]
    variance: Float[np.ndarray, " B"]
    points: Sequence[np.ndarray] = ()
    together: Sequence[Sequence[int]] = ()


def scan(
    columns: Float[np.ndarray, "N B"],
    nulls: Sequence[Null],
    free: Float[np.ndarray, "N P"],
    smallest_variance: float,
) -> Scan:
    """Compare a smooth trend with a smooth trend and one passage, over all covariances and passages.

    Args:
        free: what both sides fit freely: the straight line, and passages found before.
    """
    freedom, count = columns.shape[0] - free.shape[1], columns.shape[1]
    without, with_passage = np.full(count, -np.inf), np.full(count, -np.inf)
    passage, null_index = np.zeros(count, dtype=int), np.zeros(count, dtype=int)
    noise, sign = np.zeros(count, dtype=int), np.ones(count)
    null_variance, variance = np.ones(count), np.ones(count)
    for number, null in enumerate(nulls):
        basis, determinant = null.without(free)
        left = residuals(null.whitener @ columns, basis)
        squares = np.einsum("nb,nb->b", left, left)
        likelihood, scale = log_likelihood(squares, determinant, freedom, smallest_variance)
        better = likelihood > without
        without[better], null_index[better], null_variance[better] = likelihood[better], number, scale[better]
        best, gain, signs = best_passages(null, basis, left)
        likelihood, scale = log_likelihood(np.maximum(squares - gain, 0), determinant, freedom, smallest_variance)
        better = likelihood > with_passage
        with_passage[better], passage[better], variance[better] = likelihood[better], best[better], scale[better]
        noise[better], sign[better] = null.noise, signs[better]
    return Scan(with_passage - without, passage, sign, without, null_index, null_variance, noise, variance)


def best_passages(
    null: Null, basis: Float[np.ndarray, "N P"], left: Float[np.ndarray, "N B"]
) -> tuple[Int[np.ndarray, " B"], Float[np.ndarray, " B"], Float[np.ndarray, " B"]]:
    """The passage that takes most off the sum of squares of each column of residuals, how much it takes, and its sign."""
    sizes = signed_roots(null, basis, left)
    best = np.abs(sizes).argmax(axis=1)
    chosen = np.take_along_axis(sizes, best[:, None], axis=1)[:, 0]
    return best, chosen**2, np.sign(chosen)


def signed_roots(null: Null, basis: Float[np.ndarray, "N P"], left: Float[np.ndarray, "N B"]) -> Float[np.ndarray, "B T"]:
    """The root of what each passage takes off the sum of squares of each column of residuals, with the sign of its change."""
    own = null.squares - np.sum((basis.T @ null.shapes) ** 2, axis=0)
    usable = own > NEGLIGIBLE * null.squares
    scales = np.where(usable, 1 / np.sqrt(np.where(usable, own, 1)), 0)
    return (left.T @ null.shapes) * scales


def likelihood_together(
    columns: Float[np.ndarray, "N B"],
    nulls: Sequence[Null],
    free: Float[np.ndarray, "N P"],
    smallest_variance: float,
    members: Int[np.ndarray, "B J"],
) -> Float[np.ndarray, " B"]:
    """The log likelihood of each of B curves with up to J passages of its own, at the best of all covariances.

    Args:
        members: the passages (columns in the shapes); `NO_PASSAGE` fills a row up.
    """
    freedom, best = columns.shape[0] - free.shape[1], np.full(columns.shape[1], -np.inf)
    used, tried = members != NO_PASSAGE, int(members.max(initial=0)) + 1
    pairs, alone = used[:, :, None] & used[:, None, :], np.eye(members.shape[1])
    for null in nulls:
        basis, determinant = null.without(free)
        left, shapes = residuals(null.whitener @ columns, basis), residuals(null.shapes[:, :tried], basis)
        right = np.where(used, np.take_along_axis(left.T @ shapes, members, axis=1), 0)[:, :, None]
        products = np.where(pairs, (shapes.T @ shapes)[members[:, :, None], members[:, None, :]], alone)
        gain = np.sum(right * np.linalg.solve(products, right), axis=(1, 2))
        squares = np.maximum(np.einsum("nb,nb->b", left, left) - gain, 0)
        best = np.maximum(best, log_likelihood(squares, determinant, freedom, smallest_variance)[0])
    return best


def simulate(generator: np.random.Generator, null: Null, variance: float, draws: int) -> Float[np.ndarray, "N draws"]:
    """Curves without a transition (their free part is left at zero: the scan does not see it)."""
    return np.sqrt(variance) * null.factor @ generator.standard_normal((len(null.factor), draws))


def p_value(statistic: float, simulated: Float[np.ndarray, " draws"]) -> float:
    """(1 + #{simulated ≥ observed}) / (draws + 1); in the tail, where fewer than ten are, an exponential fitted to it.

    A log likelihood ratio falls off about exponentially, and thresholds corrected for many curves lie beyond what a few hundred
    simulations reach. The fit is to the largest tenth, of those that are not 0, and trusted for two decades beyond them.
    """
    above = int(np.sum(simulated >= statistic))
    counted = (1 + above) / (len(simulated) + 1)
    tail = np.sort(simulated[simulated > 0])[-max(len(simulated) // 10, 1) :]
    if above >= FEWEST_ABOVE or len(tail) < 2 * FEWEST_ABOVE or statistic <= tail[0]:
        return counted
    beyond = len(tail) / (len(simulated) + 1) * np.exp(-(statistic - tail[0]) / (tail[1:] - tail[0]).mean())
    return float(np.clip(beyond, counted / TRUSTED, counted if above == 0 else 1.0))


def q_values(p_values: Sequence[float]) -> Float[np.ndarray, " m"]:
    """Benjamini and Hochberg's adjusted p-values over the curves of a run."""
    return false_discovery_control(np.asarray(p_values), method="bh") if len(p_values) else np.zeros(0)
