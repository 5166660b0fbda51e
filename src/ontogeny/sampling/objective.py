"""L_b(w) - L_b(w*) and its gradient, in whole batches or in parts: the baseline is paired with the batch."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree, Shaped

from ontogeny.arrays.flat import AnyArray
from ontogeny.arrays.parts import summed, summed_and_mapped

Examples = PyTree[Shaped[AnyArray, "n ..."]]
"""n examples: every leaf has a leading axis of n."""
Loss = Callable[[Any, Any], Array]
"""(params, batch) -> [batch]; (params, None) -> a scalar, for a potential."""
PairedObjective = Callable[[Array, Any, Array], tuple[Array, Array]]
"""(position, batch, baselines) -> (L_b(w) - L_b(w*), ∇L_b(w)), each a mean over the batch."""
PASS_AT_CENTER = "pass_at_center"
"""The name, in traces of JAX, of the one pass over the data at w*."""


def at_center(
    loss: Loss,
    unflatten: Callable[[Array], Any],
    center: Float[Array, " parameters"],
    data: Examples | None,
    microbatch: int | None,
) -> tuple[Float[Array, " n"] | Float[Array, ""], Float[Array, " parameters"]]:
    """Return the loss of every example at w*, from which batches gather their baselines, and ∇L_n(w*): one pass over the data."""

    @jax.named_scope(PASS_AT_CENTER)
    def total(position: Array, examples: Examples | None) -> tuple[Array, Array]:
        losses = loss(unflatten(position), examples)
        return jnp.sum(losses), losses

    gradient = jax.grad(total, has_aux=True)
    if data is None:
        gradients, losses = gradient(center, None)
    else:
        gradients, losses = summed_and_mapped(lambda part: gradient(center, part), data, microbatch)
    return losses, gradients / losses.size


def paired_objective(loss: Loss, unflatten: Callable[[Array], Any], microbatch: int | None) -> PairedObjective:
    """Return the objective of a batch whose losses at w* are known.

    Differences are taken per example, before summing: the two sums agree in most of their digits.
    """

    def total(position: Array, batch: Any, baselines: Array) -> Array:
        return jnp.sum(loss(unflatten(position), batch) - baselines)

    gradient = jax.value_and_grad(total)

    def objective(position: Array, batch: Any, baselines: Array) -> tuple[Array, Array]:
        result = summed(lambda part: gradient(position, *part), (batch, baselines), microbatch)
        return jax.tree.map(lambda leaf: leaf / baselines.size, result)

    return objective


def anchored(
    objective: PairedObjective, center: Float[Array, " parameters"], gradient: Float[Array, " parameters"]
) -> PairedObjective:
    """Return an objective less the noise that its batch has at w*: control variates whose expectation is known there.

    The gradient is ∇L_b(w) - ∇L_b(w*) + ∇L_n(w*), as of SVRG with its snapshot at w* (Johnson and Zhang 2013; Dubey et al. 2016).
    The value is L_b(w) - L_b(w*) - (∇L_b(w*) - ∇L_n(w*))·(w - w*). The expectations over batches stay as they are.
    """

    def without_noise(position: Array, batch: Any, baselines: Array) -> tuple[Array, Array]:
        value, moved = objective(position, batch, baselines)
        noise = objective(center, batch, baselines)[1] - gradient
        return value - jnp.vdot(noise, position - center), moved - noise

    return without_noise


def take(tree: Any, indices: Int[Array, " batch"]) -> Any:
    return jax.tree.map(lambda leaf: jnp.take(leaf, indices, axis=0, mode="clip"), tree)
