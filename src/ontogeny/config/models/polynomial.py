"""The card of the model `polynomial`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ontogeny.config.cards import ModelSection
from ontogeny.config.limits import MOST_ENTRIES
from ontogeny.config.section import NotEmpty, Positive

Power = Annotated[int, Field(ge=1, le=10)]


class Polynomial(ModelSection):
    """The network is a polynomial whose coefficients are products of its parameters, such as θ1 + θ2 θ3 x + θ4 θ5 θ6 x²."""

    kind: Annotated[Literal["polynomial"], Field(description="The kind `polynomial` selects this model.")]
    exponents: Annotated[
        list[Annotated[list[Power], Field(min_length=1, max_length=MOST_ENTRIES)]],
        Field(
            min_length=1,
            max_length=MOST_ENTRIES,
            description="A coefficient is the product of its own parameters with these exponents; that of degree 0 comes first.",
        ),
    ] = [[1]]
    start: Annotated[
        Annotated[list[float], Field(max_length=MOST_ENTRIES)] | None,
        NotEmpty,
        Field(
            description="The coefficients have these values at step 0, with parameters of one size; null means a random start.",
        ),
    ] = None
    spread: Annotated[Positive, Field(description="Every parameter has this standard deviation at step 0 of a random start.")] = (
        0.1
    )

    needs: ClassVar = frozenset({"terms"})
    seeds_per_job: ClassVar = 8

    def parameters(self, shape: Mapping[str, int]) -> int:
        return sum(map(len, self.exponents))

    def check_shape(self, shape: Mapping[str, int]) -> None:
        super().check_shape(shape)
        if len(self.exponents) != shape["terms"]:
            raise ValueError(f"model.exponents has {len(self.exponents)} entries; task.coefficients has {shape['terms']}")

    @model_validator(mode="after")
    def check_start(self) -> Self:
        if self.start is not None and len(self.start) != len(self.exponents):
            raise ValueError(f"start has {len(self.start)} entries; exponents has {len(self.exponents)}")
        for value, powers in zip(self.start or [], self.exponents, strict=False):
            if value < 0 and powers[0] % 2 == 0:
                raise ValueError(f"start is {value} where the first exponent is {powers[0]}: an even power is not negative")
        return self
