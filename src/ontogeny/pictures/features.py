"""The feature vectors of the toy model of superposition, where they lie in a plane (Elhage et al. 2022)."""

from collections.abc import Mapping

from ontogeny.observables.polygons import plane
from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import Recorded, Task

NEEDS = Needs(methods=("feature_vectors",), more=plane)


def build(network: Network, task: Task) -> Mapping[str, Recorded]:
    """Return `vectors` [2, features], the columns of W."""
    return {"vectors": lambda params: network.apply(params, method="feature_vectors")}
