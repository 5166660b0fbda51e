"""Reconstruction of T fixed sparse points of length 1 (Henighan et al. 2023, "Superposition, Memorization, and Double Descent").

Each feature of a point is zero with probability S, else uniform on [0, 1]; then the point is scaled to length 1. A point without
an active feature has no direction and is drawn again. The loss of an example is the squared error summed over the features.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ontogeny.config.tasks.sparse_points import SparsePoints as Config
from ontogeny.problem.problem import Data, Task
from ontogeny.tasks.sparse_features import pair, squared_error

TRAINING, EVALUATION = 0, 1


def build(config: Config, *, batch_size: int, base: Path) -> Task:
    """Return the task: a batch is drawn from the T points with replacement, so it may be larger than T."""
    points = jnp.asarray(draw(config, TRAINING, config.points))
    evaluation = jnp.asarray(draw(config, EVALUATION, config.evaluation))

    def batch(key, step):
        return pair(points[jax.random.randint(jax.random.fold_in(key, step), (batch_size,), 0, config.points)])

    return Task(
        data=Data(
            train=batch,
            sampling=pair(jnp.tile(points, (config.examples // config.points, 1))),
            evaluation=pair(evaluation),
        ),
        output_loss=squared_error,
        divergence=squared_error,
        shape={"features": config.features},
        provides={"training_points": points},
    )


def draw(config: Config, part: int, count: int) -> Float[np.ndarray, "count features"]:
    """Return points of length 1. Fewer points are the beginning of more; the parts of a data set are independent."""
    generator = np.random.default_rng([config.seed, part])
    rows = np.empty((0, config.features))
    while len(rows) < count:
        active, magnitude = np.moveaxis(generator.random((2 * count, 2, config.features)), 1, 0)
        drawn = np.where(active < config.sparsity, 0.0, magnitude)
        rows = np.concatenate([rows, drawn[drawn.any(axis=1)]])
    chosen = rows[:count]
    return (chosen / np.linalg.norm(chosen, axis=1, keepdims=True)).astype(np.float32)
