"""Cards: what the config knows of a built-in kind of task or model, without JAX.

A card is the section of config.yaml that selects the kind. `config.kinds` finds it by the name of its module.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from ontogeny.config.section import Section
from ontogeny.errors import SpecificationError


class TaskSection(Section):
    """The card of a task.

    Attributes:
        same_network: the keys that may change while the network stays the same.
        fresh_batches: whether training draws new examples at every step, so that a batch may be larger than the data set.
        examples: the size n of the data set.
    """

    same_network: ClassVar[tuple[str, ...]] = ()
    fresh_batches: ClassVar[bool] = False
    if TYPE_CHECKING:
        kind: str

        @property
        def examples(self) -> int: ...

    @property
    def shape(self) -> Mapping[str, int]:
        """Return what a network must know to fit, as in `Task.shape`."""
        raise NotImplementedError

    @property
    def positions(self) -> int:
        """Return the number of predictions for each example."""
        return 1


class ModelSection(Section):
    """The card of a model.

    Attributes:
        needs: the keys that the shape of its task must have.
        seeds_per_job: how many seeds share a job unless the family says so. It is large where training costs less than the
            start of a job.
    """

    needs: ClassVar[frozenset[str]] = frozenset()
    seeds_per_job: ClassVar[int] = 1
    if TYPE_CHECKING:
        kind: str

    def parameters(self, shape: Mapping[str, int]) -> int:
        """Return the number of parameters for a task of this shape."""
        raise NotImplementedError

    def check_shape(self, shape: Mapping[str, int]) -> None:
        """Reject a task that the model does not fit.

        Raises:
            SpecificationError: naming what the task has and what it lacks.
        """
        if lacking := ", ".join(sorted(self.needs - shape.keys())):
            raise SpecificationError(
                f"model {self.kind} needs a task with {lacking}; this task has {', '.join(shape) or 'no shape'}"
            )
