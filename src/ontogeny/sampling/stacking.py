"""Accept checkpoints as a list, as training loops keep them."""

from typing import Any

import jax
import jax.numpy as jnp

from ontogeny.arrays.flat import Checkpoints
from ontogeny.sampling.objective import Examples, Loss


def stacked(checkpoints: Any, loss: Loss, data: Examples | None) -> Checkpoints:
    """Return checkpoints with a leading axis: a list of K checkpoints is stacked, anything else is returned as it is.

    A network may itself be a list, for example of layers. So the loss decides: a list is taken for a network where the loss
    accepts the first entries of its leaves, and for a list of checkpoints where it accepts the first element instead.

    Raises:
        ValueError: the elements differ in structure or shape.
    """
    if not isinstance(checkpoints, list) or not checkpoints:
        return checkpoints
    first_of_leaves = jax.tree.map(lambda leaf: leaf[0] if jnp.ndim(leaf) else leaf, checkpoints)
    if accepts(loss, first_of_leaves, data) or not accepts(loss, checkpoints[0], data):
        return checkpoints
    structures = {jax.tree.structure(checkpoint) for checkpoint in checkpoints}
    shapes = {tuple(jnp.shape(leaf) for leaf in jax.tree.leaves(checkpoint)) for checkpoint in checkpoints}
    if len(structures) > 1 or len(shapes) > 1:
        raise ValueError("checkpoints: the elements of the list differ in structure or shape, so they cannot be stacked")
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *checkpoints)


def accepts(loss: Loss, params: Any, data: Examples | None) -> bool:
    """Return whether the loss has a value for these parameters."""
    try:
        jax.eval_shape(loss, params, data)
    except Exception:
        return False
    return True
