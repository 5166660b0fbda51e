"""How transitions are found and named: `transitions:` of a family."""

from string import Formatter
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ontogeny.config.section import NonNegative, Section, Share


class NamingCondition(Section):
    """What one observable must do across a transition, in at least one component."""

    observable: Annotated[str, Field(min_length=1)]
    direction: Literal["rise", "fall", "change"]
    by: Annotated[NonNegative, Field(description="the smallest change, in the observable's unit")] = 0.0
    by_share: Annotated[Share, Field(description="the smallest change, as a share of the curve's range")] = 0.0
    reaches: Annotated[float | None, Field(description="the level after a rise is at least this, after a fall at most this")] = (
        None
    )
    ends_within: Annotated[
        Share | None, Field(description="after a fall: within this share of the curve's range from its minimum")
    ] = None


class NamingRule(Section):
    """A name for transitions at which all conditions hold, and one of the observables of `evidence` was itself detected."""

    name: Annotated[
        str, Field(min_length=1, description="may use {before} and {after}: levels of the first condition's observable")
    ]
    conditions: Annotated[list[NamingCondition], Field(min_length=1)]
    evidence: Annotated[list[str], Field(min_length=1, description="observables")]

    @model_validator(mode="after")
    def check_placeholders(self) -> Self:
        fault = ValueError(f"name {self.name!r} may have no placeholders but {{before}} and {{after}}")
        try:
            fields = [field for _, field, *_ in Formatter().parse(self.name) if field is not None]
        except ValueError:
            raise fault from None
        if not set(fields) <= {"before", "after"}:
            raise fault
        return self


class Transitions(Section):
    """How candidate transitions are found and named."""

    alpha: Annotated[float, Field(gt=0, lt=1, description="false discovery rate over the observables of a run")] = 0.05
    rules: Annotated[list[NamingRule], Field(description="tried before the built-in ones, in this order")] = []
    prior_variance: Annotated[
        float | None,
        Field(gt=0, description="of a normal prior on each parameter, for critical sample sizes; null leaves the prior out"),
    ] = None
    interventions: Annotated[
        dict[Annotated[int, Field(ge=0)], Annotated[str, Field(min_length=1)]],
        Field(description="step -> what was changed in the training there, besides the learning rate; candidates there are void"),
    ] = {}
