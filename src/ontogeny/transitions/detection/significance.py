"""How surprising a passage is under a smooth trend: a likelihood ratio and its simulation, for many curves at once."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Self

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import false_discovery_control

from ontogeny.transitions.detection.changepoints import Passages
from ontogeny.transitions.detection.smoothing import Nulls, Projection, log_likelihood

TRUSTED = 100
FEWEST_ABOVE = 10
"""Simulated values above the observed one from which on they are counted instead of extrapolated."""
NO_STEP = -1
NEGLIGIBLE = 1e-6
"""A passage of which the free part leaves a smaller share repeats the free part and is not tested."""


@dataclass(frozen=True)
class Whitened:
    """All passages in the coordinates in which each of K nulls is white noise.

    Passages are mixtures of sharp steps, so only the N whitened steps are stored.

    Attributes:
        steps: the whitened sharp steps, one at every checkpoint.
        squares: the sum of squares of each whitened passage.
    """

    nulls: Nulls
    passages: Passages
    steps: Float[np.ndarray, "K N N"]
    squares: Float[np.ndarray, "K T"]

    @classmethod
    def of(cls, nulls: Nulls, passages: Passages) -> Self:
        # A step is the sum of the unit vectors from its checkpoint on.
        steps = np.ascontiguousarray(nulls.whiteners[:, :, ::-1].cumsum(axis=2)[:, :, ::-1])
        shapes = (passages.mixtures @ np.ascontiguousarray(own.T) for own in steps)
        return cls(nulls, passages, steps, np.stack([np.einsum("tn,tn->t", own, own) for own in shapes]))

    def among(self, chosen: Int[np.ndarray, " C"]) -> "Whitened":
        """Return the passages in the coordinates of some of the nulls."""
        return Whitened(self.nulls.among(chosen), self.passages, self.steps[chosen], self.squares[chosen])

    def beside(self, free: Float[np.ndarray, "N P"], relaxation: Float[np.ndarray, "N R"] | None = None) -> "Alternatives":
        """Return the passages as alternatives to the nulls with a free part, and with a relaxation where one is given."""
        extra = free[:, :0] if relaxation is None else relaxation
        projection = self.nulls.without(free, extra)
        products = (self.steps.transpose(0, 2, 1) @ projection.bases).transpose(1, 0, 2)
        along = self.passages.mixtures @ np.ascontiguousarray(products).reshape(len(free), -1)
        own = self.squares - np.sum(along.reshape(-1, *products.shape[1:]) ** 2, axis=2).T
        usable = own > NEGLIGIBLE * self.squares
        scales = np.where(usable, 1 / np.sqrt(np.where(usable, own, 1)), 0)
        return Alternatives(self, projection, scales, len(free) - free.shape[1], extra)


@dataclass(frozen=True)
class Alternatives:
    """The passages as alternatives to K nulls with a free part, which both sides fit freely.

    Attributes:
        projection: what takes the free part off.
        scales: 1 over the length of what the free part leaves of each whitened passage; 0 where nearly nothing is left.
        freedom: the degrees of freedom that the free part leaves; a relaxation, whose unit is that of the noise, takes none.
        relaxation: the column of the relaxation; none where nothing relaxes.
    """

    whitened: Whitened
    projection: Projection
    scales: Float[np.ndarray, "K T"]
    freedom: int
    relaxation: Float[np.ndarray, "N R"]

    @property
    def noise(self) -> Int[np.ndarray, " K"]:
        """Return the index of the noise of each null."""
        return self.whitened.nulls.noise

    def among(self, chosen: Int[np.ndarray, " C"]) -> "Alternatives":
        """Return the alternatives to some of the nulls."""
        bases, determinants, amplitudes = (
            part[chosen] for part in (self.projection.bases, self.projection.determinants, self.projection.amplitudes)
        )
        projection = Projection(bases, determinants, amplitudes)
        return replace(self, whitened=self.whitened.among(chosen), projection=projection, scales=self.scales[chosen])

    def residuals(self, columns: Float[np.ndarray, "N B"]) -> Float[np.ndarray, "K N B"]:
        """Return what the free part leaves of columns, whitened."""
        return self.projection.residuals(self.whitened.nulls.whitened(columns))

    def signed_roots(self, left: Float[np.ndarray, "K N B"], null: int) -> Float[np.ndarray, "T B"]:
        """Return the root of what each passage takes off the sum of squares of residuals, with the sign of its change."""
        products = self.whitened.passages.mixtures @ (self.whitened.steps[null].T @ left[null])
        return products * self.scales[null][:, None]

    def log_likelihood(
        self, squares: Float[np.ndarray, "K B"], smallest_variance: float
    ) -> tuple[Float[np.ndarray, "K B"], Float[np.ndarray, "K B"]]:
        """Return the log likelihood of sums of squares of residuals, and the factor of the covariance."""
        return log_likelihood(squares, self.projection.determinants[:, None], self.freedom, smallest_variance)

    @cached_property
    def gram(self) -> Float[np.ndarray, "K N N"]:
        """Return the inner products of what the free part leaves of the whitened steps."""
        left = self.projection.residuals(self.whitened.steps)
        return left.transpose(0, 2, 1) @ left

    def with_passage(self, columns: Float[np.ndarray, "N B"], smallest_variance: float) -> "Fits":
        """Return how well the nulls fit each column, alone and with the best passage."""
        left = self.residuals(columns)
        squares = np.einsum("knb,knb->kb", left, left)
        best = [best_passages(self.signed_roots(left, null)) for null in range(len(left))]
        passage, root = (np.stack(part) for part in zip(*best, strict=True))
        without, null_variance = self.log_likelihood(squares, smallest_variance)
        likelihood, variance = self.log_likelihood(np.maximum(squares - root**2, 0), smallest_variance)
        change = root * np.take_along_axis(self.scales, passage, axis=1)
        return Fits(without, null_variance, likelihood, variance, passage, change)


@dataclass(frozen=True)
class Fits:
    """How well A nulls fit each of B columns.

    Attributes:
        without: the log likelihood without a passage.
        null_variance: the factor of the covariance then.
        likelihood: the log likelihood with the best passage.
        variance: the factor of the covariance then.
        passage: the index of the best passage.
        change: its size.
    """

    without: Float[np.ndarray, "A B"]
    null_variance: Float[np.ndarray, "A B"]
    likelihood: Float[np.ndarray, "A B"]
    variance: Float[np.ndarray, "A B"]
    passage: Int[np.ndarray, "A B"]
    change: Float[np.ndarray, "A B"]


@dataclass(frozen=True)
class Scan:
    """The most likely passage of each of B curves, against a smooth trend.

    Attributes:
        statistic: the log likelihood gained by adding the passage, each side at its own best hyperparameters.
        raw: the same, whatever else the passage lacks.
        passage: its index.
        change: its size.
        without: the log likelihood without it.
        behind: the log likelihood by which each alternative is worse than the best, with the passage or without, where it is
            less so.
        worse: the log likelihood by which the null of each alternative is worse than the best of them.
        null_variance: the factor of the covariance of the null of each alternative.
        chosen: the index of the alternative chosen with the passage.
        noise: the index of its noise.
        variance: the factor of the covariance chosen with it.
        together: several passages of each curve in place of the most likely one; empty where the one is enough.
    """

    statistic: Float[np.ndarray, " B"]
    raw: Float[np.ndarray, " B"]
    passage: Int[np.ndarray, " B"]
    change: Float[np.ndarray, " B"]
    without: Float[np.ndarray, " B"]
    behind: Float[np.ndarray, "A B"]
    worse: Float[np.ndarray, "A B"]
    null_variance: Float[np.ndarray, "A B"]
    chosen: Int[np.ndarray, " B"]
    noise: Int[np.ndarray, " B"]
    variance: Float[np.ndarray, " B"]
    together: Sequence[Sequence[int]] = ()

    def of(self, members: Int[np.ndarray, " M"]) -> "Scan":
        """Return the scan of some of the curves."""
        parts = {part.name: getattr(self, part.name)[..., members] for part in fields(self) if part.name != "together"}
        return Scan(**parts)


def scan(columns: Float[np.ndarray, "N B"], alternatives: Sequence[Alternatives], smallest_variance: float) -> Scan:
    """Compare a smooth trend with a smooth trend and one passage, over all covariances and passages."""
    every = [own.with_passage(columns, smallest_variance) for own in alternatives]
    fits = Fits(*(np.concatenate([getattr(own, part.name) for own in every]) for part in fields(Fits)))
    index, best = np.arange(columns.shape[1]), fits.likelihood.argmax(axis=0)
    likeliest = fits.without.max(axis=0)
    gained = fits.likelihood[best, index] - likeliest
    worse = likeliest - fits.without
    return Scan(
        gained,
        gained,
        fits.passage[best, index],
        fits.change[best, index],
        likeliest,
        np.minimum(worse, fits.likelihood[best, index] - fits.likelihood),
        worse,
        fits.null_variance,
        best,
        np.concatenate([own.noise for own in alternatives])[best],
        fits.variance[best, index],
    )


def best_passages(roots: Float[np.ndarray, "T B"]) -> tuple[Int[np.ndarray, " B"], Float[np.ndarray, " B"]]:
    """Return the passage that takes most off the sum of squares of each column, and the signed root of how much it takes."""
    best = np.abs(roots).argmax(axis=0)
    return best, roots[best, np.arange(roots.shape[1])]


def likelihood_together(
    columns: Float[np.ndarray, "N B"],
    alternatives: Sequence[Alternatives],
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
    curves = np.arange(len(members))[:, None]
    for own in alternatives:
        left = own.residuals(columns)
        along = own.whitened.steps.transpose(0, 2, 1) @ left
        right = np.where(used[:, :, None], along[:, members, curves][..., None], 0)
        products = np.where(pairs, own.gram[:, members[:, :, None], members[:, None, :]], alone)
        gain = np.sum(right * np.linalg.solve(products, right), axis=(2, 3))
        squares = np.maximum(np.einsum("knb,knb->kb", left, left) - gain, 0)
        best = np.maximum(best, own.log_likelihood(squares, smallest_variance)[0].max(axis=0))
    return best


def simulate(
    generator: np.random.Generator, factor: Float[np.ndarray, "N N"], variance: float, draws: int
) -> Float[np.ndarray, "N draws"]:
    """Return curves without a transition; their free part is zero, because the scan does not depend on it."""
    return np.sqrt(variance) * factor @ generator.standard_normal((len(factor), draws))


def simulate_trend(generator: np.random.Generator, nulls: Nulls, null: int, draws: int) -> Float[np.ndarray, "N draws"]:
    """Return the smooth trends of curves without a transition."""
    if not nulls.weights[null]:
        return np.zeros((nulls.factors.shape[1], draws))
    shares, vectors = np.linalg.eigh(nulls.trends[nulls.trend[null]])
    large = shares > 1e-9 * shares[-1]
    factor = vectors[:, large] * np.sqrt(nulls.weights[null] * shares[large])
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
