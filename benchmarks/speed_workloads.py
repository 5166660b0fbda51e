"""The work of `benchmarks.speed`: parameters and data by NumPy alone, so that both frameworks run the very same.

The toy model of superposition (tms), a deep linear network (dln), and attention-only transformers of two layers (tf, tfl);
the checkpoints are points near each other: what is timed does not depend on where they lie.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Workload:
    """λ̂ of `checkpoints` × `chains` × (`burn_in` + `draws`) steps on batches of `batch_size` of `n` examples.

    Attributes:
        product_flops: of the matrix products of one step, forwards and backwards.
    """

    checkpoints: int
    chains: int
    draws: int
    burn_in: int
    batch_size: int
    n: int
    step_size: float
    inverse_temperature: float
    localization: float
    product_flops: float
    shape: dict[str, int]

    @property
    def steps(self) -> int:
        return self.checkpoints * self.chains * (self.draws + self.burn_in)


def transformer_flops(sequences: int, context: int, width: int, layers: int, vocabulary: int) -> float:
    """Products of weights and of attention (which is masked, not halved), a gradient counted as twice the loss."""
    tokens = sequences * context
    weights = 2 * tokens * (4 * layers * width**2 + width * vocabulary)
    attention = 4 * layers * sequences * context**2 * width
    return 3 * (weights + attention)


TMS: dict[str, Any] = {"checkpoints": 20, "chains": 10, "draws": 400, "burn_in": 100, "batch_size": 500, "n": 1000}
TMS |= {"step_size": 1e-3, "inverse_temperature": 144.765, "localization": 1.0, "product_flops": 60_000.0}
TMS |= {"shape": {"features": 6, "hidden": 2}}

WORKLOADS: dict[str, Workload] = {
    "tms": Workload(**TMS),
    "tms, examples first": Workload(**TMS),
    "dln": Workload(
        checkpoints=5,
        chains=4,
        draws=400,
        burn_in=100,
        batch_size=500,
        n=2000,
        step_size=1e-6,
        inverse_temperature=263.1,
        localization=1.0,
        product_flops=500 * 64**2 * (3 * 6 - 2),
        shape={"width": 64, "layers": 3},
    ),
    "tf": Workload(
        checkpoints=3,
        chains=4,
        draws=80,
        burn_in=20,
        batch_size=64,
        n=512,
        step_size=1e-5,
        inverse_temperature=100.0,
        localization=100.0,
        product_flops=transformer_flops(64, 64, 64, 2, 256),
        shape={"vocabulary": 256, "context": 64, "width": 64, "heads": 4, "layers": 2},
    ),
    "tfl": Workload(
        checkpoints=3,
        chains=4,
        draws=40,
        burn_in=10,
        batch_size=32,
        n=512,
        step_size=1e-5,
        inverse_temperature=100.0,
        localization=100.0,
        product_flops=transformer_flops(32, 128, 128, 2, 512),
        shape={"vocabulary": 512, "context": 128, "width": 128, "heads": 8, "layers": 2},
    ),
}
"""`tms` has the examples on the last axis, `tms, examples first` as one writes it: the order decides more than the sampler."""


Arrays = dict[str, np.ndarray]


def problem(name: str) -> tuple[Arrays, Arrays]:
    """Stacked checkpoints and the n examples of a workload, in single precision."""
    work, generator = WORKLOADS[name], np.random.default_rng(0)
    if "features" in work.shape:
        return superposition(work, generator)
    if "vocabulary" in work.shape:
        return transformer(work, generator)
    return linear(work, generator)


def superposition(work: Workload, generator: np.random.Generator) -> tuple[Arrays, Arrays]:
    features, hidden = work.shape["features"], work.shape["hidden"]
    angles = 2 * np.pi * np.arange(features) / features
    weight = np.stack([np.cos(angles), np.sin(angles)]) + normal(generator, work.checkpoints, hidden, features, scale=0.1)
    active = np.eye(features)[generator.integers(features, size=work.n)] * generator.uniform(size=(work.n, 1))
    bias = np.full((work.checkpoints, features), -0.3)
    return single({"weight": weight, "bias": bias}), single({"x": active})


def linear(work: Workload, generator: np.random.Generator) -> tuple[Arrays, Arrays]:
    width, layers = work.shape["width"], work.shape["layers"]
    x = normal(generator, work.n, width)
    weights = {f"layer{i}": normal(generator, work.checkpoints, width, width, scale=width**-0.5) for i in range(layers)}
    return single(weights), single({"x": x, "y": x @ normal(generator, width, width, scale=width**-0.5)})


def transformer(work: Workload, generator: np.random.Generator) -> tuple[Arrays, Arrays]:
    """Its parameters have the names and shapes of `ontogeny.models.transformer`."""
    shape = work.shape
    width, heads, size = shape["width"], shape["heads"], shape["width"] // shape["heads"]
    leaves = {"embedding": (shape["vocabulary"], width), "positions": (shape["context"], width)}
    leaves |= {"unembedding": (width, shape["vocabulary"]), "unembedding_bias": (shape["vocabulary"],), "norm.bias": (width,)}
    for layer in range(shape["layers"]):
        inside = f"layers.{layer}.attention"
        leaves |= {f"{inside}.{name}": (width, heads, size) for name in ("query", "key", "value")}
        leaves |= {f"{inside}.{name}_bias": (heads, size) for name in ("query", "key", "value")}
        leaves |= {f"{inside}.output": (heads, size, width), f"{inside}.output_bias": (width,), f"{inside}_norm.bias": (width,)}
    parameters = {name: normal(generator, work.checkpoints, *of, scale=width**-0.5) for name, of in leaves.items()}
    for name in [name for name in leaves if name.endswith("norm.bias")]:
        parameters[name.removesuffix("bias") + "scale"] = np.ones_like(parameters[name])
    tokens = generator.integers(shape["vocabulary"], size=(work.n, shape["context"] + 1), dtype=np.int32)
    return single(parameters), {"tokens": tokens}


def normal(generator: np.random.Generator, *shape: int, scale: float = 1.0) -> np.ndarray:
    return scale * generator.standard_normal(shape)


def single(arrays: Arrays) -> Arrays:
    return {name: array.astype(np.float32) for name, array in arrays.items()}
