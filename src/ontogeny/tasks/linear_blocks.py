"""Regression on independent linear maps of rank one, L = Σ_i w_i ½ |M_i - e_1 e_1ᵀ|² for the map M_i of block i.

The directions of a target change nothing where the start and the noise of a sampler have none, so every target is e_1 e_1ᵀ.
A block of size d learns it at a time of order log(1 / start) / w_i, and its learning coefficient then rises by (d - 1) / 2.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ontogeny.config.tasks.linear_blocks import LinearBlocksTask as Config
from ontogeny.problem.problem import Batch, Data, Task
from ontogeny.tasks.epochs import shuffled_indices
from ontogeny.tasks.linear_teacher import squared_error


def build(config: Config, *, batch_size: int, base: Path) -> Task:
    """Return the task. Evaluation has the weights of training; the local posterior those of `config.sampling`.

    Raises:
        SpecificationError: the batch is larger than the data set.
    """
    sizes, weights = config.sizes, training_weights(config)
    train = examples(sizes, weights)
    indices = shuffled_indices(config.examples, batch_size)
    return Task(
        data=Data(
            train=lambda key, step: jax.tree.map(lambda leaf: leaf[indices(key, step)], train),
            sampling=train if config.sampling == "training" else examples(sizes, np.ones(len(sizes))),
            evaluation=train,
        ),
        output_loss=squared_error,
        divergence=squared_error,
        shape=config.shape,
        provides={"blocks": tuple(sizes)},
    )


def training_weights(config: Config) -> Float[np.ndarray, " blocks"]:
    """Return the weight of each block in training; weights from `decades` have mean 1."""
    if config.weights is not None:
        return np.asarray(config.weights, float)
    weights = np.logspace(0, -config.decades, len(config.sizes))
    return weights / weights.mean()


def examples(sizes: list[int], weights: Float[np.ndarray, " blocks"]) -> Batch:
    """Return n = max d examples; example q has a 1 at coordinate q of every block, times √(n w_i). Labels have no noise.

    The coordinates of a block are orthogonal over the examples, so the mean loss is L exactly.
    """
    n = max(sizes)
    inputs = np.concatenate([np.sqrt(n * weight) * np.eye(n, size) for size, weight in zip(sizes, weights, strict=True)], axis=1)
    first = np.cumsum([0, *sizes[:-1]])
    targets = np.zeros_like(inputs)
    targets[:, first] = inputs[:, first]
    return as_float(inputs), as_float(targets)


def as_float(array: Float[np.ndarray, "examples inputs"]) -> Float[Array, "examples inputs"]:
    """Return the array in the default precision."""
    return jnp.asarray(array, float)
