"""The behavioural (realisable) local learning coefficient: the labels are the model's own predictions at w*.

The loss of w is then how far its outputs are from those at w*, and w* is an exact minimum, wherever training was. For a
softmax the whole predictive distribution stands for the labels: its argmax would leave a gradient.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ontogeny.arrays.flat import Checkpoints, Mask, Parameters
from ontogeny.problem.divergences import Divergence

MOVING, REFERENCE = "moving", "reference"


@dataclass(frozen=True)
class BehaviouralLoss:
    """(`with_reference` parameters, inputs) -> how far the outputs of the moving parameters are from those of the reference.

    Two of them are equal where `apply` and `divergence` are, so that a compiled program is found again.
    """

    apply: Callable[[Parameters, Any], Any]
    divergence: Divergence

    def __call__(self, params: dict[str, Parameters], inputs: Any) -> Float[Array, " batch"]:
        reference = self.apply(jax.lax.stop_gradient(params[REFERENCE]), inputs)
        return self.divergence(self.apply(params[MOVING], inputs), reference)


def behavioural_loss(apply: Callable[[Parameters, Any], Any], divergence: Divergence) -> BehaviouralLoss:
    """Return the loss of `with_reference` parameters on inputs."""
    return BehaviouralLoss(apply, divergence)


def with_reference(checkpoints: Checkpoints) -> dict[str, Checkpoints]:
    """Pair each checkpoint with a frozen copy of itself, the reference."""
    return {MOVING: checkpoints, REFERENCE: checkpoints}


def moving_mask(checkpoints: Checkpoints, mask: Mask | None = None) -> dict[str, Mask]:
    """Return the mask of `with_reference` checkpoints whose reference stays, from a mask of parameters (None for all)."""

    def filled(value: float) -> Mask:
        return jax.tree.map(lambda leaf: jnp.full(jnp.shape(leaf)[1:], value), checkpoints)

    return {MOVING: filled(1.0) if mask is None else mask, REFERENCE: filled(0.0)}
