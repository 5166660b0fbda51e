"""The coefficients of a polynomial network."""

from collections.abc import Mapping

from jaxtyping import Array, Float

from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import ObservableFunction, Params, Task

NEEDS = Needs(methods=("coefficients",), shape=("terms",))


def build(network: Network, task: Task) -> Mapping[str, ObservableFunction]:
    """Return `coefficient` of each component `terms.j`."""

    def coefficients(params: Params) -> dict[str, Float[Array, ""]]:
        return {f"terms.{j}": value for j, value in enumerate(network.apply(params, method="coefficients"))}

    return {"coefficient": coefficients}
