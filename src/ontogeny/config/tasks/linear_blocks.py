"""The card of the task `linear_blocks`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ontogeny.config.cards import TaskSection
from ontogeny.config.limits import MOST_ENTRIES
from ontogeny.config.section import Count, NonNegative, NotEmpty, Positive


class LinearBlocksTask(TaskSection):
    """The network learns independent linear maps of rank one, each of its own size and with its own weight in the loss."""

    kind: Annotated[Literal["linear_blocks"], Field(description="The kind `linear_blocks` selects this task.")]
    sizes: Annotated[
        list[Count],
        Field(min_length=1, max_length=MOST_ENTRIES, description="Block i has sizes[i] inputs and as many outputs."),
    ] = [2, 8, 3, 6, 2, 12, 4, 3, 8, 2]
    decades: Annotated[
        NonNegative,
        Field(
            description="The weights of the blocks in training fall geometrically over this many decades, the first block's "
            "is the largest; their mean is 1."
        ),
    ] = 1.75
    weights: Annotated[
        Annotated[list[Positive], Field(max_length=MOST_ENTRIES)] | None,
        NotEmpty,
        Field(description="The blocks have these weights in training; null means those of `decades`."),
    ] = None
    sampling: Annotated[
        Literal["uniform", "training"],
        Field(description="In the local posterior the blocks have the weight 1, or their weights in training."),
    ] = "uniform"

    same_network: ClassVar = ("decades", "weights", "sampling")

    @property
    def examples(self) -> int:
        return max(self.sizes)

    @property
    def shape(self) -> Mapping[str, int]:
        return {"blocks": len(self.sizes), **{f"blocks.{i}": size for i, size in enumerate(self.sizes)}}

    @model_validator(mode="after")
    def check_weights(self) -> Self:
        if self.weights is not None and len(self.weights) != len(self.sizes):
            raise ValueError(f"weights has {len(self.weights)} entries; sizes has {len(self.sizes)}")
        return self
