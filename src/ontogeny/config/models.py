"""The models of config.yaml: `model:` of a family."""

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from ontogeny.config.kinds import UserKind, kind_tag
from ontogeny.config.section import Count, NonNegative, NotEmpty, Positive, Section


class PolygonStart(Section):
    """Start at a k-gon of the toy model of superposition, plus Gaussian noise."""

    polygon: Annotated[int, Field(ge=3, description="k: the number of features in the polygon")] = 4
    noise: Annotated[NonNegative, Field(description="standard deviation of the noise on every parameter")] = 0.01


class Superposition(Section):
    """The toy model of superposition, ReLU(W^T W x + b)."""

    kind: Literal["superposition"]
    hidden: Annotated[int, Field(ge=1, description="hidden dimensions, r in the paper")] = 2
    start: Annotated[PolygonStart | None, NotEmpty] = None

    @model_validator(mode="after")
    def check_plane(self) -> Self:
        if self.start is not None and self.hidden != 2:
            raise ValueError("start: a polygon lies in a plane, so hidden must be 2")
        return self


class Transformer(Section):
    """A decoder-only transformer; without an MLP (mlp: 0) it is attention-only."""

    kind: Literal["transformer"]
    layers: Count = 2
    heads: Count = 2
    width: Annotated[int, Field(ge=2, description="residual stream, d_model")] = 64
    mlp: Annotated[int, Field(ge=0, description="hidden units of the MLP of each layer; 0 for attention-only")] = 0

    @model_validator(mode="after")
    def check_heads(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width ({self.width}) must be a multiple of heads ({self.heads})")
        return self


class Linear(Section):
    """A deep linear network, W_L … W_1 x."""

    kind: Literal["linear"]
    hidden: Annotated[list[Count], Field(description="widths of the hidden layers; [] for a single matrix")] = [5, 5]
    spread: Annotated[Positive, Field(description="standard deviation of every weight at step 0; small: saddle to saddle")] = 0.1


class MLP(Section):
    """A network of one hidden layer over two embedded numbers (Panickssery and Vaintrob 2023)."""

    kind: Literal["mlp"]
    width: Annotated[int, Field(ge=1, description="of the embedding")] = 12
    hidden: Annotated[int, Field(ge=1, description="hidden units")] = 48


Model = Annotated[
    Annotated[Superposition, Tag("superposition")]
    | Annotated[Transformer, Tag("transformer")]
    | Annotated[Linear, Tag("linear")]
    | Annotated[MLP, Tag("mlp")]
    | Annotated[UserKind, Tag("file")],
    Discriminator(kind_tag),
]
