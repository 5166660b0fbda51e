"""Divergences of the outputs of a network from reference outputs, for losses whose labels are a network's own predictions."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Divergence = Callable[[Any, Any], Float[Array, " batch"]]
"""(outputs, reference outputs) -> [batch]: least, and 0, where they are equal."""


def squared_difference(
    outputs: Float[Array, " batch *shape"], reference: Float[Array, " batch *shape"]
) -> Float[Array, " batch"]:
    """Return the squared error against the outputs at w*, summed over all but the first axis."""
    return jnp.sum((outputs - reference) ** 2, axis=tuple(range(1, outputs.ndim)))


def kullback_leibler(
    logits: Float[Array, "batch *positions classes"], reference: Float[Array, "batch *positions classes"]
) -> Float[Array, " batch"]:
    """Return KL(p* ‖ p) of the softmax at w* and at w, in nats, averaged over positions."""
    log_p, log_reference = jax.nn.log_softmax(logits), jax.nn.log_softmax(reference)
    divergence = jnp.sum(jnp.exp(log_reference) * (log_reference - log_p), axis=-1)
    return divergence.reshape(len(divergence), -1).mean(axis=-1)
