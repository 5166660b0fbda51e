"""How surprising a passage is under a smooth trend: a likelihood ratio and its simulation, for many curves at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import solve_triangular
from scipy.stats import false_discovery_control

from ontogeny.transitions.detection.changepoints import Passages
from ontogeny.transitions.detection.smoothing import Null, log_likelihood, residuals

TRUSTED = 100
FEWEST_ABOVE = 10
"""Simulated values above the observed one from which on they are counted instead of extrapolated."""
NO_STEP = -1
NEGLIGIBLE = 1e-6
"""A passage of which the free part leaves a smaller share repeats the free part and is not tested."""


@dataclass(frozen=True)
class Whitened:
    """All passages in the coordinates in which a null is white noise.

    Passages are mixtures of sharp steps, so only the N whitened steps are stored.

    Attributes:
        steps: the whitened sharp steps, one at every checkpoint.
        squares: the sum of squares of each whitened passage.
    """

    null: Null
    passages: Passages
    steps: Float[np.ndarray, "N N"]
    squares: Float[np.ndarray, " T"]

    @classmethod
    def of(cls, null: Null, passages: Passages) -> Self:
        sharp = np.tril(np.ones_like(null.factor))
        steps = solve_triangular(null.factor, sharp, lower=True, overwrite_b=True, check_finite=False)
        shapes = passages.mixtures @ np.ascontiguousarray(steps.T)
        return cls(null, passages, steps, np.einsum("tn,tn->t", shapes, shapes))

    def products(self, columns: Float[np.ndarray, "N B"]) -> Float[np.ndarray, "T B"]:
        """Return the inner products of every whitened passage with whitened columns."""
        return self.passages.mixtures @ (self.steps.T @ columns)

    def beside(self, free: Float[np.ndarray, "N P"], relaxation: Float[np.ndarray, "N R"] | None = None) -> "Alternative":
        """Return the passages as alternatives to the null with a free part, and with a relaxation where one is given."""
        extra = free[:, :0] if relaxation is None else self.null.penalised(relaxation)
        basis, determinant = self.null.without(np.column_stack([free, extra]))
        own = self.squares - np.sum(self.products(basis) ** 2, axis=1)
        usable = own > NEGLIGIBLE * self.squares
        scales = np.where(usable, 1 / np.sqrt(np.where(usable, own, 1)), 0)
        return Alternative(self, basis, determinant, scales, len(basis) - free.shape[1], extra)


@dataclass(frozen=True)
class Alternative:
    """The passages as alternatives to a null with a free part, which both sides fit freely.

    Attributes:
        basis: an orthonormal basis of the whitened free part.
        determinant: the log determinant of the covariance that the free part leaves.
        scales: 1 over the length of what the free part leaves of each whitened passage; 0 where nearly nothing is left.
        freedom: the degrees of freedom that the free part leaves; a relaxation, whose unit is that of the noise, takes none.
        relaxation: the column of the relaxation; none where nothing relaxes.
    """

    whitened: Whitened
    basis: Float[np.ndarray, "N P"]
    determinant: float
    scales: Float[np.ndarray, " T"]
    freedom: int
    relaxation: Float[np.ndarray, "N R"]

    def residuals(self, columns: Float[np.ndarray, "N B"]) -> Float[np.ndarray, "N B"]:
        """Return what the free part leaves of columns, whitened."""
        return residuals(self.whitened.null.whitened(columns), self.basis)

    def signed_roots(self, left: Float[np.ndarray, "N B"]) -> Float[np.ndarray, "T B"]:
        """Return the root of what each passage takes off the sum of squares of residuals, with the sign of its change."""
        return self.whitened.products(left) * self.scales[:, None]

    def log_likelihood(
        self, squares: Float[np.ndarray, " B"], smallest_variance: float
    ) -> tuple[Float[np.ndarray, " B"], Float[np.ndarray, " B"]]:
        """Return the log likelihood of sums of squares of residuals, and the factor of the covariance."""
        return log_likelihood(squares, self.determinant, self.freedom, smallest_variance)


@dataclass(frozen=True)
class Scan:
    """The most likely passage of each of B curves, against a smooth trend.

    Attributes:
        statistic: the log likelihood gained by adding the passage, each side at its own best hyperparameters.
        raw: the same, whatever else the passage lacks.
        passage: its index.
        sign: the sign of its change.
        without: the log likelihood without it.
        behind: the log likelihood by which each alternative is worse than the best, with the passage or without, where it is
            less so.
        worse: the log likelihood by which the null of each alternative is worse than the best of them.
        null_variance: the factor of the covariance of the null of each alternative.
        chosen: the index of the alternative chosen with the passage.
        noise: the index of its noise.
        variance: the factor of the covariance chosen with it.
        points: where ruptures places change points, given the noise chosen with the passage.
        together: several passages of each curve in place of the most likely one; empty where the one is enough.
    """

    statistic: Float[np.ndarray, " B"]
    raw: Float[np.ndarray, " B"]
    passage: Int[np.ndarray, " B"]
    sign: Float[np.ndarray, " B"]
    without: Float[np.ndarray, " B"]
    behind: Float[np.ndarray, "A B"]
    worse: Float[np.ndarray, "A B"]
    null_variance: Float[np.ndarray, "A B"]
    chosen: Int[np.ndarray, " B"]
    noise: Int[np.ndarray, " B"]
    variance: Float[np.ndarray, " B"]
    points: Sequence[np.ndarray] = ()
    together: Sequence[Sequence[int]] = ()


def scan(columns: Float[np.ndarray, "N B"], alternatives: Sequence[Alternative], smallest_variance: float) -> Scan:
    """Compare a smooth trend with a smooth trend and one passage, over all covariances and passages."""
    count = columns.shape[1]
    whitened = {id(one.whitened): one.whitened.null.whitened(columns) for one in alternatives}
    without, with_passage = np.empty((len(alternatives), count)), np.empty((len(alternatives), count))
    null_variance, variance, sign = np.empty_like(without), np.empty_like(without), np.empty_like(without)
    passage = np.empty(without.shape, int)
    for number, alternative in enumerate(alternatives):
        left = residuals(whitened[id(alternative.whitened)], alternative.basis)
        squares = np.einsum("nb,nb->b", left, left)
        without[number], null_variance[number] = alternative.log_likelihood(squares, smallest_variance)
        passage[number], gain, sign[number] = best_passages(alternative.signed_roots(left))
        fit = alternative.log_likelihood(np.maximum(squares - gain, 0), smallest_variance)
        with_passage[number], variance[number] = fit
    index, best = np.arange(count), with_passage.argmax(axis=0)
    likeliest = without.max(axis=0)
    gained = with_passage[best, index] - likeliest
    worse = likeliest - without
    noise = np.array([alternative.whitened.null.noise for alternative in alternatives])[best]
    behind = np.minimum(worse, with_passage[best, index] - with_passage)
    return Scan(
        gained,
        gained,
        passage[best, index],
        sign[best, index],
        likeliest,
        behind,
        worse,
        null_variance,
        best,
        noise,
        variance[best, index],
    )


def best_passages(
    roots: Float[np.ndarray, "T B"],
) -> tuple[Int[np.ndarray, " B"], Float[np.ndarray, " B"], Float[np.ndarray, " B"]]:
    """Return the passage that takes most off the sum of squares of each column, how much it takes, and its sign."""
    best = np.abs(roots).argmax(axis=0)
    chosen = roots[best, np.arange(roots.shape[1])]
    return best, chosen**2, np.sign(chosen)


def likelihood_together(
    columns: Float[np.ndarray, "N B"],
    alternatives: Sequence[Alternative],
    smallest_variance: float,
    members: Int[np.ndarray, "B J"],
) -> Float[np.ndarray, " B"]:
    """Return the log likelihood of each of B curves with up to J sharp steps of its own, at the best of all covariances.

    Args:
        members: the checkpoints at which the steps of each curve lie; `NO_STEP` fills a row up.
    """
    best = np.full(columns.shape[1], -np.inf)
    members = members[:, : int((members != NO_STEP).sum(axis=1).max(initial=0))]
    used = members != NO_STEP
    pairs, alone = used[:, :, None] & used[:, None, :], np.eye(members.shape[1])
    for alternative in alternatives:
        left = alternative.residuals(columns)
        steps = alternative.whitened.steps[:, members.ravel()]
        shapes = residuals(steps, alternative.basis).T.reshape(*members.shape, len(left))
        right = np.where(used[:, :, None], shapes @ left.T[:, :, None], 0)
        products = np.where(pairs, shapes @ shapes.transpose(0, 2, 1), alone)
        gain = np.sum(right * np.linalg.solve(products, right), axis=(1, 2))
        squares = np.maximum(np.einsum("nb,nb->b", left, left) - gain, 0)
        best = np.maximum(best, alternative.log_likelihood(squares, smallest_variance)[0])
    return best


def simulate(generator: np.random.Generator, null: Null, variance: float, draws: int) -> Float[np.ndarray, "N draws"]:
    """Return curves without a transition; their free part is zero, because the scan does not depend on it."""
    return np.sqrt(variance) * null.factor @ generator.standard_normal((len(null.factor), draws))


def simulate_trend(generator: np.random.Generator, null: Null, draws: int) -> Float[np.ndarray, "N draws"]:
    """Return the smooth trends of curves without a transition."""
    if not null.weight:
        return np.zeros((len(null.factor), draws))
    shares, vectors = np.linalg.eigh(null.trend)
    large = shares > 1e-9 * shares[-1]
    factor = vectors[:, large] * np.sqrt(null.weight * shares[large])
    return factor @ generator.standard_normal((factor.shape[1], draws))


def p_value(statistic: float, simulated: Float[np.ndarray, " draws"]) -> float:
    """Return (1 + #{simulated ≥ observed}) / (draws + 1), or in the tail, where fewer than ten are, an exponential fitted to it.

    A log likelihood ratio falls off about exponentially, and thresholds corrected for many curves lie beyond what a few hundred
    simulations reach. The tail is trusted for two decades beyond them.
    """
    above = int(np.sum(simulated >= statistic))
    counted = (1 + above) / (len(simulated) + 1)
    beyond = tail(statistic, simulated)
    if above >= FEWEST_ABOVE or beyond == 1:
        return counted
    return float(np.clip(beyond, counted / TRUSTED, counted if above == 0 else 1.0))


def tail(statistic: float, simulated: Float[np.ndarray, " draws"]) -> float:
    """Return how often a statistic is reached by an exponential fitted to the largest tenth of those simulated that are not 0;
    1 where they are too few or it lies below them."""
    largest = np.sort(simulated[simulated > 0])[-max(len(simulated) // 10, 1) :]
    if len(largest) < FEWEST_ABOVE or statistic <= largest[0]:
        return 1.0
    return float(len(largest) / (len(simulated) + 1) * np.exp(-(statistic - largest[0]) / (largest[1:] - largest[0]).mean()))


def q_values(p_values: Sequence[float]) -> Float[np.ndarray, " m"]:
    """Return Benjamini and Hochberg's adjusted p-values over the curves of a run."""
    return false_discovery_control(np.asarray(p_values), method="bh") if len(p_values) else np.zeros(0)
