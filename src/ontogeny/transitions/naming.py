"""Name a transition by rules: data that are tried in order, the first that holds.

A rule compares the levels of observables before and after the transition. It also needs that one of the observables in its
`evidence` was itself detected there. A user's own rules, from `transitions.rules` in config.yaml, are tried first.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ontogeny import config
from ontogeny.transitions.detection.curves import Curve
from ontogeny.transitions.detection.tables import CurveName
from ontogeny.transitions.evidence import Change
from ontogeny.transitions.records import UNNAMED, Reason


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What an observable must do in at least one of its components.

    Attributes:
        direction: "rise", "fall" or "change".
        by: the smallest change, in the observable's unit.
        by_share: the smallest change, as a share of the curve's range.
        reaches: the level after a rise is at least this, after a fall at most this.
        ends_within: the level after a fall lies within this share of the curve's range from its minimum.
    """

    observable: str
    direction: str
    by: float = 0.0
    by_share: float = 0.0
    reaches: float | None = None
    ends_within: float | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A name, the conditions that must all hold, and the observables of which at least one must have been detected.

    The name may use {before} and {after}: the rounded levels of the first condition's observable.
    """

    name: str
    conditions: tuple[Condition, ...]
    evidence: tuple[str, ...]


DEFAULT_RULES: tuple[Rule, ...] = (
    Rule(
        name="induction-head formation",
        conditions=(
            Condition(observable="prefix_matching_score", direction="rise", by=0.2, reaches=0.3),
            Condition(observable="in_context_learning_score", direction="fall", by=0.05),
        ),
        evidence=("prefix_matching_score",),
    ),
    Rule(
        name="previous-token head formation",
        conditions=(Condition(observable="previous_token_score", direction="rise", by=0.2, reaches=0.3),),
        evidence=("previous_token_score",),
    ),
    Rule(
        name="bigram learning",
        conditions=(Condition(observable="cross_entropy_to_bigram", direction="fall", by_share=0.5, ends_within=0.25),),
        evidence=("cross_entropy_to_bigram", "loss", "evaluation_loss"),
    ),
    Rule(
        name="{before}-gon → {after}-gon",
        conditions=(Condition(observable="polygon_vertices", direction="change", by=1.0),),
        evidence=("polygon_vertices", "population_loss", "loss"),
    ),
    Rule(
        name="generalisation",
        conditions=(Condition(observable="evaluation_accuracy", direction="rise", by=0.3, reaches=0.5),),
        evidence=("evaluation_accuracy", "evaluation_loss"),
    ),
    Rule(
        name="memorisation",
        conditions=(Condition(observable="accuracy", direction="rise", by=0.3, reaches=0.9),),
        evidence=("accuracy", "loss"),
    ),
    Rule(
        name="rank {before} → {after}",
        conditions=(Condition(observable="rank", direction="rise", by=1.0),),
        evidence=("rank", "population_loss", "loss", "singular_value"),
    ),
)


def rules_of(section: config.Transitions) -> tuple[Rule, ...]:
    """Return the user's rules, followed by the built-in ones."""
    own = (
        Rule(
            name=rule.name,
            conditions=tuple(Condition(**condition.model_dump()) for condition in rule.conditions),
            evidence=tuple(rule.evidence),
        )
        for rule in section.rules
    )
    return (*own, *DEFAULT_RULES)


def holds(condition: Condition, change: Change, curve: Curve) -> bool:
    """Return whether a curve meets the condition across a transition."""
    sign = {"rise": 1, "fall": -1, "change": np.sign(change.difference)}[condition.direction]
    size = sign * change.difference
    span = float(np.ptp(curve.values))
    return bool(
        size > 0
        and size >= max(condition.by, condition.by_share * span)
        and (condition.reaches is None or sign * change.after >= sign * condition.reaches)
        and (condition.ends_within is None or change.after <= curve.values.min() + condition.ends_within * span)
    )


def name_with_reasons(
    changes: Mapping[CurveName, Change],
    curves: Mapping[CurveName, Curve],
    detected: Collection[str],
    rules: Sequence[Rule] = DEFAULT_RULES,
) -> tuple[str, list[Reason]]:
    """Return the name of a transition and what its rule rests on; "unnamed" and nothing where no rule holds.

    The reasons are, for each condition in order, the levels of the curve that changed most among those that meet it.

    Args:
        changes: of every curve across the transition.
        curves: the curves themselves.
        detected: observables that were detected to change there.
    """
    for rule in rules:
        matches = [
            [key for key in changes if key[0] == condition.observable and holds(condition, changes[key], curves[key])]
            for condition in rule.conditions
        ]
        if all(matches) and set(rule.evidence) & set(detected):
            reasons = [reason_of(max(keys, key=lambda key: abs(changes[key].difference)), changes) for keys in matches]
            return rule.name.format(before=round(reasons[0].before), after=round(reasons[0].after)), reasons
    return UNNAMED, []


def reason_of(curve: CurveName, changes: Mapping[CurveName, Change]) -> Reason:
    """Return the levels of a curve as a reason for a name."""
    return Reason(observable=curve[0], component=curve[1], before=changes[curve].before, after=changes[curve].after)
