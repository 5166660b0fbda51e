"""The card of the model `superposition`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ontogeny.config.cards import ModelSection
from ontogeny.config.limits import LARGEST
from ontogeny.config.section import Count, NonNegative, NotEmpty, Section


class PolygonStart(Section):
    """The network starts at a k-gon of the toy model of superposition, plus Gaussian noise."""

    polygon: Annotated[
        int, Field(ge=3, le=LARGEST, description="The network starts at the polygon of this many features, the k-gon.")
    ] = 4
    noise: Annotated[NonNegative, Field(description="The noise on every parameter at the start has this standard deviation.")] = (
        0.01
    )


class Superposition(ModelSection):
    """The network is the toy model of superposition, ReLU(Wᵀ W x + b)."""

    kind: Annotated[Literal["superposition"], Field(description="The kind `superposition` selects this model.")]
    hidden: Annotated[Count, Field(description="The model has this many hidden dimensions, r in the paper.")] = 2
    start: Annotated[
        PolygonStart | None,
        NotEmpty,
        Field(description="The network starts near a polygon; null means a random start."),
    ] = None

    needs: ClassVar = frozenset({"features"})
    seeds_per_job: ClassVar = 8

    def parameters(self, shape: Mapping[str, int]) -> int:
        return shape["features"] * (self.hidden + 1)

    def check_shape(self, shape: Mapping[str, int]) -> None:
        super().check_shape(shape)
        if self.start is not None and self.start.polygon > shape["features"]:
            raise ValueError(f"model.start.polygon ({self.start.polygon}) is larger than task.features ({shape['features']})")

    @model_validator(mode="after")
    def check_plane(self) -> Self:
        if self.start is not None and self.hidden != 2:
            raise ValueError("start: a polygon lies in a plane, so hidden must be 2")
        return self
