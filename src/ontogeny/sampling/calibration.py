"""What a sampler's settings come to on given data: n, nβ, the batch; and whether the step size suits the curvature."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ontogeny.sampling.checks import leading_axis
from ontogeny.sampling.layout import MEGABYTE, example_bytes
from ontogeny.sampling.parameters import flatten, unflatten_like

STABLE_BELOW = 4.0
BIAS_BELOW_5_PERCENT = 0.19
HESSIAN_WORKING_SET = 256 * MEGABYTE
HESSIAN_EXAMPLES = 256
RUN_OUT = 1e-5
"""A residual this small beside the images is rounding error in single precision, not a direction."""


class Resolved(NamedTuple):
    """`n` examples (None for a potential given with nβ), `batch_size` of them per step (None for all), nβ."""

    n: int | None
    batch_size: int | None
    inverse_temperature: float


def resolve(data: Any, *, n: int | None, batch_size: int | None, inverse_temperature: float | None) -> Resolved:
    """Fill in the defaults: n from the data, nβ = n / log n (Watanabe 2013), and the full batch for `batch_size` None.

    Raises:
        ValueError: n disagrees with the data or is below 2, the batch is larger than n, or nβ is not positive.
    """
    if data is not None:
        examples = leading_axis(data, "data", "n examples")
        if n is not None and n != examples:
            raise ValueError(f"n: {n} given, but data has a leading axis of {examples}")
        n = examples
    if n is not None and n < 2:
        raise ValueError(f"n: at least 2 examples are needed, got {n}")
    if batch_size is not None:
        check_batch_size(batch_size, data, n)
    if inverse_temperature is None:
        if n is None:
            raise ValueError("inverse_temperature: give it, or n, when data is None")
        inverse_temperature = n / math.log(n)
    if not (math.isfinite(inverse_temperature) and inverse_temperature > 0):
        raise ValueError(f"inverse_temperature: must be positive and finite, got {inverse_temperature}")
    return Resolved(n, None if batch_size == n else batch_size, inverse_temperature)


def check_batch_size(batch_size: int, data: Any, n: int | None) -> None:
    if data is None:
        raise ValueError(f"batch_size: {batch_size} given, but data is None; a potential has no batches")
    if not 1 <= batch_size <= (n or 0):
        raise ValueError(f"batch_size: must lie between 1 and n = {n}, got {batch_size}")


class Stability(NamedTuple):
    """`value` = ε (nβ h_max + γ), and what it means in words."""

    value: float
    verdict: str


def stability(step_size: float, inverse_temperature: float, curvature: float, localization: float) -> Stability:
    """Whether SGLD's step suits the largest Hessian eigenvalue h_max, from its stationary variance on a quadratic.

    With a = nβ h_max + γ, full-batch SGLD is stable iff ε a < 4, and along that direction it overestimates λ̂ by the
    factor 1 / (1 - ε a / 4), below 1.05 iff ε a ≤ 0.19. Minibatch noise adds to that.
    """
    value = step_size * (inverse_temperature * curvature + localization)
    if not value < STABLE_BELOW:
        return Stability(
            value, f"unstable: ε (nβ h_max + γ) = {value:.3g} is not below 4; chains diverge where the curvature is largest"
        )
    bias = 100 * (1 / (1 - max(value, 0.0) / 4) - 1)
    if value <= BIAS_BELOW_5_PERCENT:
        return Stability(value, f"stable: ε (nβ h_max + γ) = {value:.3g}, a step-size bias of at most {bias:.1f}%")
    return Stability(value, f"too long: ε (nβ h_max + γ) = {value:.3g} is above 0.19; the step-size bias reaches {bias:.1f}%")


def top_curvature(
    loss: Callable[..., Any], checkpoints: Any, data: Any = None, *, key: Key[Array, ""], iterations: int = 20
) -> Float[Array, "checkpoints"]:
    """The largest Hessian eigenvalue of L_n at each checkpoint, from `iterations` Hessian-vector products of Lanczos.

    Lanczos converges faster than the power method at the same cost, and finds the largest eigenvalue where a negative
    one is larger in absolute value. The Hessian is that of all n examples, or of the first 256 where the intermediate
    results of all n exceed 256 MB.
    """
    if data is not None:
        first = jax.tree.map(lambda leaf: leaf[0], checkpoints)
        examples = leading_axis(data, "data", "n examples")
        if examples * example_bytes(loss, first, data) > HESSIAN_WORKING_SET:
            data = jax.tree.map(lambda leaf: leaf[:HESSIAN_EXAMPLES], data)
    return _top_curvature(loss, checkpoints, data, key, iterations)


def _top_curvature_program(loss: Callable[..., Any], checkpoints: Any, data: Any, key: Key[Array, ""], iterations: int) -> Array:
    unflatten = unflatten_like(checkpoints)
    flat = flatten(checkpoints)

    def gradient(position: Array) -> Array:
        return jax.grad(lambda position: jnp.mean(loss(unflatten(position), data)))(position)

    def at_checkpoint(position: Array) -> Array:
        return lanczos(
            lambda vector: jax.jvp(gradient, (position,), (vector,))[1],
            jax.random.normal(key, position.shape, position.dtype),
            min(iterations, position.size),
        )

    return jax.lax.map(at_checkpoint, flat)


_top_curvature = jax.jit(_top_curvature_program, static_argnums=(0, 4))


def lanczos(product: Callable[[Array], Array], start: Float[Array, "d"], iterations: int) -> Float[Array, ""]:
    """The largest Ritz value of a symmetric matrix, given by its product with a vector; fully reorthogonalised.

    Where the matrix has fewer distinct eigenvalues than iterations, vectors run out early and the rest count as 0.
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
    basis, images = jax.lax.fori_loop(0, iterations, extend, (empty.at[0].set(unit(start)), empty))
    projected = basis @ images.T
    return jnp.linalg.eigvalsh((projected + projected.T) / 2)[-1]


def unit(vector: Float[Array, "d"]) -> Float[Array, "d"]:
    return vector / jnp.maximum(jnp.linalg.norm(vector), jnp.finfo(vector.dtype).tiny)
