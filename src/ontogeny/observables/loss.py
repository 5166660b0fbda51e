"""The loss on the data set of the local posterior, L_n, and on held-out examples."""

from collections.abc import Mapping

from ontogeny.problem.example_means import ExampleMean
from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import Batch, ObservableFunction, Task

NEEDS = Needs()


def build(network: Network, task: Task) -> Mapping[str, ObservableFunction]:
    """Return `loss` and `evaluation_loss`: means over the examples, in the units of the task's loss."""

    def mean_loss(batch: Batch) -> ExampleMean:
        return ExampleMean(
            network=network,
            examples=batch,
            inputs=lambda batch: batch[0],
            measure=lambda outputs, batch: task.output_loss(outputs, batch[1]),
        )

    return {"loss": mean_loss(task.data.sampling), "evaluation_loss": mean_loss(task.data.evaluation)}
