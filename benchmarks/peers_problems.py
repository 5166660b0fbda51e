"""The rows of `python -m benchmarks.peers`: losses whose local posterior is known, and the settings of both programs."""

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.integrate import dblquad

N = 1000
INVERSE_TEMPERATURE = N / math.log(N)
CHAINS, DRAWS, BURN_IN = 4, 675, 25
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A loss, its data, its w*, the settings, and the truth."""

    name: str
    loss: str
    parameters: Arrays
    data: Arrays
    truth: float
    step_size: float
    localization: float = 1.0
    batch_size: int | None = None
    noisy: bool = True

    @cached_property
    def settings(self) -> dict[str, Any]:
        return {
            "step_size": self.step_size,
            "inverse_temperature": INVERSE_TEMPERATURE,
            "localization": self.localization,
            "chains": CHAINS,
            "draws": DRAWS,
            "burn_in": BURN_IN,
        }

    @cached_property
    def stream(self) -> int:
        """Where the seeds of this row start: rows do not share random numbers."""
        return zlib.crc32(f"{self.name} {self.batch_size}".encode()) % 10**9


def float32(arrays: Arrays) -> Arrays:
    return {name: np.ascontiguousarray(leaf, dtype=np.float32) for name, leaf in arrays.items()}


def gaussian_truth(curvatures: np.ndarray, localization: float) -> float:
    """R1 with ε → 0: Σ nβ h / 2 / (nβ h + γ)."""
    stiffness = INVERSE_TEMPERATURE * curvatures
    return float((stiffness / 2 / (stiffness + localization)).sum())


def quadratic(curvatures: np.ndarray, *, batch_size: int | None, step_size: float) -> Problem:
    """½ Σ h (w - z)² with z ~ N(0, 1/h), centred: the model is well specified."""
    generator = np.random.default_rng(0)
    z = generator.standard_normal((N, len(curvatures))) / np.sqrt(curvatures)
    return Problem(
        name=f"quadratic, d = {len(curvatures)}, h in [{curvatures.min():g}, {curvatures.max():g}]",
        loss="quadratic",
        parameters=float32({"w": np.zeros(len(curvatures))}),
        data=float32({"z": z - z.mean(axis=0), "curvature": np.tile(curvatures, (N, 1))}),
        truth=gaussian_truth(curvatures, 1.0),
        step_size=step_size,
        batch_size=batch_size,
    )


def crossing_truth(first: int, second: int, localization: float) -> float:
    """nβ E[w₁^2k₁ w₂^2k₂] under exp(-nβ w₁^2k₁ w₂^2k₂ - γ |w|²/2) on the plane, by quadrature."""

    def energy(x: float, y: float) -> float:
        return INVERSE_TEMPERATURE * x ** (2 * first) * y ** (2 * second)

    def density(x: float, y: float) -> float:
        return math.exp(-energy(x, y) - localization * (x * x + y * y) / 2)

    edge = 8 / math.sqrt(localization)
    total = dblquad(density, 0, edge, 0, edge, epsabs=1e-10)[0]
    return dblquad(lambda x, y: energy(x, y) * density(x, y), 0, edge, 0, edge, epsabs=1e-10)[0] / total


def crossing(first: int, second: int, *, noise: float, spread: bool, batch_size: int | None) -> Problem:
    """w₁^2k₁ w₂^2k₂ at the origin, with label noise of a standard deviation or weights that are exponentially spread."""
    generator = np.random.default_rng(1)
    labels, weights = noise * generator.standard_normal(N), generator.exponential(size=N) if spread else np.ones(N)
    kind = f"label noise {noise:g}" if noise else "weighted examples, no noise"
    return Problem(
        name=f"normal crossing ({first}, {second}), {kind}",
        loss=f"crossing {first} {second}",
        parameters=float32({"w": np.zeros(2)}),
        data=float32({"noise": labels - labels.mean(), "weight": weights / weights.mean()}),
        truth=crossing_truth(first, second, 10.0),
        step_size=1e-3,
        localization=10.0,
        batch_size=batch_size,
        noisy=noise > 0,
    )


def linear_network(widths: list[int], *, noise: float, batch_size: int | None) -> Problem:
    """Layers with singular values 2, white inputs, and label noise orthogonal to them: w* is an exact minimum of full rank."""
    generator = np.random.default_rng(2)
    inputs = np.linalg.qr(generator.standard_normal((N, widths[0])))[0] * math.sqrt(N)
    layers = [orthogonal(generator, *shape) * 2 for shape in zip(widths[1:], widths[:-1], strict=True)]
    labels = noise * generator.standard_normal((N, widths[-1]))
    labels -= inputs @ (inputs.T @ labels) / N
    curvatures = np.linalg.eigvalsh(product_curvature(layers))
    return Problem(
        name=f"linear network {widths}, " + (f"label noise {noise:g}" if noise else "no noise"),
        loss="linear network",
        parameters=float32({f"layer{place}": layer for place, layer in enumerate(layers)}),
        data=float32({"x": inputs, "y": inputs @ product(layers).T + labels}),
        truth=gaussian_truth(curvatures[curvatures > 1e-6], 1.0),
        step_size=0.04 / (INVERSE_TEMPERATURE * curvatures.max()),
        batch_size=batch_size,
        noisy=noise > 0,
    )


def orthogonal(generator: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """A random matrix whose singular values are all 1."""
    left, _, right = np.linalg.svd(generator.standard_normal((rows, columns)), full_matrices=False)
    return left @ right


def product(layers: list[np.ndarray]) -> np.ndarray:
    return np.linalg.multi_dot(layers[::-1])


def product_curvature(layers: list[np.ndarray]) -> np.ndarray:
    """J Jᵀ of the product map, Σ (above aboveᵀ) ⊗ (belowᵀ below): with white inputs it has the Hessian's spectrum."""
    total = 0
    for place in range(len(layers)):
        above = np.eye(layers[-1].shape[0])
        for layer in layers[:place:-1]:
            above = above @ layer
        below = np.eye(layers[0].shape[1])
        for layer in layers[:place]:
            below = layer @ below
        total = total + np.kron(above @ above.T, below.T @ below)
    return np.asarray(total)


def problems() -> Iterator[Problem]:
    spectra = [np.ones(1), np.geomspace(0.5, 2, 10), np.ones(100)]
    shapes = [[5, 5, 5], [4, 4, 4, 4]]
    for batch_size in (20, None):
        for spectrum in spectra:
            yield quadratic(spectrum, batch_size=batch_size, step_size=2e-4)
    for first, second in ((1, 1), (1, 2)):
        yield crossing(first, second, noise=0.25, spread=False, batch_size=50)
        yield crossing(first, second, noise=0, spread=True, batch_size=50)
        yield crossing(first, second, noise=0.25, spread=False, batch_size=None)
    for widths in shapes:
        yield linear_network(widths, noise=1, batch_size=50)
        yield linear_network(widths, noise=0, batch_size=50)
        yield linear_network(widths, noise=1, batch_size=None)
