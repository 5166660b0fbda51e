"""The card of the model `pair_transformer`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ontogeny.config.cards import ModelSection
from ontogeny.config.section import AtLeastTwo, Count


class PairTransformer(ModelSection):
    """The network is a transformer of one layer over the tokens a, b and =, without LayerNorm (Nanda et al. 2023)."""

    kind: Annotated[Literal["pair_transformer"], Field(description="The kind `pair_transformer` selects this model.")]
    heads: Annotated[Count, Field(description="The layer has this many attention heads; they divide `width`.")] = 4
    width: Annotated[AtLeastTwo, Field(description="The residual stream has this many dimensions, d_model.")] = 128
    mlp: Annotated[Count, Field(description="The MLP has this many hidden units.")] = 512

    needs: ClassVar = frozenset({"numbers", "classes"})

    def parameters(self, shape: Mapping[str, int]) -> int:
        embedded = (shape["numbers"] + 1 + 3 + shape["classes"]) * self.width
        return embedded + 4 * self.width**2 + 2 * self.width * self.mlp + self.mlp + self.width

    @model_validator(mode="after")
    def check_heads(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width ({self.width}) must be a multiple of heads ({self.heads})")
        return self
