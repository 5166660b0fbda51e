"""What the chains of a family are run on: the loss on the labels, or that on the network's own outputs at the checkpoint."""

from collections.abc import Callable
from typing import Any, NamedTuple

from ontogeny import config
from ontogeny.errors import SpecificationError
from ontogeny.problem.behavioural import behavioural_loss, moving_mask, with_reference
from ontogeny.problem.problem import Batch, Problem


class Target(NamedTuple):
    """A loss with its data, and how checkpoints of the network, masks of its parameters and batches are handed to it."""

    loss: Callable[[Any, Any], Any]
    data: Any
    checkpoints: Callable[[Any], Any]
    mask: Callable[[Any, Any], Any]
    examples: Callable[[Batch], Any]

    def on(self, batch: Batch) -> "Target":
        """The same loss on other examples."""
        return self._replace(data=self.examples(batch))


def build_target(problem: Problem, llc: config.LocalLearningCoefficient) -> Target:
    """The target that the config asks for. Make it once a job: its loss is compiled.

    Raises:
        SpecificationError: the task has no divergence of outputs to go by.
    """
    if not llc.behavioural:
        return Target(problem.loss, problem.data.sampling, lambda params: params, lambda params, mask: mask, lambda batch: batch)
    if problem.apply is None or problem.divergence is None:
        raise SpecificationError("llc.behavioural: the task says no `divergence` of outputs (see ontogeny.problem.problem.Task)")
    loss = behavioural_loss(problem.apply, problem.divergence)
    return Target(loss, problem.data.sampling[0], with_reference, moving_mask, lambda batch: batch[0])
