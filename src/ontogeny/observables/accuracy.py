"""The accuracy of a classifier on the examples that it learns from and on held-out ones."""

from collections.abc import Mapping

from ontogeny.arrays.parts import mean_in_parts
from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import Batch, ObservableFunction, Params, Task

NEEDS = Needs(provides=("accuracy",))


def build(network: Network, task: Task) -> Mapping[str, ObservableFunction]:
    """Return `accuracy` and `evaluation_accuracy`, both between 0 and 1."""

    def on(batch: Batch) -> ObservableFunction:
        def measure(params: Params):
            return mean_in_parts(
                lambda part: network.apply(params, part[0]),
                lambda logits, part: task.provides["accuracy"](logits, part[1]),
                batch,
            )

        return measure

    return {"accuracy": on(task.data.sampling), "evaluation_accuracy": on(task.data.evaluation)}
