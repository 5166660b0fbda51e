"""Boolean masks of the parameters of a component, made from its predicate when they are needed."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from ontogeny.problem.problem import Predicate, Shapes


def mask_of(predicate: Predicate, shapes: Shapes) -> dict[str, Bool[Array, "..."]]:
    """Return boolean arrays shaped like the parameters, True where they belong to the component.

    Args:
        predicate: of the component, from `Network.components`.
        shapes: of the flat parameters, from `parameter_shapes`.
    """
    masks = {path: np.zeros(array.shape, bool) for path, array in shapes.items()}
    for path, index in predicate(shapes).items():
        masks[path][index] = True
    return {path: jnp.asarray(mask) for path, mask in masks.items()}
