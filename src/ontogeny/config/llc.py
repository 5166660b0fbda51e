"""How the local learning coefficient is estimated (`llc:` of a family)."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ontogeny.config.limits import LARGEST, LONGEST_NAME, MOST_ENTRIES, MOST_VALUES
from ontogeny.config.samplers import Sampler, SGHMCSampler
from ontogeny.config.section import NAME, AtLeastTwo, Count, CountOrZero, NonNegative, NotEmpty, Positive, Section


class Refine(Section):
    """The section asks for weight- and data-refined λ̂ beside that of the whole network (Wang et al. 2024)."""

    components: Annotated[
        list[Annotated[str, Field(min_length=1)]],
        Field(
            max_length=MOST_ENTRIES,
            description="Each of these components gets a λ̂ of its own, with only that component free to move; * in a name "
            "matches any part, as in layers.*.heads.*.",
        ),
    ] = []
    data: Annotated[
        dict[Annotated[str, Field(pattern=f"^{NAME}$", max_length=LONGEST_NAME)], dict[str, Any]],
        Field(
            max_length=MOST_ENTRIES,
            description="Each of these data sets gets a λ̂ of its own; a name maps to keys of the task with other values, as in "
            "{plain: {repeat: 0.0}}.",
        ),
    ] = {}

    @model_validator(mode="after")
    def check_given(self) -> Self:
        if not self.components and not self.data:
            raise ValueError("give at least one of components, data")
        return self


class PerExample(Section):
    """The section keeps losses of single examples, for influence, susceptibilities and information criteria."""

    examples: Annotated[
        Count | Literal["all"],
        Field(description="The losses of the first so many of the n examples are kept; `all` means all n."),
    ] = 256
    every: Annotated[Count, Field(description="The losses are kept at one draw in every so many of each chain.")] = 10


class SettingsSweep(Section):
    """The section says which settings of the sampler `ontogeny sweep` tries; no other job reads it."""

    step_size: Annotated[
        list[Positive] | None,
        Field(
            min_length=1,
            max_length=MOST_VALUES,
            description="The sweep tries these steps ε; null means 1/4, 1 and 4 times the step that the family has.",
        ),
    ] = None
    inverse_temperature: Annotated[
        list[Positive] | None,
        Field(
            min_length=1,
            max_length=MOST_VALUES,
            description="The sweep tries these inverse temperatures nβ; null means 1/10, 1/3, 1, 3 and 10 times "
            "that of the family.",
        ),
    ] = None
    localization: Annotated[
        list[NonNegative] | None,
        Field(
            min_length=1,
            max_length=MOST_VALUES,
            description="The sweep tries these strengths γ; null means 1/10, 1/3, 1 and 3 times that of the family.",
        ),
    ] = None

    @model_validator(mode="after")
    def check_values(self) -> Self:
        for name in type(self).model_fields:
            values = getattr(self, name) or []
            if twice := [value for value in values if values.count(value) > 1]:
                raise ValueError(f"{name} lists {twice[0]:g} twice")
        return self


BURN_IN = 200
"""Draws that chains of RMSProp-SGLD discard where no number is given."""


class LocalLearningCoefficient(Section):
    """The section says how the local learning coefficient is estimated at the checkpoints."""

    sampler: Annotated[
        Sampler,
        Field(
            description="This sampler draws from the local posterior; where none is given, it is sgnht with minibatches and "
            "sghmc on the full batch, with step and friction chosen."
        ),
    ] = SGHMCSampler(kind="sghmc")
    inverse_temperature: Annotated[
        Positive | None, Field(description="The local posterior has this inverse temperature nβ; null means n / log n.")
    ] = None
    localization: Annotated[
        NonNegative, Field(description="The local posterior is held to the checkpoint with this strength γ; 0 means not at all.")
    ] = 1.0
    chains: Annotated[
        AtLeastTwo, Field(description="This many chains start at each checkpoint; their spread gives the error of λ̂.")
    ] = 8
    draws: Annotated[
        Annotated[int, Field(ge=4, le=LARGEST)] | Literal["auto"],
        Field(
            description="Each chain keeps this many draws, one a step, after its burn-in; `auto` takes as many as the checks and "
            "`relative_error` need at a few checkpoints of the first seed."
        ),
    ] = "auto"
    relative_error: Annotated[
        Positive, Field(description="With draws `auto`, the standard error of λ̂ is at most this share of it.")
    ] = 0.05
    most_draws: Annotated[
        int, Field(ge=4, le=LARGEST, description="With draws `auto`, a chain keeps no more draws than this.")
    ] = 10_000
    burn_in: Annotated[
        CountOrZero | Literal["auto"],
        Field(
            description="Each chain discards this many draws first; `auto` takes as many as pilot chains need until their traces "
            "have settled."
        ),
    ] = "auto"
    batch_size: Annotated[
        Count | None, Field(description="A step of a chain uses a minibatch of this many examples; null means all n.")
    ] = None
    checkpoints: Annotated[
        AtLeastTwo | None, Field(description="A run gets λ̂ at this many of its checkpoints; null means at all of them.")
    ] = None
    projection: Annotated[
        Literal["gradient"] | None,
        Field(
            description="The value `gradient` keeps chains in the hyperplane normal to the gradient at the checkpoint; null lets "
            "them move freely."
        ),
    ] = None
    control_variates: Annotated[
        bool,
        Field(
            description="The value true subtracts the noise that a minibatch has at the checkpoint, at the price of a second "
            "gradient a step."
        ),
    ] = False
    behavioural: Annotated[
        bool,
        Field(
            description="The value true compares outputs with those at the checkpoint instead of with labels, so that the "
            "checkpoint is an exact minimum."
        ),
    ] = False
    sensitivity: Annotated[
        bool,
        Field(
            description="The first seed is sampled again at other nβ, γ and steps, for at most 30% of the cost of sampling its "
            "variant; `off` leaves that out."
        ),
    ] = True
    sweep: Annotated[SettingsSweep, Field(description="The command `ontogeny sweep` tries these settings of the sampler.")] = (
        SettingsSweep()
    )
    refine: Annotated[
        Refine | None,
        NotEmpty,
        Field(description="Components and other data get a λ̂ of their own; null means that they do not."),
    ] = None
    per_example: Annotated[
        PerExample | None,
        NotEmpty,
        Field(description="Losses of single examples are kept as well; null means that they are not."),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def fill_in(cls, section: Any) -> Any:
        """Choose the sampler by the batch where none is given, and the burn-in where pilot chains cannot."""
        if not isinstance(section, dict):
            return section
        chosen: dict[str, Any] = {"sampler": {"kind": "sghmc" if section.get("batch_size") is None else "sgnht"}}
        sampler = section.get("sampler")
        if isinstance(sampler, dict) and sampler.get("kind") == "rmsprop_sgld":
            chosen["burn_in"] = BURN_IN
        return {**chosen, **section}

    @model_validator(mode="after")
    def check_sampler(self) -> Self:
        if self.sampler.kind == "mala" and self.batch_size is not None:
            raise ValueError("sampler mala takes the full batch; leave llc.batch_size out")
        if self.sampler.kind == "rmsprop_sgld" and self.burn_in == "auto":
            raise ValueError("burn_in auto needs a sampler whose step can be calibrated, not rmsprop_sgld; give a number")
        if self.per_example is not None and self.draws != "auto" and self.per_example.every > self.draws:
            raise ValueError(f"llc.per_example.every ({self.per_example.every}) is larger than llc.draws ({self.draws})")
        return self
