"""How a run is trained and which steps are kept: `training:` and `checkpoints:` of a family."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from ontogeny.config import optax_names
from ontogeny.config.section import Count, Positive, Section

OptaxArgument = bool | int | float | None | list[float] | dict[int, float]


class Schedule(Section):
    """A learning-rate schedule of Optax, by its own name and with its own arguments."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, OptaxArgument]
    name: str

    @model_validator(mode="after")
    def check_signature(self) -> Self:
        optax_names.check("schedule", self.name, self.__pydantic_extra__ or {})
        return self


class Optimizer(Section):
    """An optimiser of Optax, by its own name and with its own arguments."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, OptaxArgument]
    name: str = "adamw"
    learning_rate: Positive | Schedule

    @model_validator(mode="after")
    def check_signature(self) -> Self:
        optax_names.check("optimizer", self.name, {"learning_rate": 0, **(self.__pydantic_extra__ or {})})
        return self


class Training(Section):
    """How a run is trained."""

    optimizer: Optimizer
    steps: Count
    batch_size: Count = 32
    clip: Annotated[Positive | None, Field(description="largest global norm of the gradient; null for none")] = None
    warmup: Annotated[int, Field(ge=0, description="steps over which the learning rate rises linearly from 0")] = 0

    @model_validator(mode="after")
    def check_warmup(self) -> Self:
        if self.warmup and isinstance(self.optimizer.learning_rate, Schedule):
            raise ValueError("warmup goes with a constant learning_rate; put the warm-up into the schedule")
        return self


class Checkpoints(Section):
    """Which steps are kept: the union of the three, and always the first and the last."""

    linear: Annotated[int | None, Field(ge=1, description="this many, evenly spaced")] = None
    logarithmic: Annotated[int | None, Field(ge=1, description="this many, spaced evenly in log(step)")] = None
    every: Annotated[int | None, Field(ge=1, description="one every so many steps")] = None

    @model_validator(mode="after")
    def check_some(self) -> Self:
        if self.linear is self.logarithmic is self.every is None:
            raise ValueError("give at least one of linear, logarithmic, every")
        return self
