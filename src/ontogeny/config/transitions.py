"""How transitions are detected and named (`transitions:` of a family)."""

from string import Formatter
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ontogeny.config.limits import LONGEST_NAME, MOST_ENTRIES
from ontogeny.config.section import CountOrZero, NonNegative, Section, Share


class NamingCondition(Section):
    """The condition says what one observable must do across a transition, in at least one component.

    Components are compared with the one that meets the first condition of the rule. The layer of a component is the number after
    `layers.` in its name.
    """

    observable: Annotated[str, Field(min_length=1, description="The condition looks at the observable of this name.")]
    direction: Annotated[
        Literal["rise", "fall", "change", "level"],
        Field(
            description="The observable must rise, fall, or change in either direction; level means that only the level "
            "afterwards counts, which must be at least `reaches`."
        ),
    ]
    by: Annotated[
        NonNegative,
        Field(description="The observable must change by at least this much, in its own unit; 0 means by any amount."),
    ] = 0.0
    by_share: Annotated[
        Share,
        Field(description="The observable must change by at least this share of its curve's range; 0 means by any amount."),
    ] = 0.0
    reaches: Annotated[
        float | None,
        Field(
            description="The level afterwards must be at least this number after a rise or for a level, and at most this number "
            "after a fall; null means any level."
        ),
    ] = None
    ends_within: Annotated[
        Share | None,
        Field(
            description="The level after a fall must lie within this share of the curve's range from the curve's minimum; "
            "null means any level."
        ),
    ] = None
    component: Annotated[
        Literal["any", "same", "earlier_layer", "later_layer"],
        Field(
            description="The condition must hold in any component, in the same one as the first condition, or in one of an "
            "earlier or a later layer than that one."
        ),
    ] = "any"
    at: Annotated[
        Literal["transition", "end"],
        Field(description="The level afterwards is the one after the transition, or the one at the end of the run."),
    ] = "transition"

    @model_validator(mode="after")
    def check_level(self) -> Self:
        if self.direction == "level" and (self.reaches is None or self.by or self.by_share or self.ends_within is not None):
            raise ValueError("direction level needs reaches, and goes with none of by, by_share and ends_within")
        if self.at == "end" and self.direction != "level":
            raise ValueError("at: end goes with direction level alone")
        return self


class NamingRule(Section):
    """The rule names transitions at which all conditions hold and an observable of `evidence` was itself detected."""

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=LONGEST_NAME,
            description="The transition gets this name; {before} and {after} in it become the rounded levels of the first "
            "condition's observable, and {layer} becomes the layer of its component.",
        ),
    ]
    conditions: Annotated[
        list[NamingCondition],
        Field(min_length=1, max_length=MOST_ENTRIES, description="All of these conditions must hold across the transition."),
    ]
    evidence: Annotated[
        list[str],
        Field(
            min_length=1, max_length=MOST_ENTRIES, description="At least one of these observables must have been detected there."
        ),
    ]

    @model_validator(mode="after")
    def check_first_condition(self) -> Self:
        if self.conditions[0].component != "any":
            raise ValueError("the component of the first condition must be any: the other conditions are compared with it")
        return self

    @model_validator(mode="after")
    def check_placeholders(self) -> Self:
        fault = ValueError(
            f"name {self.name!r} may have no placeholders but {{before}}, {{after}} and {{layer}}, without a format"
        )
        try:
            fields = [parts for _, *parts in Formatter().parse(self.name) if parts[0] is not None]
        except ValueError:
            raise fault from None
        if any(parts not in (["before", "", None], ["after", "", None], ["layer", "", None]) for parts in fields):
            raise fault
        return self


class Transitions(Section):
    """The section says how candidate transitions are detected and named."""

    alpha: Annotated[
        float,
        Field(gt=0, lt=1, description="The tests over all observables of a run have this false discovery rate."),
    ] = 0.05
    rules: Annotated[
        list[NamingRule],
        Field(
            max_length=MOST_ENTRIES,
            description="These rules name transitions; they are checked in order, before the built-in ones.",
        ),
    ] = []
    least_changes: Annotated[
        dict[str, NonNegative],
        Field(
            max_length=MOST_ENTRIES,
            description="The name of an observable maps to the smallest change, in its own unit, that is a transition or names "
            "one; the cards of observables hold such numbers for others.",
        ),
    ] = {}
    not_searched: Annotated[
        list[str],
        Field(
            max_length=MOST_ENTRIES,
            description="No transition is looked for in these observables, but rules may read them; observables that repeat "
            "another one, by their card, are added.",
        ),
    ] = []
    prior_variance: Annotated[
        float | None,
        Field(
            gt=0,
            description="A normal prior of this variance on each parameter enters the critical sample sizes; null leaves it out.",
        ),
    ] = None
    interventions: Annotated[
        dict[CountOrZero, Annotated[str, Field(min_length=1)]],
        Field(
            max_length=MOST_ENTRIES,
            description="Each step maps to what was changed in the training there, besides the learning rate; candidates at "
            "these steps are void.",
        ),
    ] = {}
