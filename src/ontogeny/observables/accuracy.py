"""How often the likeliest class is the right one, on the examples learnt from and on held-out ones."""

from collections.abc import Mapping

from ontogeny.arrays.parts import mean_in_parts
from ontogeny.observables.requirements import lacking, require
from ontogeny.problem.network import Network
from ontogeny.problem.problem import Batch, ObservableFunction, Params, Task


def fits(network: Network, task: Task) -> bool:
    return not lacking(network, task, provided=["accuracy"])


def build(network: Network, task: Task) -> Mapping[str, ObservableFunction]:
    """`accuracy` and `evaluation_accuracy`, between 0 and 1.

    Raises:
        ValueError: the task does not say what a right answer is.
    """
    require("accuracy", lacking(network, task, provided=["accuracy"]))

    def on(batch: Batch) -> ObservableFunction:
        def measure(params: Params):
            return mean_in_parts(
                lambda part: network.apply(params, part[0]),
                lambda logits, part: task.provides["accuracy"](logits, part[1]),
                batch,
            )

        return measure

    return {"accuracy": on(task.data.sampling), "evaluation_accuracy": on(task.data.evaluation)}
