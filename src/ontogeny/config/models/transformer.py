"""The card of the model `transformer`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ontogeny.config.cards import ModelSection
from ontogeny.config.limits import MOST_LAYERS
from ontogeny.config.section import AtLeastTwo, Count, CountOrZero


class Transformer(ModelSection):
    """The network is a decoder-only transformer."""

    kind: Annotated[Literal["transformer"], Field(description="The kind `transformer` selects this model.")]
    layers: Annotated[int, Field(ge=1, le=MOST_LAYERS, description="The transformer has this many layers.")] = 2
    heads: Annotated[Count, Field(description="Each layer has this many attention heads; they divide `width`.")] = 2
    width: Annotated[AtLeastTwo, Field(description="The residual stream has this many dimensions, d_model.")] = 64
    mlp: Annotated[
        CountOrZero,
        Field(description="The MLP of each layer has this many hidden units; 0 means that the layers have attention only."),
    ] = 0

    needs: ClassVar = frozenset({"vocabulary", "context"})

    def check_shape(self, shape: Mapping[str, int]) -> None:
        """Reject a task without a context, and one whose tokens are neither numbered nor vectors of a known size."""
        super().check_shape({"vocabulary": 1, **shape} if "token_size" in shape else shape)

    def sizes(self, shape: Mapping[str, int]) -> tuple[int, int]:
        """Return how many rows the embedding has, and how many numbers the network writes for each token."""
        if "vocabulary" in shape:
            return shape["vocabulary"], shape["vocabulary"]
        return shape["token_size"], 1

    def parameters(self, shape: Mapping[str, int]) -> int:
        read, written = self.sizes(shape)
        norm = 2 * self.width
        mlp = norm + 2 * self.width * self.mlp + self.mlp + self.width if self.mlp else 0
        layer = norm + 4 * self.width * (self.width + 1) + mlp
        return (read + written + shape["context"]) * self.width + written + self.layers * layer + norm

    @model_validator(mode="after")
    def check_heads(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width ({self.width}) must be a multiple of heads ({self.heads})")
        return self
