"""The behavioural (realisable) local learning coefficient: the labels are the model's own predictions at w*.

The loss of w is then how far its outputs are from those at w*, and w* is an exact minimum, wherever training was. For a
softmax the whole predictive distribution stands for the labels: its argmax would leave a gradient.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ontogeny.problem.divergences import Divergence

MOVING, REFERENCE = "moving", "reference"


def behavioural_loss(apply: Callable[[Any, Any], Any], divergence: Divergence) -> Callable[[Any, Any], Float[Array, " batch"]]:
    """The loss of `with_reference` parameters on inputs: how far the moving ones' outputs are from the reference's."""

    def loss(params: Any, inputs: Any) -> Float[Array, " batch"]:
        return divergence(apply(params[MOVING], inputs), apply(jax.lax.stop_gradient(params[REFERENCE]), inputs))

    return loss


def with_reference(checkpoints: Any) -> dict[str, Any]:
    """Checkpoints twice: to be moved, and to be compared with."""
    return {MOVING: checkpoints, REFERENCE: checkpoints}


def moving_mask(checkpoints: Any, mask: Any = None) -> dict[str, Any]:
    """A mask of parameters (None for all) for `with_reference` checkpoints, whose reference stays."""

    def like_one(value: float) -> Any:
        return jax.tree.map(lambda leaf: jnp.full(jnp.shape(leaf)[1:], value), checkpoints)

    return {MOVING: like_one(1.0) if mask is None else mask, REFERENCE: like_one(0.0)}
