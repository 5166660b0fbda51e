"""A family of config.yaml, and the checks that its sections fit each other."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from ontogeny.config.cards import ModelSection, TaskSection
from ontogeny.config.faults import describe
from ontogeny.config.kinds import Model, ObservableKind, PictureKind, Task
from ontogeny.config.limits import MOST_CHECKPOINTS, MOST_ENTRIES, MOST_SEEDS, MOST_SEEDS_PER_JOB
from ontogeny.config.llc import LocalLearningCoefficient
from ontogeny.config.phases import Posterior, check_posterior
from ontogeny.config.section import NotEmpty, Section, Seed
from ontogeny.config.training import Checkpoints, Training
from ontogeny.config.transitions import Transitions

FEWEST_ALONG = 2
"""The fewest values of a key that make a trajectory along it."""


class Family(Section):
    """A family is a model, a task and a training, with its seeds."""

    description: Annotated[str, Field(description="The reports show this text, a sentence or two.")] = ""
    seeds: Annotated[
        list[Seed] | None,
        Field(
            min_length=1,
            max_length=MOST_SEEDS,
            description="Every variant of the family has a run for each of these seeds; null means the seeds of the study.",
        ),
    ] = None
    task: Annotated[Task, Field(description="The networks learn this task.")]
    model: Annotated[Model, Field(description="The networks are of this kind.")]
    training: Annotated[Training, Field(description="The networks are trained in this way.")]
    checkpoints: Annotated[Checkpoints, Field(description="A run keeps these steps as checkpoints.")]
    llc: Annotated[LocalLearningCoefficient, Field(description="The local learning coefficient λ̂ is estimated in this way.")] = (
        LocalLearningCoefficient()
    )
    observables: Annotated[
        list[ObservableKind] | None,
        Field(
            max_length=MOST_ENTRIES,
            description="These observables are measured at every checkpoint; null means all that fit the model and the task.",
        ),
    ] = None
    pictures: Annotated[
        list[PictureKind] | None,
        Field(
            max_length=MOST_ENTRIES,
            description="The pages show these pictures of the network; null means all that fit the model and the task.",
        ),
    ] = None
    transitions: Annotated[Transitions, Field(description="Transitions are detected and named in this way.")] = Transitions()
    phases: Annotated[
        Posterior | None,
        NotEmpty,
        Field(description="The posterior of the whole network is sampled while n grows; null means that it is not."),
    ] = None
    seeds_per_job: Annotated[
        int | None,
        Field(
            ge=1,
            le=MOST_SEEDS_PER_JOB,
            description="One job trains and samples this many seeds together; null means 8 for the model superposition, else 1.",
        ),
    ] = None

    @model_validator(mode="after")
    def check_fit(self) -> Self:
        if isinstance(self.task, TaskSection):
            check_examples(self.task, self.llc, self.training)
            if isinstance(self.model, ModelSection):
                self.model.check_shape(self.task.shape)
        for name, other in (self.llc.refine.data if self.llc.refine else {}).items():
            check_other_data(self.task, name, other, self.llc.batch_size or 0)
        if self.phases is not None:
            check_posterior(self.task, self.model)
        last = self.training.steps
        if (count := self.checkpoints.count(last)) > MOST_CHECKPOINTS:
            raise ValueError(f"checkpoints asks for {count} of {last} steps; allowed are at most {MOST_CHECKPOINTS}")
        if late := [step for step in self.transitions.interventions if step > last]:
            raise ValueError(f"transitions.interventions.{late[0]} is later than the last step, training.steps ({last})")
        return self


class FamilyWithSweep(Family):
    """A family of config.yaml is a model, a task and a training, with its seeds and its sweep."""

    sweep: Annotated[
        dict[str, Annotated[list[Any], Field(min_length=1)]],
        Field(description="A dotted key of the family maps to the values that it takes; every combination is a variant."),
    ] = {}
    along: Annotated[
        str | None,
        Field(
            description="The family has trajectories along this swept key too, of numbers: one for each seed, from the last "
            "checkpoint of every variant; null means none."
        ),
    ] = None

    @field_validator("along")
    @classmethod
    def check_along(cls, along: str | None, info: ValidationInfo) -> str | None:
        if along is not None and "sweep" in info.data:
            check_swept_alone(along, info.data["sweep"])
        return along


def check_swept_alone(along: str, sweep: Mapping[str, list[Any]]) -> None:
    """Reject an axis that the family does not sweep, sweeps beside another key, or sweeps over something else than numbers.

    Raises:
        ValueError: saying what is allowed.
    """
    if along not in sweep:
        raise ValueError(f"must be a key of sweep, which has {', '.join(sweep) or 'none'}")
    if others := [key for key in sweep if key != along]:
        raise ValueError(f"sweep has {', '.join(others)} besides; a family that has trajectories along a key sweeps it alone")
    values = sweep[along]
    if wrong := [value for value in values if isinstance(value, bool) or not isinstance(value, (int, float))]:
        raise ValueError(f"sweep.{along} has {wrong[0]!r}; along it every value must be a number")
    if len(set(values)) < len(values) or not all(map(math.isfinite, values)):
        raise ValueError(f"sweep.{along} is {values}; along it every value must be finite and occur once")
    if len(values) < FEWEST_ALONG:
        raise ValueError(f"sweep.{along} has {len(values)} values; a trajectory along it needs {FEWEST_ALONG} or more")


def check_examples(task: TaskSection, llc: LocalLearningCoefficient, training: Training) -> None:
    """Reject a minibatch or a number of kept losses that is larger than the data set.

    Raises:
        ValueError: naming both keys.
    """
    examples = llc.per_example.examples if llc.per_example else 0
    counts = {
        "llc.batch_size": llc.batch_size or 0,
        "llc.per_example.examples": 0 if examples == "all" else examples,
        "training.batch_size": 0 if task.fresh_batches else training.batch_size,
    }
    for key, count in counts.items():
        if count > task.examples:
            raise ValueError(f"{key} ({count}) is larger than task.examples ({task.examples})")


def check_other_data(task: Task, name: str, other: Mapping[str, Any], batch_size: int) -> None:
    """Reject a data set that cannot be made, or that the task's network could not read.

    Raises:
        ValueError: naming the key, its value and what is allowed.
    """
    path = f"llc.refine.data.{name}"
    allowed = task.same_network if isinstance(task, TaskSection) else [key for key in other if key != "kind"]
    if wrong := [key for key in other if key not in allowed]:
        others = ", ".join(allowed) or "the task's own keys"
        raise ValueError(f"{path}.{wrong[0]} is {other[wrong[0]]!r}: data for the same network may differ in {others}")
    if not other:
        raise ValueError(f"{path} is {{}}: it says no key of the task that differs")
    try:
        changed = task.with_changes(other)
    except ValidationError as error:
        raise ValueError("; ".join(describe(error, type(task), path))) from None
    if isinstance(changed, TaskSection) and batch_size > changed.examples:
        raise ValueError(f"llc.batch_size ({batch_size}) is larger than {path}.examples ({changed.examples})")
