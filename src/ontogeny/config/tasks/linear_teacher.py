"""The card of the task `linear_teacher`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ontogeny.config.cards import TaskSection
from ontogeny.config.section import AtLeastTwo, Count, Positive, Seed


class LinearTeacher(TaskSection):
    """The network learns a linear map of known rank, with inputs from N(0, I) and labels without noise (Saxe et al. 2014)."""

    kind: Annotated[Literal["linear_teacher"], Field(description="The kind `linear_teacher` selects this task.")]
    inputs: Annotated[Count, Field(description="An example has this many inputs.")] = 12
    outputs: Annotated[Count, Field(description="An example has this many outputs.")] = 12
    rank: Annotated[Count, Field(description="The teacher has this rank; its singular values are scale · (1, 2, …, rank).")] = 5
    scale: Annotated[Positive, Field(description="The teacher's smallest singular value is this number.")] = 1.0
    examples: Annotated[AtLeastTwo, Field(description="The data set has this many examples, n; it is drawn once.")] = 1000
    seed: Annotated[
        Seed, Field(description="This seed draws the teacher and the data set; the seeds of the runs do not change them.")
    ] = 0

    whiten: Annotated[
        bool,
        Field(description="The value true makes the second moments of the inputs exactly I, so that L_n is the population loss."),
    ] = False

    same_network: ClassVar = ("rank", "scale", "examples", "seed", "whiten")

    @property
    def shape(self) -> Mapping[str, int]:
        return {"inputs": self.inputs, "outputs": self.outputs}

    @model_validator(mode="after")
    def check_rank(self) -> Self:
        if self.rank > min(self.inputs, self.outputs):
            raise ValueError(f"rank ({self.rank}) is larger than inputs ({self.inputs}) or outputs ({self.outputs})")
        if self.whiten and self.examples < self.inputs:
            raise ValueError(f"whiten needs at least as many examples ({self.examples}) as inputs ({self.inputs})")
        return self
