"""Regression on a polynomial f(x) = Σ_j c_j φ_j(x) of one input, without noise.

The inputs are the n Chebyshev nodes x_i = cos(π (i + ½) / n). On them φ_0 = 1 and φ_j = √2 T_j, with T_j the Chebyshev
polynomial of degree j, are exactly orthonormal. The mean loss of a network of coefficients c is therefore ½ |c - c*|².
"""

from pathlib import Path

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ontogeny.config.tasks.polynomial import Polynomial as Config
from ontogeny.problem.problem import Batch, Data, Task
from ontogeny.tasks.epochs import shuffled_indices
from ontogeny.tasks.linear_teacher import squared_error


def build(config: Config, *, batch_size: int, base: Path) -> Task:
    """Return the task. An input is the vector (φ_0(x), φ_1(x), …); evaluation is on the nodes of n + 1 points.

    Raises:
        SpecificationError: the batch is larger than the data set.
    """
    train, evaluation = (labelled(config, count) for count in (config.examples, config.examples + 1))
    indices = shuffled_indices(config.examples, batch_size)
    return Task(
        data=Data(
            train=lambda key, step: jax.tree.map(lambda leaf: leaf[indices(key, step)], train),
            sampling=train,
            evaluation=evaluation,
        ),
        output_loss=squared_error,
        divergence=squared_error,
        shape=config.shape,
    )


def labelled(config: Config, count: int) -> Batch:
    """Return the basis at `count` nodes [count, terms], and the polynomial there [count, 1]."""
    basis = orthonormal_basis(len(config.coefficients), count)
    return basis, (basis @ jnp.asarray(config.coefficients, basis.dtype))[:, None]


def orthonormal_basis(terms: int, count: int) -> Float[Array, "count terms"]:
    """Return φ_0 … φ_{terms-1} at `count` Chebyshev nodes; the means of φ_j φ_k over the nodes are 1 for j = k, else 0."""
    angles = jnp.pi * (jnp.arange(count, dtype=float) + 0.5) / count
    degrees = jnp.arange(terms, dtype=float)
    return jnp.cos(angles[:, None] * degrees[None]) * jnp.where(degrees == 0, 1.0, 2.0**0.5)[None]
