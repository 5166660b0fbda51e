"""The accuracy of a classifier on the examples that it learns from and on held-out ones."""

from collections.abc import Mapping

from ontogeny.problem.example_means import ExampleMean
from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import Batch, ObservableFunction, Task

NEEDS = Needs(provides=("accuracy",))


def build(network: Network, task: Task) -> Mapping[str, ObservableFunction]:
    """Return `accuracy` and `evaluation_accuracy`, both between 0 and 1."""

    def on(batch: Batch) -> ExampleMean:
        return ExampleMean(
            network=network,
            examples=batch,
            inputs=lambda batch: batch[0],
            measure=lambda logits, batch: task.provides["accuracy"](logits, batch[1]),
        )

    return {"accuracy": on(task.data.sampling), "evaluation_accuracy": on(task.data.evaluation)}
