"""The rows of `python -m benchmarks.accuracy`: local posteriors, how they are sampled, and what λ̂ ought to be."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import combinations_with_replacement, pairwise
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from scipy.linalg import qr

import ontogeny
from benchmarks.accuracy_answers import (
    Answer,
    crossing,
    gibbs_energy,
    product,
    product_of_three,
    product_spectrum,
    quadratic_answer,
    regression_answer,
    two_layers_at_zero,
)
from ontogeny.models.superposition import polygon
from ontogeny.tasks.sparse_features import population_loss
from ontogeny.theory.linear_networks import aoyagi

N_BETA = 1000 / np.log(1000)

Claim = Literal["exact", "posterior", "Hessian", "Gibbs", "NUTS"]
Expectation = Callable[[], tuple[float, float]]
"""-> λ̂ under the local posterior itself, which no step or batch enters, and the error it is known to."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A local posterior, how it is sampled, and what λ̂ ought to be.

    Attributes:
        posterior: λ̂ under the local posterior; `claim` says how it is known.
        answer: λ̂ of chains of a finite step, where that is known too; what estimates are then compared with.
        limit: λ.
        extrapolate: whether estimates are extrapolated to ε = 0.
    """

    name: str
    loss: Callable[[Any, Any], Any] = field(repr=False)
    checkpoint: Any = field(repr=False)
    posterior: Expectation = field(repr=False)
    answer: Answer | None = field(default=None, repr=False)
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
    extrapolate: bool = False
    control_variates: bool = False

    @property
    def parameters(self) -> int:
        return sum(leaf.size for leaf in jax.tree.leaves(self.checkpoint))

    def expected(self) -> tuple[float, float]:
        """What the mean of the estimates ought to be at the row's step, and the error it is known to."""
        if self.answer is None:
            return self.posterior()
        times = np.arange(self.burn_in, self.burn_in + self.draws)
        whole = self.answer(self.step_size, times)
        return (2 * self.answer(self.step_size / 2, times) - whole if self.extrapolate else whole), 0.0


def known(value: float) -> Expectation:
    return lambda: (value, 0.0)


def gaussian(h: Any, n_beta: float, localization: float) -> Expectation:
    """Σ nβ h / 2 / (nβ h + γ)."""
    stiffness = n_beta * np.atleast_1d(np.asarray(h, float))
    return known(float(np.sum(stiffness / 2 / (stiffness + localization))))


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
            posterior=gaussian(h[free], N_BETA, localization),
            claim="exact",
            limit=free.sum() / 2,
            step_size=float(stiffness / (N_BETA * h[free].max() + localization)),
            localization=localization,
            draws=10_000,
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
            posterior=gaussian(h, N_BETA, 1.0),
            claim="exact",
            limit=4.0,
            step_size=step_size,
            draws=10_000,
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
        "draws": 10_000,
    }
    spectrum = np.linalg.eigvalsh(inputs.T @ inputs / 500)
    common["posterior"] = gaussian(spectrum, n_beta, 1.0)
    yield Row(name="linear regression, full batch", answer=quadratic_answer(spectrum, n_beta, 1.0), **common)
    answer = regression_answer(inputs, targets - inputs @ solution, n_beta, 1.0, 50)
    yield Row(name="linear regression, batch 50 of 500", answer=answer, batch_size=50, **common)


def crossings() -> Iterator[Row]:
    """R2 on R² with γ = 1: K = 4 w1^{2 k1} w2^{2 k2}. (0, 1) is a quadratic."""
    steps = {(0, 1): 1e-4, (0, 2): 3e-4, (0, 3): 3e-4, (1, 1): 3e-5, (1, 2): 3e-5, (1, 3): 1e-4}
    for k1, k2 in list(combinations_with_replacement(range(4), 2))[1:]:
        quadratic = (k1, k2) == (0, 1)
        yield Row(
            name=f"crossing ({k1}, {k2})",
            loss=lambda w, batch, k1=k1, k2=k2: 4 * w[0] ** (2 * k1) * w[1] ** (2 * k2),
            checkpoint=jnp.zeros(2),
            answer=quadratic_answer(8.0, N_BETA, 1.0) if quadratic else None,
            posterior=gaussian(8.0, N_BETA, 1.0) if quadratic else known(crossing(k1, k2, 4 * N_BETA, 1.0)),
            claim="exact" if quadratic else "posterior",
            limit=min(1 / (2 * k) for k in (k1, k2) if k),
            step_size=steps.get((k1, k2), 1e-4),
            chains=32,
            draws=160_000 if k1 else 20_000,
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
            answer=quadratic_answer(2.0, n_beta, 2.0) if k == 1 else None,
            posterior=gaussian(2.0, n_beta, 2.0) if k == 1 else known(crossing(0, k, n_beta, 2.0)),
            claim="exact" if k == 1 else "posterior",
            limit=1 / (2 * k),
            step_size=step_size,
            n_beta=n_beta,
            localization=2.0,
            chains=32,
            draws=25_000,
            burn_in=4000,
        )


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
            posterior=gaussian(h, n_beta, localization),
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
    """R4 where every layer and the product have the same rank, below full: λ is Aoyagi's, what chains see is finite nβ."""
    at_zero: dict[tuple[int, ...], Callable[[float, float], float]] = {
        (2, 1, 3): partial(two_layers_at_zero, (2, 1, 3)),
        (2, 2, 2): partial(two_layers_at_zero, (2, 2, 2)),
        (4, 2, 3): partial(two_layers_at_zero, (4, 2, 3)),
        (1, 1, 1, 1): product_of_three,
    }
    for widths, expectation in at_zero.items():
        layers = layers_of_rank(widths, 0, seed=0)
        yield Row(
            name=f"linear network {'-'.join(map(str, widths))}, rank 0",
            loss=matching(product(layers)),
            checkpoint=layers,
            posterior=known(expectation(100.0, 1.0)),
            claim="posterior",
            limit=aoyagi(widths, 0)[0],
            step_size=1e-4,
            n_beta=100.0,
            chains=32,
            draws=120_000 if len(widths) > 3 else 30_000,
            burn_in=20_000,
        )
    cases = [
        ((2, 2, 2), 1), ((3, 2, 3), 1), ((3, 3, 3, 3), 1), ((3, 3, 3, 3), 2),
        ((10, 10, 10), 5), ((22, 22, 22), 8), ((70, 70, 70), 20), ((220, 220, 220), 40),
    ]  # fmt: skip
    for widths, rank in cases:
        layers = layers_of_rank(widths, rank, seed=rank)
        size = sum(layer.size for layer in layers)
        # Weights wander by a few √(width/γ), which multiplies the curvature: this keeps it below a few times that at w*.
        n_beta, localization = 1e4 if size > 5000 else 1e3, 4.0 * max(widths)
        small, large = size < 100, size > 5000
        sweeps = 400 if large else 4000
        step_size = 0.1 / (n_beta * (len(widths) - 1))
        yield Row(
            name=f"linear network {'-'.join(map(str, widths))}, rank {rank}",
            loss=matching(product(layers)),
            checkpoint=layers,
            posterior=cache(partial(gibbs_energy, layers, n_beta, localization, sweeps=sweeps, burn_in=sweeps // 4)),
            claim="Gibbs",
            limit=aoyagi(widths, rank)[0],
            step_size=step_size,
            n_beta=n_beta,
            localization=localization,
            chains=4 if large else 8,
            draws=40_000 if small else 2000 if large else 10_000,
            # Five times what the flattest directions take to settle, 2 / (ε γ).
            burn_in=round(10 / (step_size * localization)),
            seeds=3 if size > 50_000 else 20,
            extrapolate=True,
        )


def superposition_loss(parameters: Any, batch: Any) -> Any:
    return population_loss(parameters["weight"], parameters["bias"])


def superpositions() -> Iterator[Row]:
    """The population loss at k-gons of six features (Chen et al. 2023), γ = 10, at the nβ = n / log n of the stated n."""
    cases = {"5-gon": (5, -5.0, 500_000, 7.0), "5+-gon": (5, 1 / 12, 50_000, 8.5), "6-gon": (6, 0.0, 50_000, 8.5)}
    for name, (k, dead_bias, n, lambda_) in cases.items():
        weight, bias = polygon(k, 6, dead_bias)
        checkpoint = {"weight": weight.astype(jnp.float32), "bias": bias.astype(jnp.float32)}
        n_beta = n / np.log(n)
        stiffest = n_beta * spectrum(superposition_loss, checkpoint).max() + 10
        yield Row(
            name=f"superposition, {name}, n {n}",
            loss=superposition_loss,
            checkpoint=checkpoint,
            posterior=cache(partial(by_nuts, superposition_loss, checkpoint, n_beta, 10.0, float(stiffest))),
            claim="NUTS",
            limit=lambda_,
            step_size=float(0.05 / stiffest),
            n_beta=n_beta,
            localization=10.0,
            draws=40_000,
            burn_in=10_000,
        )


def by_nuts(loss: Any, checkpoint: Any, n_beta: float, localization: float, stiffest: float) -> tuple[float, float]:
    """λ̂ and its error by NUTS, whose leapfrog steps start at a standard deviation of the stiffest direction."""
    found = ontogeny.estimate_llc(
        loss,
        jax.tree.map(lambda leaf: leaf[None], checkpoint),
        key=jax.random.key(7),
        sampler=ontogeny.NUTS(step_size=stiffest**-0.5),
        inverse_temperature=n_beta,
        localization=localization,
        chains=16,
        draws=2000,
        burn_in=200,
    )
    assert found.verdict == ["ok"], found.verdict
    return float(found.mean[0]), float(found.standard_error[0])


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
