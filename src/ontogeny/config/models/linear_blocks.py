"""The card of the model `linear_blocks`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ontogeny.config.cards import ModelSection
from ontogeny.config.limits import MOST_ENTRIES
from ontogeny.config.section import NonNegative, NotEmpty, Positive


class LinearBlocksModel(ModelSection):
    """The network has a linear map b aᵀ of rank one for each block of its task."""

    kind: Annotated[Literal["linear_blocks"], Field(description="The kind `linear_blocks` selects this model.")]
    spread: Annotated[Positive, Field(description="Every weight of a random start has this standard deviation at step 0.")] = 0.01
    start: Annotated[
        Annotated[list[NonNegative | None], Field(max_length=MOST_ENTRIES)] | None,
        NotEmpty,
        Field(
            description="Block i is start[i] times its target at step 0, with a and b of one length; null means a random start.",
        ),
    ] = None

    needs: ClassVar = frozenset({"blocks"})
    seeds_per_job: ClassVar = 8

    def parameters(self, shape: Mapping[str, int]) -> int:
        return 2 * sum(shape[f"blocks.{i}"] for i in range(shape["blocks"]))

    def check_shape(self, shape: Mapping[str, int]) -> None:
        super().check_shape(shape)
        if self.start is not None and len(self.start) != shape["blocks"]:
            raise ValueError(f"model.start has {len(self.start)} entries; task.sizes has {shape['blocks']}")
