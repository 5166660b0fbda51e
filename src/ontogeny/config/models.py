"""The models of config.yaml (`model:` of a family)."""

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from ontogeny.config.kinds import UserKind, kind_tag
from ontogeny.config.limits import LARGEST, MOST_LAYERS
from ontogeny.config.section import AtLeastTwo, Count, CountOrZero, NonNegative, NotEmpty, Positive, Section


class PolygonStart(Section):
    """The network starts at a k-gon of the toy model of superposition, plus Gaussian noise."""

    polygon: Annotated[
        int, Field(ge=3, le=LARGEST, description="The network starts at the polygon of this many features, the k-gon.")
    ] = 4
    noise: Annotated[NonNegative, Field(description="The noise on every parameter at the start has this standard deviation.")] = (
        0.01
    )


class Superposition(Section):
    """The network is the toy model of superposition, ReLU(Wᵀ W x + b)."""

    kind: Annotated[Literal["superposition"], Field(description="The kind `superposition` selects this model.")]
    hidden: Annotated[Count, Field(description="The model has this many hidden dimensions, r in the paper.")] = 2
    start: Annotated[
        PolygonStart | None,
        NotEmpty,
        Field(description="The network starts near a polygon; null means a random start."),
    ] = None

    @model_validator(mode="after")
    def check_plane(self) -> Self:
        if self.start is not None and self.hidden != 2:
            raise ValueError("start: a polygon lies in a plane, so hidden must be 2")
        return self


class Transformer(Section):
    """The network is a decoder-only transformer."""

    kind: Annotated[Literal["transformer"], Field(description="The kind `transformer` selects this model.")]
    layers: Annotated[int, Field(ge=1, le=MOST_LAYERS, description="The transformer has this many layers.")] = 2
    heads: Annotated[Count, Field(description="Each layer has this many attention heads; they divide `width`.")] = 2
    width: Annotated[AtLeastTwo, Field(description="The residual stream has this many dimensions, d_model.")] = 64
    mlp: Annotated[
        CountOrZero,
        Field(description="The MLP of each layer has this many hidden units; 0 means that the layers have attention only."),
    ] = 0

    @model_validator(mode="after")
    def check_heads(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width ({self.width}) must be a multiple of heads ({self.heads})")
        return self


class Linear(Section):
    """The network is a deep linear network, W_L … W_1 x."""

    kind: Annotated[Literal["linear"], Field(description="The kind `linear` selects this model.")]
    hidden: Annotated[
        list[Count],
        Field(max_length=MOST_LAYERS, description="The hidden layers have these widths; [] means a single matrix."),
    ] = [5, 5]
    spread: Annotated[
        Positive,
        Field(
            description="Every weight has this standard deviation at step 0; a small one makes training go from saddle to saddle."
        ),
    ] = 0.1


class MLP(Section):
    """The network has one hidden layer over two embedded numbers (Panickssery and Vaintrob 2023)."""

    kind: Annotated[Literal["mlp"], Field(description="The kind `mlp` selects this model.")]
    width: Annotated[Count, Field(description="The embedding of a number has this many dimensions.")] = 12
    hidden: Annotated[Count, Field(description="The hidden layer has this many units.")] = 48


Model = Annotated[
    Annotated[Superposition, Tag("superposition")]
    | Annotated[Transformer, Tag("transformer")]
    | Annotated[Linear, Tag("linear")]
    | Annotated[MLP, Tag("mlp")]
    | Annotated[UserKind, Tag("file")],
    Discriminator(kind_tag),
]
