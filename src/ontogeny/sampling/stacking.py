"""Accept checkpoints as a list, as training loops keep them."""

from typing import Any

import jax
import jax.numpy as jnp

from ontogeny.arrays.flat import Checkpoints
from ontogeny.sampling.objective import Examples, Loss


def stacked(checkpoints: Any, loss: Loss, data: Examples | None) -> Checkpoints:
    """Return checkpoints with a leading axis: a list of K checkpoints is stacked, anything else is returned as it is.

    A network may itself be a list, for example of layers. Elements that differ in structure or shape are layers. Of others the
    loss decides: a list is a network where the loss accepts the first entries of its leaves, and a list of checkpoints where it
    accepts the first element instead.
    """
    if not isinstance(checkpoints, list) or not checkpoints or not are_alike(checkpoints):
        return checkpoints
    first_of_leaves = jax.tree.map(lambda leaf: leaf[0] if jnp.ndim(leaf) else leaf, checkpoints)
    if accepts(loss, first_of_leaves, data) or not accepts(loss, checkpoints[0], data):
        return checkpoints
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *checkpoints)


def are_alike(trees: list[Any]) -> bool:
    """Return whether trees have one structure and leaves of the same shapes."""
    structures = {jax.tree.structure(tree) for tree in trees}
    shapes = {tuple(jnp.shape(leaf) for leaf in jax.tree.leaves(tree)) for tree in trees}
    return len(structures) == len(shapes) == 1


def accepts(loss: Loss, params: Any, data: Examples | None) -> bool:
    """Return whether the loss has a value for these parameters."""
    try:
        jax.eval_shape(loss, params, data)
    except Exception:
        return False
    return True
