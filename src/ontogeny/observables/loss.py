"""The loss on the data set of the local posterior, L_n, and on held-out examples."""

from collections.abc import Mapping

from jaxtyping import Array, Float

from ontogeny.arrays.parts import mean_in_parts
from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import Batch, ObservableFunction, Params, Task

NEEDS = Needs()


def build(network: Network, task: Task) -> Mapping[str, ObservableFunction]:
    """Return `loss` and `evaluation_loss`: means over the examples, in the units of the task's loss."""

    def mean_loss(params: Params, batch: Batch) -> Float[Array, ""]:
        return mean_in_parts(
            lambda batch: network.apply(params, batch[0]), lambda outputs, batch: task.output_loss(outputs, batch[1]), batch
        )

    return {
        "loss": lambda params: mean_loss(params, task.data.sampling),
        "evaluation_loss": lambda params: mean_loss(params, task.data.evaluation),
    }
