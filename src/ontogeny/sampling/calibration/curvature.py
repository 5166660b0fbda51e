"""The curvature at checkpoints, and whether a step size suits it."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ontogeny.arrays.flat import flatten, flatten_mask, single_precision, unflatten_like
from ontogeny.arrays.parts import MEGABYTE, example_bytes
from ontogeny.sampling.checks import leading_axis
from ontogeny.sampling.kernels.kernel import Kernel, Limits
from ontogeny.sampling.objective import Loss

LARGEST_BIAS = 0.02
"""Of λ̂ in the worst direction; over all directions it is smaller."""
HESSIAN_WORKING_SET = 256 * MEGABYTE
GLANCES, GLANCED_EXAMPLES = 20, 16
HESSIAN_EXAMPLES = 128
RUN_OUT = 1e-5
"""A residual this small beside the images is rounding error in single precision, not a direction."""


class Stability(NamedTuple):
    """`value` = ε (nβ h_max + γ), the bias of λ̂ in the stiffest direction as a share of it, and what that means in words."""

    value: float
    bias: float
    verdict: str


def stability(
    sampler: Kernel,
    inverse_temperature: float,
    curvature: float,
    localization: float,
    minibatch_noise: float = 0.0,
    largest_bias: float = LARGEST_BIAS,
) -> Stability:
    """Whether a step suits the largest Hessian eigenvalue h_max, from the stationary variance on a quadratic (`Limits`).

    Args:
        minibatch_noise: s²/b, the variance of a minibatch gradient in its noisiest direction.
    """
    limits = sampler.limits
    assert limits is not None
    value = sampler.step_size * (inverse_temperature * curvature + localization)
    told = f"ε (nβ h_max + γ) = {value:.3g}"
    if not value < limits.stable_below:
        bound = limits.stable_below / (inverse_temperature * curvature + localization)
        return Stability(
            value,
            float("inf"),
            f"unstable: {told} is not below {limits.stable_below:.3g}; chains diverge where the curvature is largest. "
            f"step_size must be below {bound:.3g}",
        )
    step_bias = 1 / (1 - max(value, 0.0) / limits.stable_below) - 1
    noise_bias = sampler.step_size * inverse_temperature**2 * minibatch_noise / (4 * limits.injected)
    words = f"{told}, a step-size bias of at most {100 * step_bias:.1f}%"
    if minibatch_noise:
        words += f" and up to {100 * noise_bias:.1f}% from the noise of minibatches"
    fits = max(step_bias, noise_bias) <= largest_bias * (1 + 1e-6)
    if fits:
        return Stability(value, step_bias + noise_bias, f"stable: {words}")
    enough = longest_step(limits, inverse_temperature, curvature, localization, minibatch_noise, largest_bias)
    told = f"too long: {words}; step_size {enough:.2g} keeps within {100 * largest_bias:g}%"
    return Stability(value, step_bias + noise_bias, told)


def longest_step(
    limits: Limits, inverse_temperature: float, curvature: float, localization: float, minibatch_noise: float, bias: float
) -> float:
    """The ε at which neither the step's nor the minibatches' bias in their worst direction exceeds `bias`."""
    stiffest = inverse_temperature * max(curvature, 0.0) + localization
    by_step = limits.stable_below * bias / (1 + bias) / stiffest if stiffest > 0 else math.inf
    noise = inverse_temperature**2 * minibatch_noise
    by_noise = 4 * limits.injected * bias / noise if noise > 0 else math.inf
    return min(by_step, by_noise)


def top_curvature(
    loss: Loss, checkpoints: Any, data: Any = None, *, key: Key[Array, ""], mask: Any = None, iterations: int = 20
) -> Float[Array, " checkpoints"]:
    """The largest Hessian eigenvalue of L_n at each checkpoint, from `iterations` Hessian-vector products of Lanczos.

    Lanczos converges faster than the power method at the same cost, and finds the largest eigenvalue where a negative
    one is larger in absolute value. The Hessian is that of all n examples, or of 128 spread evenly over them where the
    intermediate results of all n exceed 256 MB. Half precision is raised to float32.
    """
    return top_eigenvalues(hessian_product, loss, checkpoints, some_examples(loss, checkpoints, data), key, mask, iterations)


@partial(jax.jit, static_argnums=0, compiler_options={"xla_backend_optimization_level": 0})
def curvature_at_a_glance(
    loss: Loss, checkpoints: Any, data: Any, key: Key[Array, ""], mask: Any = None
) -> Float[Array, " checkpoints"]:
    """From 20 steps of the power method, which compiles four times faster than Lanczos: at most h_max.

    Not optimised by XLA, since it runs once: half the time to compile, twice that to run.
    Below 0 where the eigenvalue largest in absolute value is negative, and nothing is known of the positive ones.
    """
    checkpoints, data = single_precision((checkpoints, data))
    unflatten = unflatten_like(checkpoints)
    free = 1.0 if mask is None else flatten_mask(mask, checkpoints)

    def at_checkpoint(position: Array) -> Array:
        def product(vector: Array) -> Array:
            return free * hessian_product(lambda position: loss(unflatten(position), data), position, None, free * vector)

        start = unit(free * jax.random.normal(key, position.shape, position.dtype))
        vector = jax.lax.fori_loop(0, GLANCES, lambda _, vector: unit(product(vector)), start)
        return jnp.vdot(vector, product(vector))

    return jax.lax.map(at_checkpoint, flatten(checkpoints))


def gradient_variance(
    loss: Loss,
    checkpoints: Any,
    data: Any,
    *,
    key: Key[Array, ""],
    mask: Any = None,
    anchors: Any = None,
    iterations: int = 20,
) -> Float[Array, " checkpoints"]:
    """s²: the variance over examples of ∇ℓ_i(w) in the direction where it is largest, from as many products.

    Args:
        anchors: pytree like `checkpoints`; then of ∇ℓ_i(w) - ∇ℓ_i(anchor), which is what control variates leave.
    """
    examples = some_examples(loss, checkpoints, data)
    return top_eigenvalues(covariance_product, loss, checkpoints, examples, key, mask, iterations, anchors)


def some_examples(loss: Loss, checkpoints: Any, data: Any, most: int = HESSIAN_EXAMPLES) -> Any:
    """All examples, or `most` spread evenly over them where the intermediate results of all exceed 256 MB."""
    if data is None:
        return None
    first = jax.tree.map(lambda leaf: leaf[0], checkpoints)
    examples = leading_axis(data, "data", "n examples")
    if examples > most and examples * example_bytes(loss, first, data) > HESSIAN_WORKING_SET:
        return jax.tree.map(lambda leaf: leaf[:: examples // most][:most], data)
    return data


Losses = Callable[[Array], Array]
"""A position -> the loss of every example."""
Product = Callable[[Losses, Array, Array | None, Array], Array]


def hessian_product(losses: Losses, position: Array, anchor: Array | None, vector: Array) -> Array:
    return jax.jvp(jax.grad(lambda position: jnp.mean(losses(position))), (position,), (vector,))[1]


def covariance_product(losses: Losses, position: Array, anchor: Array | None, vector: Array) -> Array:
    """J holds a row of gradient for each of n examples, less that at the anchor: (1/n) Jᵀ (J v - mean(J v))."""

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
    checkpoints: Any,
    data: Any,
    key: Key[Array, ""],
    mask: Any,
    iterations: int,
    anchors: Any = None,
) -> Float[Array, " checkpoints"]:
    checkpoints, data, anchors = single_precision((checkpoints, data, anchors))
    unflatten = unflatten_like(checkpoints)
    free = 1.0 if mask is None else flatten_mask(mask, checkpoints)

    def at_checkpoint(place: tuple[Array, Array | None]) -> Array:
        position, anchor = place
        return lanczos(
            lambda vector: free * product(lambda position: loss(unflatten(position), data), position, anchor, free * vector),
            free * jax.random.normal(key, position.shape, position.dtype),
            min(iterations, position.size),
        )

    places = (flatten(checkpoints), None if anchors is None else flatten(anchors))
    return jax.lax.map(at_checkpoint, places)


def lanczos(product: Callable[[Array], Array], start: Float[Array, " d"], iterations: int) -> Float[Array, ""]:
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


def unit(vector: Float[Array, " d"]) -> Float[Array, " d"]:
    return vector / jnp.maximum(jnp.linalg.norm(vector), jnp.finfo(vector.dtype).tiny)
