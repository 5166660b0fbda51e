"""The card of the task `polynomial`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ontogeny.config.cards import TaskSection
from ontogeny.config.limits import MOST_ENTRIES
from ontogeny.config.section import AtLeastTwo


class Polynomial(TaskSection):
    """The network learns a polynomial of one input, without noise, in an orthonormal basis of polynomials."""

    kind: Annotated[Literal["polynomial"], Field(description="The kind `polynomial` selects this task.")]
    coefficients: Annotated[
        list[float],
        Field(
            min_length=1,
            max_length=MOST_ENTRIES,
            description="The polynomial has these coefficients in the basis, that of degree 0 first.",
        ),
    ] = [0.0]
    examples: Annotated[AtLeastTwo, Field(description="The data set has this many examples, n, at Chebyshev nodes.")] = 32

    same_network: ClassVar = ("coefficients", "examples")

    @property
    def shape(self) -> Mapping[str, int]:
        return {"terms": len(self.coefficients)}

    @model_validator(mode="after")
    def check_examples(self) -> Self:
        if self.examples < len(self.coefficients):
            raise ValueError(f"examples ({self.examples}) is smaller than the number of coefficients ({len(self.coefficients)})")
        return self
