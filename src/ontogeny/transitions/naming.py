"""Name a transition by rules: data that are tried in order, the first that holds.

A rule compares the levels of observables before and after the transition. It also needs that one of the observables in its
`evidence` was itself detected there. A user's own rules, from `transitions.rules` in config.yaml, are tried first.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ontogeny.config.observables import built_in_cards, rules_on
from ontogeny.config.transitions import NamingRule
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


def rules_of(rules: Iterable[NamingRule]) -> tuple[Rule, ...]:
    """Return the rules of config.yaml and of the cards of observables as rules to name transitions by."""
    return tuple(
        Rule(
            name=rule.name,
            conditions=tuple(Condition(**condition.model_dump()) for condition in rule.conditions),
            evidence=tuple(rule.evidence),
        )
        for rule in rules
    )


DEFAULT_RULES = rules_of(rules_on(built_in_cards()))
"""The rules of the built-in kinds of observables."""


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
