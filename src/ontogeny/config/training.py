"""How a run is trained, and which steps it keeps (`training:` and `checkpoints:` of a family)."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from ontogeny.config import optax_names
from ontogeny.config.limits import LARGEST, MOST_CHECKPOINTS
from ontogeny.config.section import Count, CountOrZero, Positive, Section

OptaxInteger = Annotated[int, Field(ge=-LARGEST, le=LARGEST)]
OptaxArgument = bool | OptaxInteger | float | None | list[float] | dict[OptaxInteger, float]


class Schedule(Section):
    """The learning rate follows a schedule of Optax; all keys beside `name` are the schedule's own arguments."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, OptaxArgument]
    name: Annotated[str, Field(description="Optax calls the schedule by this name, such as `cosine_decay_schedule`.")]

    @model_validator(mode="after")
    def check_signature(self) -> Self:
        optax_names.check("schedule", self.name, self.__pydantic_extra__ or {})
        return self


class Optimizer(Section):
    """The run uses an optimiser of Optax; all keys beside `name` are the optimiser's own arguments."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, OptaxArgument]
    name: Annotated[str, Field(description="Optax calls the optimiser by this name, such as `adamw` or `sgd`.")] = "adamw"
    learning_rate: Annotated[
        Positive | Schedule, Field(description="The learning rate is a number, or follows a schedule: {name: …}.")
    ]

    @model_validator(mode="after")
    def check_signature(self) -> Self:
        optax_names.check("optimizer", self.name, {"learning_rate": 0, **(self.__pydantic_extra__ or {})})
        return self


class Training(Section):
    """The section says how a run is trained."""

    optimizer: Annotated[Optimizer, Field(description="This optimiser updates the parameters at every step.")]
    steps: Annotated[Count, Field(description="Training takes this many steps.")]
    batch_size: Annotated[Count, Field(description="Each step uses a minibatch of this many examples.")] = 32
    clip: Annotated[
        Positive | None,
        Field(description="The gradient is scaled down where its global norm exceeds this number; null means never."),
    ] = None
    warmup: Annotated[
        CountOrZero,
        Field(description="The learning rate rises linearly from 0 over this many steps; 0 means no warm-up."),
    ] = 0

    @model_validator(mode="after")
    def check_warmup(self) -> Self:
        if self.warmup and isinstance(self.optimizer.learning_rate, Schedule):
            raise ValueError("warmup goes with a constant learning_rate; put the warm-up into the schedule")
        return self


class Checkpoints(Section):
    """A run keeps the steps that any of the three keys names, and always the first and the last."""

    linear: Annotated[
        int | None,
        Field(ge=1, le=MOST_CHECKPOINTS, description="The run keeps this many evenly spaced steps; null means none."),
    ] = None
    logarithmic: Annotated[
        int | None,
        Field(
            ge=1, le=MOST_CHECKPOINTS, description="The run keeps this many steps, evenly spaced in log(step); null means none."
        ),
    ] = None
    every: Annotated[Count | None, Field(description="The run keeps one step in every so many; null means none.")] = None

    @model_validator(mode="after")
    def check_given(self) -> Self:
        if self.linear is self.logarithmic is self.every is None:
            raise ValueError("give at least one of linear, logarithmic, every")
        return self

    def count(self, steps: int) -> int:
        """Return how many checkpoints the three keys ask for after the first; steps that they share count twice."""
        return (self.linear or 0) + (self.logarithmic or 0) + (steps // self.every if self.every else 0)
