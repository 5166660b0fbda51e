"""What λ̂ ought to be at finite nβ, γ, step and batch: closed forms, quadrature, and Gibbs sampling without a step size."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.special import digamma, gamma

Answer = Callable[[float, np.ndarray], float]
"""(ε, numbers of steps taken before each kept draw) -> E λ̂."""


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


def product(layers: Sequence[Any]) -> Any:
    """W_L ⋯ W_1 of layers listed from the first, multiplied from the narrower end."""
    ordered = list(layers)
    if ordered[0].shape[-1] < ordered[-1].shape[-2]:
        result = ordered[0]
        for layer in ordered[1:]:
            result = layer @ result
        return result
    result = ordered[-1]
    for layer in reversed(ordered[:-1]):
        result = result @ layer
    return result


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


def gibbs_energy(
    layers: Sequence[Any], n_beta: float, localization: float, *, sweeps: int, burn_in: int, chains: int = 8, seed: int = 0
) -> tuple[float, float]:
    """(E nβ|W_L ⋯ W_1 - T|²/2, its error) under the local posterior around `layers`, whose product is T.

    Given the others a layer is Gaussian: with A the product of those after it and B of those before, its precision is
    nβ AᵀA ⊗ BBᵀ + γ, diagonal in the eigenvectors of AᵀA and BBᵀ. Each is drawn in turn, without a step size. The error
    is that of the chains' means.
    """
    rng = np.random.default_rng(seed)
    center = [np.asarray(layer, float) for layer in layers]
    target = product(center)
    state = [np.repeat(layer[None], chains, axis=0) for layer in center]
    energies = []
    for sweep in range(sweeps):
        for place, middle in enumerate(center):
            after, before = around(state, place)
            right, across = np.linalg.eigh(before @ before.swapaxes(1, 2))
            left, down = np.linalg.eigh(after.swapaxes(1, 2) @ after)
            precision = n_beta * np.maximum(left, 0)[:, :, None] * np.maximum(right, 0)[:, None, :] + localization
            pulled = n_beta * after.swapaxes(1, 2) @ target @ before.swapaxes(1, 2) + localization * middle
            mean = down.swapaxes(1, 2) @ pulled @ across / precision
            drawn = mean + rng.standard_normal(mean.shape) / np.sqrt(precision)
            state[place] = down @ drawn @ across.swapaxes(1, 2)
        if sweep >= burn_in:
            energies.append(n_beta / 2 * np.sum((product(state) - target) ** 2, axis=(1, 2)))
    means = np.mean(energies, axis=0)
    return float(means.mean()), float(means.std(ddof=1) / np.sqrt(chains))


def around(layers: Sequence[np.ndarray], place: int) -> tuple[np.ndarray, np.ndarray]:
    """The products of the layers after and before one, [chains, …]; identities where there are none."""
    chains, rows, columns = layers[place].shape
    after = product(layers[place + 1 :]) if place + 1 < len(layers) else np.broadcast_to(np.eye(rows), (chains, rows, rows))
    before = product(layers[:place]) if place else np.broadcast_to(np.eye(columns), (chains, columns, columns))
    return after, before
