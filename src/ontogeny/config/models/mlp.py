"""The card of the model `mlp`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ontogeny.config.cards import ModelSection
from ontogeny.config.section import Count


class MLP(ModelSection):
    """The network has one hidden layer over two embedded numbers (Panickssery and Vaintrob 2023)."""

    kind: Annotated[Literal["mlp"], Field(description="The kind `mlp` selects this model.")]
    width: Annotated[Count, Field(description="The embedding of a number has this many dimensions.")] = 12
    hidden: Annotated[Count, Field(description="The hidden layer has this many units.")] = 48

    needs: ClassVar = frozenset({"numbers", "classes"})

    def parameters(self, shape: Mapping[str, int]) -> int:
        return shape["numbers"] * self.width + 2 * self.width * self.hidden + self.hidden * shape["classes"]
