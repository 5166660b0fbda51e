"""The card of the task `modular_addition`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ontogeny.config.cards import TaskSection
from ontogeny.config.section import Seed


class ModularAddition(TaskSection):
    """The network adds modulo p and learns from a share of all pairs (Power et al. 2022; Nanda et al. 2023)."""

    kind: Annotated[Literal["modular_addition"], Field(description="The kind `modular_addition` selects this task.")]
    modulus: Annotated[int, Field(ge=3, le=1000, description="The network adds numbers modulo this p.")] = 53
    share: Annotated[float, Field(gt=0, lt=1, description="The network learns from this share of all p² pairs.")] = 0.4
    labels: Annotated[
        Literal["sums", "random"],
        Field(description="The label of a pair is its sum modulo p; `random` draws every label once, so nothing generalises."),
    ] = "sums"
    seed: Annotated[
        Seed,
        Field(description="This seed draws the pairs to learn from and random labels; the seeds of the runs do not change them."),
    ] = 0

    same_network: ClassVar = ("share", "labels", "seed")

    @property
    def shape(self) -> Mapping[str, int]:
        return {"numbers": self.modulus, "classes": self.modulus}

    @property
    def examples(self) -> int:
        """Return the size n of the data set."""
        return round(self.share * self.modulus**2)

    @model_validator(mode="after")
    def check_share(self) -> Self:
        if not 2 <= self.examples < self.modulus**2:
            raise ValueError(f"share ({self.share}) leaves {self.examples} of {self.modulus**2} pairs to learn from")
        return self
