"""The card of the task `sparse_points`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ontogeny.config.cards import TaskSection
from ontogeny.config.section import AtLeastTwo, Count, Seed, Share


class SparsePoints(TaskSection):
    """The network reconstructs a fixed number of sparse points of length 1 (Henighan et al. 2023)."""

    kind: Annotated[Literal["sparse_points"], Field(description="The kind `sparse_points` selects this task.")]
    features: Annotated[AtLeastTwo, Field(description="A point has this many features, n in the paper.")] = 60
    sparsity: Annotated[
        Share, Field(description="A feature is zero with this probability, S in the paper, else uniform on [0, 1].")
    ] = 0.95
    points: Annotated[Count, Field(description="The training set has this many points, T in the paper.")] = 200
    examples: Annotated[
        AtLeastTwo,
        Field(
            description="The data set of the local posterior repeats the training points to this many examples, n; a multiple "
            "of `points`, so that its mean loss is that of the training points."
        ),
    ] = 3000
    evaluation: Annotated[AtLeastTwo, Field(description="The loss is also measured on this many other points.")] = 4096
    seed: Annotated[
        Seed,
        Field(
            description="This seed draws the points; the seeds of the runs do not change them. A smaller training set is the "
            "beginning of a larger one."
        ),
    ] = 0

    same_network: ClassVar = ("sparsity", "points", "examples", "evaluation", "seed")
    fresh_batches: ClassVar = True

    @property
    def shape(self) -> Mapping[str, int]:
        return {"features": self.features}

    @model_validator(mode="after")
    def check_multiple(self) -> Self:
        if self.examples % self.points:
            raise ValueError(f"examples ({self.examples}) must be a multiple of points ({self.points})")
        if self.sparsity == 1:
            raise ValueError("sparsity is 1: no feature would ever be active; it must be less than 1")
        return self
