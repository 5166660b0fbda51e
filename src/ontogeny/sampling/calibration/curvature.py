"""The largest Hessian eigenvalue at checkpoints, and the largest variance of the gradients of single examples."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ontogeny.arrays.flat import Checkpoints, Mask, flatten, flatten_mask, single_precision, unflatten_like, unit
from ontogeny.arrays.memory import Memory, device_memory, example_bytes
from ontogeny.sampling.checks import leading_axis
from ontogeny.sampling.objective import Examples, Loss

HESSIAN_EXAMPLES = 128
ITERATIONS = 20
"""Products with the matrix in a run of Lanczos."""
RUN_OUT = 1e-5
"""A residual this small beside the images is rounding error in single precision, not a direction."""

Losses = Callable[[Array], Array]
"""A position -> the loss of every example."""
Product = Callable[[Losses, Array, Array | None, Array], Array]
"""(losses, position, anchor, vector) -> a symmetric matrix times the vector."""


def top_curvature(
    loss: Loss,
    checkpoints: Checkpoints,
    data: Examples | None = None,
    *,
    key: Key[Array, ""],
    mask: Mask | None = None,
    iterations: int = ITERATIONS,
) -> Float[Array, " checkpoints"]:
    """Return the largest Hessian eigenvalue of L_n at each checkpoint, from `iterations` Hessian-vector products of Lanczos.

    Lanczos converges faster than the power method at the same cost, and finds the largest eigenvalue where a negative one is
    larger in absolute value. The Hessian is that of all n examples, or of 128 spread evenly over them where the intermediate
    results of all n exceed 256 MB on a processor (`some_examples`). Half precision is raised to float32.
    """
    return top_eigenvalues(hessian_product, loss, checkpoints, some_examples(loss, checkpoints, data), key, mask, iterations)


def gradient_variance(
    loss: Loss,
    checkpoints: Checkpoints,
    data: Examples | None,
    *,
    key: Key[Array, ""],
    mask: Mask | None = None,
    anchors: Checkpoints | None = None,
    iterations: int = ITERATIONS,
) -> Float[Array, " checkpoints"]:
    """Return s² at each checkpoint: the variance over examples of ∇ℓ_i(w) in the direction where it is largest.

    Args:
        anchors: pytree like `checkpoints`; then s² is that of ∇ℓ_i(w) - ∇ℓ_i(anchor), which is what control variates leave.
        iterations: products with the covariance matrix.
    """
    examples = some_examples(loss, checkpoints, data)
    return top_eigenvalues(covariance_product, loss, checkpoints, examples, key, mask, iterations, anchors)


def some_examples(
    loss: Loss,
    checkpoints: Checkpoints,
    data: Examples | None,
    most: int = HESSIAN_EXAMPLES,
    memory: Memory | None = None,
) -> Examples | None:
    """Return all examples, or `most` spread evenly over them where the intermediate results of all exceed 32 caches.

    On an accelerator the limit is the memory for intermediate results.
    """
    if data is None:
        return None
    memory = device_memory() if memory is None else memory
    first = jax.tree.map(lambda leaf: leaf[0], checkpoints)
    examples = leading_axis(data, "data", "n examples")
    if examples > most and examples * example_bytes(loss, first, data) > min(memory.intermediates, 32 * memory.cache):
        return jax.tree.map(lambda leaf: leaf[:: examples // most][:most], data)
    return data


def hessian_product(losses: Losses, position: Array, anchor: Array | None, vector: Array) -> Array:
    """Return the Hessian of the mean loss times a vector."""
    return jax.jvp(jax.grad(lambda position: jnp.mean(losses(position))), (position,), (vector,))[1]


def covariance_product(losses: Losses, position: Array, anchor: Array | None, vector: Array) -> Array:
    """Return the covariance of the gradients of single examples times a vector: (1/n) Jᵀ (J v - mean(J v)).

    J has a row for each of n examples, its gradient less that at the anchor.
    """

    def less_anchor(position: Array) -> Array:
        if anchor is None:
            return losses(position)
        return losses(position) - jax.jvp(losses, (anchor,), (position,))[1]

    along = jax.jvp(less_anchor, (position,), (vector,))[1]
    pull = jax.vjp(less_anchor, position)[1]
    return pull((along - along.mean()) / along.size)[0]


@partial(jax.jit, static_argnums=(0, 1, 6))
def top_eigenvalues(
    product: Product,
    loss: Loss,
    checkpoints: Checkpoints,
    data: Examples | None,
    key: Key[Array, ""],
    mask: Mask | None,
    iterations: int,
    anchors: Checkpoints | None = None,
) -> Float[Array, " checkpoints"]:
    checkpoints, data, anchors = single_precision((checkpoints, data, anchors))
    unflatten = unflatten_like(checkpoints)
    free = 1.0 if mask is None else flatten_mask(mask, checkpoints)

    def at_checkpoint(position_and_anchor: tuple[Any, Any]) -> Float[Array, ""]:
        position, anchor = position_and_anchor
        return lanczos(
            lambda vector: free * product(lambda position: loss(unflatten(position), data), position, anchor, free * vector),
            free * jax.random.normal(key, position.shape, position.dtype),
            min(iterations, position.size),
        )

    return jax.lax.map(at_checkpoint, (flatten(checkpoints), None if anchors is None else flatten(anchors)))


def lanczos(product: Callable[[Array], Array], start: Float[Array, " d"], iterations: int) -> Float[Array, ""]:
    """Return the largest Ritz value of a symmetric matrix, given by its product with a vector."""
    basis, images = lanczos_basis(product, start, iterations)
    projected = basis @ images.T
    return jnp.linalg.eigvalsh((projected + projected.T) / 2)[-1]


def lanczos_basis(
    product: Callable[[Array], Array], start: Float[Array, " d"], iterations: int
) -> tuple[Float[Array, "{iterations} d"], Float[Array, "{iterations} d"]]:
    """Return an orthonormal basis of the Krylov space of a start, fully reorthogonalised, and the images of its vectors.

    Where the matrix has fewer distinct eigenvalues than iterations, vectors run out early and the rest are 0.
    """

    def extend(step: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        basis, images = carry
        image = product(basis[step])
        rest = image
        # Twice: one pass of Gram-Schmidt leaves components of the size of the rounding error of a large image.
        for _ in range(2):
            rest = rest - basis.T @ (basis @ rest)
        negligible = jnp.linalg.norm(rest) <= RUN_OUT * jnp.linalg.norm(images.at[step].set(image))
        following = jnp.where(negligible, 0.0, unit(rest))
        return basis.at[step + 1].set(following, mode="drop"), images.at[step].set(image)

    empty = jnp.zeros((iterations, start.size), start.dtype)
    return jax.lax.fori_loop(0, iterations, extend, (empty.at[0].set(unit(start)), empty))
