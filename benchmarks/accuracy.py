"""`python -m benchmarks.accuracy`: λ̂ beside the value it ought to have, and whether its error bar covers it.

Every row is a local posterior p(w) ∝ exp(-nβ L(w) - (γ/2)|w - w*|²) sampled by SGLD from many seeds, once with a step size
set by hand and once with `step_size="auto"`. What λ̂ is compared with is one of

- exact: the expectation at the row's own nβ, γ and, on quadratics, its own ε, batch and number of steps;
- posterior: the exact expectation under the local posterior, to which the step adds a bias of its own that is not known;
- Hessian: the quadratic answer with the spectrum of the Hessian at w*, right to leading order in 1/nβ;
- limit: λ itself, from which λ̂ differs at every finite nβ. Nothing is claimed about coverage there.
"""

import argparse
import json
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import combinations, combinations_with_replacement, pairwise
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from scipy.linalg import qr
from scipy.special import digamma, gamma
from scipy.stats import binom, norm

import ontogeny
from ontogeny.models.superposition import polygon
from ontogeny.tasks.sparse_features import population_loss

PAGE = Path(__file__).parents[1] / "docs" / "accuracy.md"
N_BETA = 1000 / np.log(1000)
LEVELS = (0.95, 0.997)
Answer = Callable[[float, np.ndarray], float]
"""(ε, numbers of steps taken before each kept draw) -> E λ̂."""


# Exact answers


def quadratic_answer(h: Any, n_beta: float, localization: float, noise: Any = 0.0) -> Answer:
    """E λ̂ of SGLD on ½ Σ h_i w_i² from w = 0, where minibatch gradients have variance `noise` (s²/b) along each axis.

    w_i is a first-order autoregression with coefficient 1 - ε a_i / 2, a_i = nβ h_i + γ, so its variance is known at every
    step; with the full batch its limit is 1 / (a_i (1 - ε a_i / 4)).
    """
    h = np.atleast_1d(np.asarray(h, float))

    def answer(step_size: float, times: np.ndarray) -> float:
        kept = 1 - step_size * (n_beta * h + localization) / 2
        injected = step_size + (step_size * n_beta / 2) ** 2 * noise
        grown = np.array([mean_of_powers(coefficient**2, times) for coefficient in kept])
        return float(np.sum(n_beta * h / 2 * injected / (1 - kept**2) * (1 - grown)))

    return answer


def mean_of_powers(base: float, times: np.ndarray) -> float:
    return float(np.mean(base ** np.asarray(times, float)))


def regression_answer(inputs: np.ndarray, residuals: np.ndarray, n_beta: float, localization: float, batch: int) -> Answer:
    """E λ̂ of minibatch SGLD on ½ (y - x·w)² around the least-squares solution, once stationary.

    Σ = E[(I - ε A_b/2) Σ (I - ε A_b/2)] + ε I + (ε nβ/2)² Cov(r x)/b, A_b = nβ mean_b(x xᵀ) + γ: linear in Σ, since the
    batch is independent of w and E w = w*. λ̂ = nβ tr(H Σ) / 2.
    """
    examples, d = inputs.shape
    hessian = inputs.T @ inputs / examples
    force = (inputs * residuals[:, None]).T @ (inputs * residuals[:, None]) / examples
    squares = np.einsum("ni,nj->nij", inputs, inputs).reshape(examples, d * d)
    fourth = (squares.T @ squares / examples).reshape(d, d, d, d).transpose(0, 3, 1, 2).reshape(d * d, d * d)

    def answer(step_size: float, times: np.ndarray) -> float:
        drift = np.eye(d) - step_size / 2 * (n_beta * hessian + localization * np.eye(d))
        scale = (step_size * n_beta / 2) ** 2 / batch
        carried = np.kron(drift, drift) + scale * (fourth - np.kron(hessian, hessian))
        added = step_size * np.eye(d) + scale * force
        covariance = np.linalg.solve(np.eye(d * d) - carried, added.ravel()).reshape(d, d)
        return float(n_beta * np.trace(hessian @ covariance) / 2)

    return answer


def crossing_in_a_box(k1: int, k2: int, n_beta: float) -> float:
    """E nβK for nβK = nβ w1^{2 k1} w2^{2 k2} with a flat prior on [-1, 1]², up to exponentially small terms; k2 ≥ 1."""
    if k1 == 0:
        return 1 / (2 * k2)
    first, second = 1 / (2 * k1), 1 / (2 * k2)
    if k1 == k2:
        return float(first - 1 / (np.log(n_beta) - digamma(first)))
    x, y = (gamma(value) * n_beta**-value for value in (first, second))
    return float((first * x - second * y) / (x - y))


def log_grid(points: int, lowest: float, highest: float) -> tuple[np.ndarray, np.ndarray]:
    """x and the weights of the trapezoidal rule in log x, which converges fast where the integrand decays at both ends."""
    u = np.linspace(lowest, highest, points)
    return np.exp(u), np.exp(u) * (u[1] - u[0])


def crossing(k1: int, k2: int, n_beta: float, localization: float, points: int = 1500) -> float:
    """E nβK under exp(-nβ K - (γ/2)|w|²) on R², K = w1^{2 k1} w2^{2 k2}, by quadrature."""
    w, weight = log_grid(points, -45, 4)
    energy = n_beta * np.outer(w ** (2 * k1), w ** (2 * k2))
    gaussian = weight * np.exp(-localization * w**2 / 2)
    density = np.exp(-energy) * np.outer(gaussian, gaussian)
    return float((energy * density).sum() / density.sum())


def two_layers_at_zero(widths: Sequence[int], n_beta: float, localization: float, points: int = 1500) -> float:
    """E nβK under exp(-nβ |BA|²/2 - (γ/2)(|A|² + |B|²)), A of shape [H1, H0], B [H2, H1], H1 = 1 or 2 and at most H0.

    B is integrated out, which leaves det(nβ A Aᵀ + γ)^{-H2/2}; the eigenvalues of A Aᵀ follow the Wishart law times that.
    """
    h0, h1, h2 = widths
    x, weight = log_grid(points, -60, 8)
    log_one = (h0 - h1 - 1) / 2 * np.log(x) - localization * x / 2 - h2 / 2 * np.log(n_beta * x + localization)
    one = weight * np.exp(log_one - log_one.max())
    energy = h2 / 2 * n_beta * x / (n_beta * x + localization)
    if h1 == 1:
        return float((energy * one).sum() / one.sum())
    assert h1 == 2 and h0 >= 2
    density = np.outer(one, one) * np.abs(x[:, None] - x)
    return float(2 * (energy[:, None] * density).sum() / density.sum())


def product_of_three(n_beta: float, localization: float, points: int = 1500) -> float:
    """E nβK under exp(-nβ (w1 w2 w3)²/2 - (γ/2)|w|²): w3 integrated out, the others by quadrature."""
    w, weight = log_grid(points, -45, 4)
    gaussian = weight * np.exp(-localization * w**2 / 2)
    precision = n_beta * np.outer(w, w) ** 2 + localization
    density = np.outer(gaussian, gaussian) / np.sqrt(precision)
    return float(((precision - localization) / precision / 2 * density).sum() / density.sum())


def aoyagi(widths: Sequence[int], rank: int) -> tuple[float, int]:
    """(λ, multiplicity) of a deep linear network whose true product has this rank (Aoyagi 2024, arXiv 2303.15739).

    The least λ over all factorisations; the local one where every layer has that rank too.

    Raises:
        ValueError: the rank does not fit the widths.
    """
    if not 0 <= rank <= min(widths):
        raise ValueError(f"rank: must lie between 0 and the smallest of the widths {tuple(widths)}, got {rank}")
    excess = sorted(width - rank for width in widths)
    for size in range(1, len(excess)):
        inside, rest = excess[: size + 1], excess[size + 1 :]
        total = sum(inside)
        if total >= size * inside[-1] and all(inside[-1] < width and total < size * width for width in rest[:1]):
            break
    else:
        raise AssertionError("one prefix always satisfies the conditions")
    a = total - (-(-total // size) - 1) * size
    shared = sum(x * y for x, y in combinations(inside, 2)) / 2
    ends = (rank * (widths[0] + widths[-1]) - rank**2) / 2
    return ends + a * (size - a) / (4 * size) - (size - 1) * total**2 / (4 * size) + shared, a * (size - a) + 1


# The rows

Step = Literal["hand", "auto"]
Claim = Literal["exact", "posterior", "Hessian", "limit"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A local posterior with the settings that it is sampled at. `answer` is what `claim` says it is, `limit` is λ."""

    name: str
    loss: Callable[[Any, Any], Any] = field(repr=False)
    checkpoint: Any = field(repr=False)
    answer: Answer = field(repr=False)
    claim: Claim
    limit: float
    step_size: float
    data: Any = field(default=None, repr=False)
    mask: Any = field(default=None, repr=False)
    batch_size: int | None = None
    n_beta: float = N_BETA
    localization: float = 1.0
    chains: int = 8
    draws: int = 4000
    burn_in: int = 1000
    seeds: int = 20

    @property
    def parameters(self) -> int:
        return sum(leaf.size for leaf in jax.tree.leaves(self.checkpoint))


def always(value: float) -> Answer:
    return lambda step_size, times: value


def half_sum_of_squares(h: np.ndarray) -> Callable[[Any, Any], Any]:
    spectrum = jnp.asarray(h, jnp.float32)
    return lambda w, batch: 0.5 * jnp.sum(spectrum * w**2)


def quadratics() -> Iterator[Row]:
    """R1: spectra, masks, γ and steps up to the stability limit ε a = 4."""
    cases = {
        "12 directions, εa .2": (12, 1.0, 1.0, 0.2),
        "12 directions, γ 0, εa .2": (12, 1.0, 0.0, 0.2),
        "12 directions, γ 100, εa 1": (12, 1.0, 100.0, 1.0),
        "12 directions, εa 2.5": (12, 1.0, 1.0, 2.5),
        "12 directions, εa 3.8": (12, 1.0, 1.0, 3.8),
        "12 directions, 5 of them free, εa .5": (12, 0.4, 1.0, 0.5),
        "60 directions, spectrum over two decades, εa .2": (60, 1.0, 10.0, 0.2),
    }
    for seed, (name, (d, share, localization, stiffness)) in enumerate(cases.items()):
        rng = np.random.default_rng(seed)
        h = rng.uniform(0.2, 3.0, d) if d == 12 else 3 * 10 ** rng.uniform(-2, 0, d)
        free = np.arange(d) < round(share * d)
        yield Row(
            name=f"quadratic, {name}",
            loss=half_sum_of_squares(h),
            checkpoint=jnp.zeros(d),
            mask=None if free.all() else jnp.asarray(free),
            answer=quadratic_answer(h[free], N_BETA, localization),
            claim="exact",
            limit=free.sum() / 2,
            step_size=float(stiffness / (N_BETA * h[free].max() + localization)),
            localization=localization,
            seeds=200,
        )


def minibatch_quadratics() -> Iterator[Row]:
    """R1b: ½ Σ h_i (w_i - x_i)², whose gradients have variance h_i² Var(x_i) / b."""
    for batch, step_size in ((20, 1e-3), (100, 1e-3), (20, 5e-3)):
        rng = np.random.default_rng(batch)
        h, data = rng.uniform(0.2, 1.5, 8), rng.normal(size=(1000, 8))
        data = (data - data.mean(axis=0)) / data.std(axis=0)
        curvature = jnp.asarray(h, jnp.float32)
        yield Row(
            name=f"quadratic, batch {batch} of 1000, ε {step_size:g}",
            loss=lambda w, batch, h=curvature: 0.5 * jnp.sum(h * (w - batch) ** 2, axis=-1),
            checkpoint=jnp.zeros(8),
            data=jnp.asarray(data, jnp.float32),
            batch_size=batch,
            answer=quadratic_answer(h, N_BETA, 1.0, noise=h**2 / batch),
            claim="exact",
            limit=4.0,
            step_size=step_size,
            seeds=200,
        )


def regressions() -> Iterator[Row]:
    """Regular models, λ = d/2: least squares, whose loss is a quadratic; its minibatches differ in their curvature too."""
    rng = np.random.default_rng(11)
    inputs = rng.normal(size=(500, 6))
    targets = inputs @ rng.normal(size=6) + rng.normal(size=500)
    solution = np.linalg.lstsq(inputs, targets, rcond=None)[0]
    n_beta = 500 / np.log(500)
    data = jax.tree.map(lambda array: jnp.asarray(array, jnp.float32), (inputs, targets))
    common: Any = {
        "loss": lambda w, batch: 0.5 * (batch[1] - batch[0] @ w) ** 2,
        "checkpoint": jnp.asarray(solution, jnp.float32),
        "data": data,
        "claim": "exact",
        "limit": 3.0,
        "n_beta": n_beta,
        "step_size": 1e-3,
    }
    spectrum = np.linalg.eigvalsh(inputs.T @ inputs / 500)
    yield Row(name="linear regression, full batch", answer=quadratic_answer(spectrum, n_beta, 1.0), **common)
    answer = regression_answer(inputs, targets - inputs @ solution, n_beta, 1.0, 50)
    yield Row(name="linear regression, batch 50 of 500", answer=answer, batch_size=50, **common)


def crossings() -> Iterator[Row]:
    """R2 on R² with γ = 1: K = 4 w1^{2 k1} w2^{2 k2}. (0, 1) is a quadratic."""
    steps = {(0, 1): 1e-4, (0, 2): 3e-4, (0, 3): 3e-4, (1, 1): 3e-5, (1, 2): 3e-5, (1, 3): 3e-5}
    for k1, k2 in list(combinations_with_replacement(range(4), 2))[1:]:
        quadratic = (k1, k2) == (0, 1)
        posterior = always(crossing(k1, k2, 4 * N_BETA, 1.0))
        yield Row(
            name=f"crossing ({k1}, {k2})",
            loss=lambda w, batch, k1=k1, k2=k2: 4 * w[0] ** (2 * k1) * w[1] ** (2 * k2),
            checkpoint=jnp.zeros(2),
            answer=quadratic_answer(8.0, N_BETA, 1.0) if quadratic else posterior,
            claim="exact" if quadratic else "posterior",
            limit=min(1 / (2 * k) for k in (k1, k2) if k),
            step_size=steps.get((k1, k2), 1e-4),
            chains=32,
            draws=80_000 if k1 else 10_000,
            burn_in=20_000 if k1 else 5000,
        )


def monomials() -> Iterator[Row]:
    """R3: w^{2k}, γ = 2, nβ = n / log n at n = 1024. The first is a quadratic."""
    n_beta = 1024 / np.log(1024)
    for k, step_size in {1: 1e-4, 2: 3e-4, 3: 5e-4}.items():
        yield Row(
            name=f"monomial w^{2 * k}",
            loss=lambda w, batch, k=k: w[0] ** (2 * k),
            checkpoint=jnp.zeros(1),
            answer=quadratic_answer(2.0, n_beta, 2.0) if k == 1 else always(crossing(0, k, n_beta, 2.0)),
            claim="exact" if k == 1 else "posterior",
            limit=1 / (2 * k),
            step_size=step_size,
            n_beta=n_beta,
            localization=2.0,
            chains=32,
            draws=10_000,
            burn_in=4000,
        )


def product(layers: Sequence[Any]) -> Any:
    """W_L ⋯ W_1 of layers listed from the first, multiplied from the narrower end."""
    ordered = list(layers)
    if ordered[0].shape[1] < ordered[-1].shape[0]:
        result = ordered[0]
        for layer in ordered[1:]:
            result = layer @ result
        return result
    result = ordered[-1]
    for layer in reversed(ordered[:-1]):
        result = result @ layer
    return result


def matching(target: Any) -> Callable[[Any, Any], Any]:
    """½ |W_L ⋯ W_1 - target|², the loss of a noiseless linear network on inputs with covariance I."""
    return lambda layers, batch: 0.5 * jnp.sum((product(layers) - target) ** 2)


def layers_of_rank(widths: Sequence[int], rank: int, seed: int) -> list[Any]:
    """U_l U_{l-1}ᵀ with orthonormal U_l of shape [H_l, rank]: each layer and all products have this rank, singular values 1."""
    rng = np.random.default_rng(seed)
    bases = [np.asarray(qr(rng.normal(size=(width, max(rank, 1))), mode="economic")[0])[:, :rank] for width in widths]
    return [jnp.asarray(after @ before.T, jnp.float32) for before, after in pairwise(bases)]


def orthonormal_layers(widths: Sequence[int], seed: int) -> list[Any]:
    """Layers of full rank with all singular values 1."""
    rng = np.random.default_rng(seed)
    square = [np.linalg.qr(rng.normal(size=(max(pair),) * 2))[0] for pair in pairwise(widths)]
    return [jnp.asarray(q[:rows, :columns], jnp.float32) for q, (columns, rows) in zip(square, pairwise(widths), strict=True)]


def product_spectrum(layers: Sequence[Any]) -> np.ndarray:
    """Eigenvalues of J Jᵀ, J the Jacobian of the product map: those of the Hessian of `matching` at a minimum but for zeros.

    J Jᵀ = Σ_l (A_l A_lᵀ) ⊗ (B_lᵀ B_l), with A_l the product of the layers after l and B_l of those before.
    """
    matrices = [np.asarray(layer, float) for layer in layers]
    after, before = [np.eye(len(matrices[-1]))], [np.eye(matrices[0].shape[1])]
    for layer in reversed(matrices[1:]):
        after.insert(0, after[0] @ layer)
    for layer in matrices[:-1]:
        before.append(layer @ before[-1])
    total = sum(np.kron(a @ a.T, b.T @ b) for a, b in zip(after, before, strict=True))
    return np.linalg.eigvalsh(total)


def smooth_networks() -> Iterator[Row]:
    """R4 at r = min(H): the minima are a smooth fibre, λ = rank(J) / 2."""
    cases = {
        (2, 2, 3): 1e-2,
        (4, 6, 6, 4): 1e-2,
        (10, 25, 25, 10): 1e-2,
        (10, 65, 65, 65, 10): 1e-2,
        (20, 220, 220, 220, 20): 1e-2,
    }
    for widths, size in cases.items():
        layers = orthonormal_layers(widths, seed=len(widths))
        h = product_spectrum(layers)
        h = h[h > 1e-3]
        # Steps along the fibre have variance 1/γ; this keeps a layer's move below a `size` of its norm, and so R1 valid.
        localization = max(widths) / size**2 / 4
        n_beta = 1000 * localization
        large = sum(layer.size for layer in layers) > 50_000
        yield Row(
            name=f"linear network {'-'.join(map(str, widths))}, full rank",
            loss=matching(product(layers)),
            checkpoint=layers,
            answer=quadratic_answer(h, n_beta, localization),
            claim="Hessian",
            limit=len(h) / 2,
            step_size=float(0.1 / (n_beta * h.max() + localization)),
            n_beta=n_beta,
            localization=localization,
            draws=1000 if large else 2000,
            burn_in=300,
            seeds=3 if large else 20,
        )


def singular_networks() -> Iterator[Row]:
    """R4 where every layer and the product have the same rank, below full: λ is Aoyagi's."""
    cases: dict[tuple[tuple[int, ...], int], Callable[[float, float], float] | None] = {
        ((2, 1, 3), 0): partial(two_layers_at_zero, (2, 1, 3)),
        ((2, 2, 2), 0): partial(two_layers_at_zero, (2, 2, 2)),
        ((4, 2, 3), 0): partial(two_layers_at_zero, (4, 2, 3)),
        ((1, 1, 1, 1), 0): product_of_three,
        ((2, 2, 2), 1): None,
        ((3, 2, 3), 1): None,
        ((3, 3, 3, 3), 1): None,
        ((3, 3, 3, 3), 2): None,
        ((10, 10, 10), 5): None,
        ((22, 22, 22), 8): None,
        ((70, 70, 70), 20): None,
        ((220, 220, 220), 40): None,
    }
    for (widths, rank), expectation in cases.items():
        layers = layers_of_rank(widths, rank, seed=rank)
        lambda_, _ = aoyagi(widths, rank)
        exact = expectation is not None
        size = sum(layer.size for layer in layers)
        # Directions that the Hessian leaves flat settle after some √(nβ H) / ε nβ steps: larger networks get a smaller nβ.
        n_beta, localization = (100.0, 1.0) if exact else (1000.0, 1.0) if size < 100 else (1e5, 100.0)
        large = size > 5000
        yield Row(
            name=f"linear network {'-'.join(map(str, widths))}, rank {rank}",
            loss=matching(product(layers)),
            checkpoint=layers,
            answer=always(expectation(n_beta, localization) if expectation else lambda_),
            claim="posterior" if exact else "limit",
            limit=lambda_,
            step_size=1e-4 if exact else 0.1 / (n_beta * (len(widths) - 1)),
            n_beta=n_beta,
            localization=localization,
            chains=32 if exact else 4 if large else 8,
            draws=60_000 if exact else 1000 if large else 10_000,
            burn_in=30_000 if exact else 3000 if large else 5000,
            seeds=3 if size > 50_000 else 20,
        )


def superposition_loss(parameters: Any, batch: Any) -> Any:
    return population_loss(parameters["weight"], parameters["bias"])


def superpositions() -> Iterator[Row]:
    """The population loss at k-gons of six features (Chen et al. 2023), γ = 10, at the nβ = n / log n of the stated n."""
    cases = {"5-gon": (5, -5.0, 500_000, 7.0), "5+-gon": (5, 1 / 12, 50_000, 8.5), "6-gon": (6, 0.0, 50_000, 8.5)}
    for name, (k, dead_bias, n, lambda_) in cases.items():
        weight, bias = polygon(k, 6, dead_bias)
        checkpoint = {"weight": weight.astype(jnp.float32), "bias": bias.astype(jnp.float32)}
        h = spectrum(superposition_loss, checkpoint)
        n_beta = n / np.log(n)
        yield Row(
            name=f"superposition, {name}, n {n}",
            loss=superposition_loss,
            checkpoint=checkpoint,
            answer=quadratic_answer(h, n_beta, 10.0),
            claim="Hessian",
            limit=lambda_,
            step_size=float(0.1 / (n_beta * h.max() + 10)),
            n_beta=n_beta,
            localization=10.0,
            draws=20_000,
            burn_in=5000,
        )


def spectrum(loss: Callable[[Any, Any], Any], checkpoint: Any) -> np.ndarray:
    """Eigenvalues of the Hessian, of at most a few hundred parameters."""
    flat, unflatten = ravel_pytree(checkpoint)
    return np.linalg.eigvalsh(np.asarray(jax.hessian(lambda position: loss(unflatten(position), None))(flat), float))


FAMILIES: tuple[Callable[[], Iterator[Row]], ...] = (
    quadratics,
    minibatch_quadratics,
    regressions,
    crossings,
    monomials,
    smooth_networks,
    singular_networks,
    superpositions,
)


# Measuring


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What all seeds of a row came to. Errors are in units of λ̂; `inside` counts seeds by kind of interval."""

    name: str
    step: Step
    step_size: float
    burn_in: int
    claim: Claim
    parameters: int
    limit: float
    expected: float
    mean: float
    bias: float
    bias_error: float
    standard_error: float
    root_mean_square_error: float
    within: tuple[float, float, float]
    seeds: int
    inside: dict[str, tuple[int, ...]]
    dead_chains: int
    verdicts: dict[str, int]
    seconds: float


def at_first(interval: tuple[np.ndarray, np.ndarray]) -> tuple[float, float]:
    """The interval at the one checkpoint of a row."""
    return float(interval[0][0]), float(interval[1][0])


def normal_interval(mean: float, standard_error: float, level: float) -> tuple[float, float]:
    """The interval from `Estimate.standard_error`, taken for the deviation of a normal law."""
    half = float(norm.ppf((1 + level) / 2)) * standard_error
    return mean - half, mean + half


def calibrated(row: Row) -> Row:
    """The row with the step size and the burn-in that `calibrate` chooses."""
    found = ontogeny.calibrate(
        row.loss,
        stacked(row.checkpoint),
        row.data,
        key=jax.random.key(1_000_003),
        sampler=ontogeny.SGLD(step_size="auto"),
        inverse_temperature=row.n_beta,
        localization=row.localization,
        batch_size=row.batch_size,
        mask=row.mask,
    )
    return replace(row, step_size=found.sampler.step_size, burn_in=found.burn_in)


def stacked(checkpoint: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf[None], checkpoint)


def key_of(row: Row, step: str, seed: int) -> Any:
    """Rows share no random numbers, so that their coverages are independent and may be pooled."""
    return jax.random.fold_in(jax.random.key(seed), zlib.crc32(f"{row.name}, {step}".encode()))


def estimate(row: Row, key: Any) -> ontogeny.Estimate:
    return ontogeny.estimate_llc(
        row.loss,
        stacked(row.checkpoint),
        row.data,
        key=key,
        sampler=ontogeny.SGLD(step_size=row.step_size),
        inverse_temperature=row.n_beta,
        localization=row.localization,
        chains=row.chains,
        draws=row.draws,
        burn_in=row.burn_in,
        batch_size=row.batch_size,
        mask=row.mask,
    )


def measure(row: Row, step: Step, seeds: int) -> Measured:
    """All seeds of a row, through one compiled program: only the key differs between them."""
    start = time.perf_counter()
    row = calibrated(row) if step == "auto" else row
    expected = row.answer(row.step_size, np.arange(row.burn_in, row.burn_in + row.draws))
    estimates = [estimate(row, key_of(row, step, seed)) for seed in range(seeds)]
    means, errors = (np.array([getattr(one, name)[0] for one in estimates]) for name in ("mean", "standard_error"))
    deviations = means - expected
    intervals = {
        "t": [[at_first(one.interval(level)) for one in estimates] for level in LEVELS],
        "normal": [[normal_interval(*pair, level) for pair in zip(means, errors, strict=True)] for level in LEVELS],
    }
    verdicts = [one.verdict[0] for one in estimates]
    return Measured(
        name=row.name,
        step=step,
        step_size=row.step_size,
        burn_in=row.burn_in,
        claim=row.claim,
        parameters=row.parameters,
        limit=float(row.limit),
        expected=expected,
        mean=float(means.mean()),
        bias=float(deviations.mean()),
        bias_error=float(means.std(ddof=1) / np.sqrt(seeds)) if seeds > 1 else float("nan"),
        standard_error=float(errors.mean()),
        root_mean_square_error=float(np.sqrt(np.mean(deviations**2))),
        within=tuple(float(np.mean(np.abs(deviations) <= count * errors)) for count in (1, 2, 3)),  # pyright: ignore
        seeds=seeds,
        inside={kind: tuple(covering(some, expected) for some in levels) for kind, levels in intervals.items()},
        dead_chains=int(sum(one.dead_chains[0] for one in estimates)),
        verdicts={verdict: verdicts.count(verdict) for verdict in sorted(set(verdicts))},
        seconds=time.perf_counter() - start,
    )


def covering(intervals: Sequence[tuple[float, float]], value: float) -> int:
    return sum(bool(low <= value <= high) for low, high in intervals)


# The table


def band(seeds: int, level: float) -> tuple[int, int]:
    """Where 99% of counts lie if every interval covers with probability `level`."""
    low, high = binom.interval(0.99, seeds, level)
    return int(low), int(high)


def pooled(measured: Sequence[Measured]) -> list[dict[str, Any]]:
    """Coverage over all seeds of the rows, by what they claim, the way the step was set and the kind of interval."""
    rows = []
    for claims in (("exact",), ("posterior",), ("Hessian",)):
        for step in ("hand", "auto"):
            chosen = [one for one in measured if one.claim in claims and one.step == step]
            seeds = sum(one.seeds for one in chosen)
            if not seeds:
                continue
            for kind in ("t", "normal"):
                for place, level in enumerate(LEVELS):
                    count, (low, high) = sum(one.inside[kind][place] for one in chosen), band(seeds, level)
                    told = {"claim": ", ".join(claims), "step": step, "interval": kind, "level": level, "seeds": seeds}
                    rows.append({**told, "inside": count, "low": low, "high": high, "holds": low <= count <= high})
    return rows


HEADER = (
    "row", "compared with", "step", "ε", "d", "λ", "expected", "mean", "bias", "± of bias", "error", "RMSE",
    "in 1", "in 2", "in 3", "t 95", "t 99.7", "seeds", "dead", "not ok", "s",
)  # fmt: skip


def cells(one: Measured) -> list[str]:
    """A line of the table; bias, errors and RMSE in percent of the expected value. No coverage where nothing is claimed."""
    share = [f"{100 * value:.0f}" for value in (*one.within, *(count / one.seeds for count in one.inside["t"]))]
    parts = (one.bias, one.bias_error, one.standard_error, one.root_mean_square_error)
    percent = [f"{100 * value / one.expected:.2f}" for value in parts]
    return [
        one.name, one.claim, one.step, f"{one.step_size:.2g}", str(one.parameters), f"{one.limit:.4g}", f"{one.expected:.4g}",
        f"{one.mean:.4g}", *percent, *(["-"] * 5 if one.claim == "limit" else share), str(one.seeds), str(one.dead_chains),
        str(one.seeds - one.verdicts.get("ok", 0)), f"{one.seconds:.0f}",
    ]  # fmt: skip


def markdown(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = ["---"] * len(header)
    return "\n".join("| " + " | ".join(line) + " |" for line in (header, rule, *lines))


def page(measured: Sequence[Measured], command: str) -> str:
    """docs/accuracy.md."""
    bands = [
        [one["claim"], one["step"], one["interval"], f"{one['level']:.1%}", f"{one['inside']} of {one['seeds']}",
         f"{one['low']} to {one['high']}", "yes" if one["holds"] else "no"]
        for one in pooled(measured)
    ]  # fmt: skip
    seconds = sum(one.seconds for one in measured)
    return (
        "# λ̂ beside exact answers\n\n"
        f"Written by `{command}` in {seconds / 60:.0f} minutes. Bias, its own uncertainty, the mean standard error and the\n"
        "root-mean-square error are in percent of the expected value; the columns `in 1, 2, 3` and `t` hold the percentage of\n"
        "seeds whose interval covers it; `not ok` counts seeds whose verdict is not `ok`.\n\n"
        "What λ̂ is compared with: `exact`, the expectation at its own nβ, γ, ε, batch and steps; `posterior`, the expectation\n"
        "under the local posterior, the bias of the step not included; `Hessian`, the quadratic answer with the Hessian's\n"
        "spectrum, which holds to leading order; `limit`, λ itself, which finite nβ differs from.\n\n"
        f"{markdown(HEADER, [cells(one) for one in measured])}\n\n"
        "## Pooled coverage\n\n"
        "`t`: from the chains' means, with one degree of freedom less than chains. `normal`: from `Estimate.standard_error`.\n\n"
        f"{markdown(('compared with', 'step', 'interval', 'level', 'inside', 'band of 99%', 'holds'), bands)}\n"
    )


QUICK_SEEDS = {200: 20, 20: 4, 3: 0}


def selected(only: str, quick: bool, seeds: int | None, steps: Sequence[Step]) -> Iterator[tuple[Row, Step, int]]:
    """The rows whose names contain `only`, each with its ways to set the step and its number of seeds.

    `quick` keeps every third row of a family, and calibrates the first alone: calibrating compiles five programs.
    """
    for family in FAMILIES:
        for place, row in enumerate(family()):
            count = seeds or (QUICK_SEEDS[row.seeds] if quick else row.seeds)
            if only in row.name and count and not (quick and place % 3):
                for step in steps:
                    if not (quick and place and step == "auto"):
                        yield row, step, count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--seeds", type=int, help="of every row; 200 on quadratics, 20 on others and 3 at 1e5 parameters if not given"
    )
    parser.add_argument("--quick", action="store_true", help="every third row of a family, a tenth of the seeds")
    parser.add_argument("--only", default="", metavar="PATTERN", help="rows whose names contain this")
    parser.add_argument("--steps", nargs="+", choices=("hand", "auto"), default=("hand", "auto"))
    parser.add_argument("--output", type=Path, help="write the results here as JSON, after every row")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.parent.name}/{PAGE.name}")
    arguments = parser.parse_args()
    measured: list[Measured] = []
    print(" ".join(HEADER))
    for row, step, seeds in selected(arguments.only, arguments.quick, arguments.seeds, arguments.steps):
        measured.append(measure(row, step, seeds))
        print("  ".join(cells(measured[-1])), flush=True)
        if arguments.output:
            arguments.output.write_text(json.dumps([vars(one) for one in measured], indent=2) + "\n")
    for one in pooled(measured):
        print(one)
    if arguments.write:
        PAGE.write_text(page(measured, "python -m benchmarks.accuracy" + (" --quick" if arguments.quick else "")))


if __name__ == "__main__":
    main()
