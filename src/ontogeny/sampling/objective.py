"""L_b(w) - L_b(w*) and its gradient, in whole batches or in parts: the baseline is paired with the batch."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

Loss = Callable[[Any, Any], Array]
"""(params, batch) -> [batch]; (params, None) -> a scalar, for a potential."""


def at_center(
    loss: Loss, unflatten: Callable[[Array], Any], center: Float[Array, "parameters"], data: Any, microbatch: int | None
) -> tuple[Float[Array, "n"], Float[Array, "parameters"]]:
    """The loss of every example at w*, which batches gather their baselines from, and ∇L_n(w*): one pass over the data."""

    def total(position: Array, examples: Any) -> tuple[Array, Array]:
        losses = loss(unflatten(position), examples)
        return jnp.sum(losses), losses

    gradient = jax.grad(total, has_aux=True)
    n = None if data is None else jax.tree.leaves(data)[0].shape[0]
    if n is None or microbatch is None or microbatch >= n:
        summed, losses = gradient(center, data)
        return losses, summed / losses.size
    parts, rest = split(data, n, microbatch)

    def add(carry: Array, part: Any) -> tuple[Array, Array]:
        more, losses = gradient(center, part)
        return carry + more, losses

    summed, losses = jax.lax.scan(add, jnp.zeros_like(center), parts)
    losses = losses.reshape(-1)
    if rest is not None:
        more, last = gradient(center, rest)
        summed, losses = summed + more, jnp.concatenate([losses, last])
    return losses, summed / n


def split(tree: Any, count: int, size: int) -> tuple[Any, Any]:
    """Parts of `size` along a new leading axis, and the rest, None where nothing is left."""
    whole = count // size * size
    parts = jax.tree.map(lambda leaf: leaf[:whole].reshape(-1, size, *leaf.shape[1:]), tree)
    return parts, None if whole == count else jax.tree.map(lambda leaf: leaf[whole:], tree)


def paired_objective(
    loss: Loss, unflatten: Callable[[Array], Any], microbatch: int | None
) -> Callable[[Array, Any, Array], tuple[Array, Array]]:
    """(position, batch, baselines) -> (L_b(w) - L_b(w*), ∇L_b(w)), each a mean over the batch.

    Differences are taken per example, before summing: the two sums agree in most of their digits.
    """

    def total(position: Array, batch: Any, baselines: Array) -> Array:
        return jnp.sum(loss(unflatten(position), batch) - baselines)

    gradient = jax.value_and_grad(total)

    def in_parts(position: Array, batch: Any, baselines: Array, size: int) -> tuple[Array, Array]:
        parts, rest = split((batch, baselines), baselines.size, size)
        nothing = (jnp.zeros((), baselines.dtype), jnp.zeros_like(position))
        summed, _ = jax.lax.scan(
            lambda carry, part: (jax.tree.map(jnp.add, carry, gradient(position, *part)), None), nothing, parts
        )
        return summed if rest is None else jax.tree.map(jnp.add, summed, gradient(position, *rest))

    def objective(position: Array, batch: Any, baselines: Array) -> tuple[Array, Array]:
        if microbatch is None or microbatch >= baselines.size:
            result = gradient(position, batch, baselines)
        else:
            result = in_parts(position, batch, baselines, microbatch)
        return jax.tree.map(lambda leaf: leaf / baselines.size, result)

    return objective


def anchored(objective: Any, center: Float[Array, "parameters"], gradient: Float[Array, "parameters"]) -> Any:
    """An objective less the noise that its batch has at w*: control variates whose expectation is known there.

    ∇L_b(w) - ∇L_b(w*) + ∇L_n(w*), as SVRG with its snapshot at w* (Johnson and Zhang 2013; Dubey et al. 2016), and L_b(w)
    - L_b(w*) - (∇L_b(w*) - ∇L_n(w*))·(w - w*): neither's expectation over batches changes.
    """

    def without_noise(position: Array, batch: Any, baselines: Array) -> tuple[Array, Array]:
        value, moved = objective(position, batch, baselines)
        noise = objective(center, batch, baselines)[1] - gradient
        return value - jnp.vdot(noise, position - center), moved - noise

    return without_noise


def take(tree: Any, indices: Int[Array, "batch"]) -> Any:
    return jax.tree.map(lambda leaf: jnp.take(leaf, indices, axis=0, mode="clip"), tree)
