"""The singular values of the map that a linear network computes, beside the teacher's (Saxe et al. 2014)."""

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np

from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import Recorded, Task

NEEDS = Needs(methods=("product",), provides=("teacher",))


def build(network: Network, task: Task) -> Mapping[str, Recorded]:
    """Return `values` and `teacher`, each [min(inputs, outputs)], the largest first."""
    return {
        "values": lambda params: jnp.linalg.svd(network.apply(params, method="product"), compute_uv=False),
        "teacher": np.linalg.svd(np.asarray(task.provides["teacher"]), compute_uv=False),
    }
