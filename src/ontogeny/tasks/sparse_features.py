"""Reconstruction of sparse synthetic features, x = μ e_i with i uniform and μ ~ U[0, 1] (Chen et al. 2023).

The loss of an example is the squared error summed over the coordinates. Its mean over all x is the population loss. For
ReLU(Wᵀ W x + b) the population loss has a closed form, which separates levels that the noise of n examples hides.
"""

from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ontogeny.config.tasks.sparse_features import SparseFeatures as Config
from ontogeny.problem.problem import Batch, Data, Task
from ontogeny.tasks.epochs import shuffled_indices


def build(config: Config, *, batch_size: int, base: Path) -> Task:
    """Return the task: n examples drawn from `config.seed`, and as many others for evaluation.

    Raises:
        SpecificationError: the batch is larger than the data set.
    """
    train, evaluation = (examples(config, part) for part in range(2))
    indices = shuffled_indices(config.examples, batch_size)
    return Task(
        data=Data(
            train=lambda key, step: pair(train[indices(key, step)]),
            sampling=pair(train),
            evaluation=pair(evaluation),
        ),
        output_loss=squared_error,
        divergence=squared_error,
        shape={"features": config.features},
        provides={"population_loss": population_loss},
    )


@partial(jax.jit, static_argnums=(0, 1))
def examples(config: Config, part: int) -> Float[Array, "examples features"]:
    """Return independent draws of x = μ e_i; the parts of a data set are independent as well."""
    which, size = jax.random.split(jax.random.fold_in(jax.random.key(config.seed), part))
    feature = jax.random.randint(which, (config.examples,), 0, config.features)
    magnitude = jax.random.uniform(size, (config.examples, 1))
    return magnitude * jax.nn.one_hot(feature, config.features)


def pair(x: Float[Array, "batch features"]) -> Batch:
    return x, x


def squared_error(outputs: Float[Array, "batch features"], targets: Float[Array, "batch features"]) -> Float[Array, " batch"]:
    """Return the squared error summed over the coordinates, neither halved nor averaged."""
    return jnp.sum((outputs - targets) ** 2, axis=-1)


def population_loss(weight: Float[Array, "hidden features"], bias: Float[Array, " features"]) -> Float[Array, ""]:
    """Return the exact mean of `squared_error` of ReLU(Wᵀ W x + b) over all x = μ e_i.

    For feature i, output j is ReLU(μ g + b_j) with g = (Wᵀ W)_ij, which is positive on an interval of μ. On this interval the
    squared error is ((g - δ_ij) μ + b_j)², elsewhere it is (δ_ij μ)². Both are integrated in closed form.
    """
    features = bias.shape[0]
    bias = jnp.broadcast_to(bias, (features, features))
    gram = weight.T @ weight
    target = jnp.eye(features)
    crossing = jnp.clip(-bias / jnp.where(gram == 0, 1, gram), 0, 1)
    low = jnp.where(gram > 0, crossing, 0)
    high = jnp.where(gram > 0, 1, jnp.where(gram < 0, crossing, (bias > 0).astype(gram.dtype)))
    slope = gram - target

    def active(mu: Float[Array, "features features"]) -> Float[Array, "features features"]:
        return slope**2 * mu**3 / 3 + slope * bias * mu**2 + bias**2 * mu

    inactive = target * (1 - (high**3 - low**3)) / 3
    return jnp.sum(active(high) - active(low) + inactive) / features
