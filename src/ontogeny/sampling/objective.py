"""L_b(w) - L_b(w*) and its gradient, in whole batches or in parts: the baseline is paired with the batch."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree, Shaped

from ontogeny.arrays.parts import split, summed

Examples = PyTree[Shaped[Array, "n ..."]]
"""n examples: every leaf has a leading axis of n."""
Loss = Callable[[Any, Any], Array]
"""(params, batch) -> [batch]; (params, None) -> a scalar, for a potential."""
PASS_AT_CENTER = "pass_at_center"
"""What traces call the one pass over the data at w*."""


def at_center(
    loss: Loss, unflatten: Callable[[Array], Any], center: Float[Array, " parameters"], data: Any, microbatch: int | None
) -> tuple[Float[Array, " n"], Float[Array, " parameters"]]:
    """The loss of every example at w*, which batches gather their baselines from, and ∇L_n(w*): one pass over the data."""

    @jax.named_scope(PASS_AT_CENTER)
    def total(position: Array, examples: Any) -> tuple[Array, Array]:
        losses = loss(unflatten(position), examples)
        return jnp.sum(losses), losses

    gradient = jax.grad(total, has_aux=True)
    n = None if data is None else jax.tree.leaves(data)[0].shape[0]
    if n is None or microbatch is None or microbatch >= n:
        gradients, losses = gradient(center, data)
        return losses, gradients / losses.size
    parts, rest = split(data, n, microbatch)

    def add(carry: Array, part: Any) -> tuple[Array, Array]:
        more, losses = gradient(center, part)
        return carry + more, losses

    gradients, losses = jax.lax.scan(add, jnp.zeros_like(center), parts)
    losses = losses.reshape(-1)
    if rest is not None:
        more, last = gradient(center, rest)
        gradients, losses = gradients + more, jnp.concatenate([losses, last])
    return losses, gradients / n


def paired_objective(
    loss: Loss, unflatten: Callable[[Array], Any], microbatch: int | None
) -> Callable[[Array, Any, Array], tuple[Array, Array]]:
    """(position, batch, baselines) -> (L_b(w) - L_b(w*), ∇L_b(w)), each a mean over the batch.

    Differences are taken per example, before summing: the two sums agree in most of their digits.
    """

    def total(position: Array, batch: Any, baselines: Array) -> Array:
        return jnp.sum(loss(unflatten(position), batch) - baselines)

    gradient = jax.value_and_grad(total)

    def objective(position: Array, batch: Any, baselines: Array) -> tuple[Array, Array]:
        result = summed(lambda part: gradient(position, *part), (batch, baselines), microbatch)
        return jax.tree.map(lambda leaf: leaf / baselines.size, result)

    return objective


def anchored(objective: Any, center: Float[Array, " parameters"], gradient: Float[Array, " parameters"]) -> Any:
    """An objective less the noise that its batch has at w*: control variates whose expectation is known there.

    ∇L_b(w) - ∇L_b(w*) + ∇L_n(w*), as SVRG with its snapshot at w* (Johnson and Zhang 2013; Dubey et al. 2016), and L_b(w)
    - L_b(w*) - (∇L_b(w*) - ∇L_n(w*))·(w - w*): neither's expectation over batches changes.
    """

    def without_noise(position: Array, batch: Any, baselines: Array) -> tuple[Array, Array]:
        value, moved = objective(position, batch, baselines)
        noise = objective(center, batch, baselines)[1] - gradient
        return value - jnp.vdot(noise, position - center), moved - noise

    return without_noise


def take(tree: Any, indices: Int[Array, " batch"]) -> Any:
    return jax.tree.map(lambda leaf: jnp.take(leaf, indices, axis=0, mode="clip"), tree)
