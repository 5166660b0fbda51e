"""Regression on a linear map of known rank, y = T x, which deep networks learn one rank at a time (Saxe et al. 2014).

The singular values of T are `scale` times 1, 2, …, rank, along random orthonormal directions; x is standard normal. Labels
have no noise.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ontogeny.config.tasks.linear_teacher import LinearTeacher as Config
from ontogeny.problem.problem import Batch, Data, Task
from ontogeny.tasks.epochs import shuffled_indices


def build(config: Config, *, batch_size: int, base: Path) -> Task:
    """Return the task: n examples drawn from `config.seed`, and as many others for evaluation.

    Raises:
        SpecificationError: the batch is larger than the data set.
    """
    key = jax.random.key(config.seed)
    matrix = teacher(config, jax.random.fold_in(key, 0))
    train, evaluation = (examples(config, matrix, jax.random.fold_in(key, part)) for part in (1, 2))
    indices = shuffled_indices(config.examples, batch_size)
    return Task(
        data=Data(
            train=lambda key, step: jax.tree.map(lambda leaf: leaf[indices(key, step)], train),
            sampling=train,
            evaluation=evaluation,
        ),
        output_loss=squared_error,
        divergence=squared_error,
        shape={"inputs": config.inputs, "outputs": config.outputs},
        provides={"teacher": matrix},
    )


def teacher(config: Config, key: Array) -> Float[Array, "outputs inputs"]:
    """Return U S Vᵀ with S = scale · (rank, …, 2, 1) and random orthonormal U and V."""
    left, right = (
        jnp.linalg.qr(jax.random.normal(jax.random.fold_in(key, side), (size, config.rank)))[0]
        for side, size in enumerate((config.outputs, config.inputs))
    )
    return left * (config.scale * jnp.arange(config.rank, 0, -1, dtype=float))[None] @ right.T


def examples(config: Config, matrix: Float[Array, "outputs inputs"], key: Array) -> Batch:
    x = jax.random.normal(key, (config.examples, config.inputs))
    x = whitened(x) if config.whiten else x
    return x, x @ matrix.T


def whitened(x: Float[Array, "examples inputs"]) -> Float[Array, "examples inputs"]:
    """Return the inputs nearest to x whose second moments, (1/n) Σ x xᵀ, are exactly I."""
    left, _, right = jnp.linalg.svd(x, full_matrices=False)
    return len(x) ** 0.5 * left @ right


def squared_error(outputs: Float[Array, "batch outputs"], targets: Float[Array, "batch outputs"]) -> Float[Array, " batch"]:
    """Return half the squared distance: minus the log likelihood under noise of variance 1, up to a constant."""
    return jnp.sum((outputs - targets) ** 2, axis=-1) / 2
