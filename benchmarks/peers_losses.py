"""The losses of `benchmarks.peers`, written once for both frameworks: only operators and methods that JAX and PyTorch share.

Each takes a mapping of parameters and a mapping of a batch, and returns a loss per example.
"""

from collections.abc import Callable
from functools import partial
from typing import Any


def quadratic(parameters: Any, batch: Any) -> Any:
    """½ Σ h (w - z)²: a Gaussian with known precision h, whose mean is learned."""
    return (batch["curvature"] * (parameters["w"] - batch["z"]) ** 2).sum(-1) / 2


def crossing(parameters: Any, batch: Any, first: int, second: int) -> Any:
    """u (w₁^k₁ w₂^k₂ - ξ)²: regression on a product, of examples with weights u and label noise ξ."""
    w = parameters["w"]
    return batch["weight"] * (w[0] ** first * w[1] ** second - batch["noise"]) ** 2


def linear_network(parameters: Any, batch: Any) -> Any:
    """½ |W_L … W_1 x - y|²."""
    outputs = batch["x"]
    for name in sorted(parameters):
        outputs = outputs @ parameters[name].T
    return ((outputs - batch["y"]) ** 2).sum(-1) / 2


LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "quadratic": quadratic,
    "crossing 1 1": partial(crossing, first=1, second=1),
    "crossing 1 2": partial(crossing, first=1, second=2),
    "linear network": linear_network,
}
