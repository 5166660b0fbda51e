"""Name a transition by rules: data that are tried in order, the first that holds.

A rule compares the levels of observables before and after the transition. It also needs that one of the observables in its
`evidence` was itself detected there. A user's own rules, from `transitions.rules` in config.yaml, are tried first.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ontogeny.config.observables import built_in_cards, least_changes_on, rules_on
from ontogeny.config.transitions import NamingRule
from ontogeny.transitions.detection.curves import Curve
from ontogeny.transitions.detection.tables import CurveName
from ontogeny.transitions.evidence import Change, last_level
from ontogeny.transitions.records import UNNAMED, Reason


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What an observable must do in at least one of its components.

    Attributes:
        direction: "rise", "fall", "change", or "level" where only the level afterwards counts.
        by: the smallest change, in the observable's unit.
        by_share: the smallest change, as a share of the curve's range.
        reaches: the level after a rise and a level are at least this, after a fall at most this.
        ends_within: the level after a fall lies within this share of the curve's range from its minimum.
        component: "any", "same", "earlier_layer" or "later_layer", compared with the one that meets the rule's first condition.
        at: "transition", or "end" where the level is the one at the end of the run.
    """

    observable: str
    direction: str
    by: float = 0.0
    by_share: float = 0.0
    reaches: float | None = None
    ends_within: float | None = None
    component: str = "any"
    at: str = "transition"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A name, the conditions that must all hold, and the observables of which at least one must have been detected.

    The name may use {before} and {after}, the rounded levels of the first condition's observable, and {layer}, the layer of its
    component.
    """

    name: str
    conditions: tuple[Condition, ...]
    evidence: tuple[str, ...]


def rules_of(rules: Iterable[NamingRule], least_changes: Mapping[str, float]) -> tuple[Rule, ...]:
    """Return the rules of config.yaml and of the cards of observables as rules to name transitions by.

    Args:
        least_changes: observable -> the smallest change that counts; no condition is met by less.
    """
    return tuple(
        Rule(
            name=rule.name,
            conditions=tuple(
                with_least_change(Condition(**condition.model_dump()), least_changes) for condition in rule.conditions
            ),
            evidence=tuple(rule.evidence),
        )
        for rule in rules
    )


def with_least_change(condition: Condition, least_changes: Mapping[str, float]) -> Condition:
    return replace(condition, by=max(condition.by, least_changes.get(condition.observable, 0.0)))


DEFAULT_LEAST_CHANGES = least_changes_on(built_in_cards())
"""The smallest changes that count, of the built-in observables."""
DEFAULT_RULES = rules_of(rules_on(built_in_cards()), DEFAULT_LEAST_CHANGES)
"""The rules of the built-in kinds of observables."""


def holds(condition: Condition, change: Change, curve: Curve) -> bool:
    """Return whether a curve meets the condition, given its change from `change_for`."""
    if condition.direction == "level":
        return condition.reaches is not None and change.after >= condition.reaches
    sign = {"rise": 1, "fall": -1, "change": np.sign(change.difference)}[condition.direction]
    size = sign * change.difference
    span = float(np.ptp(curve.values))
    return bool(
        size > 0
        and size >= max(condition.by, condition.by_share * span)
        and (condition.reaches is None or sign * change.after >= sign * condition.reaches)
        and (condition.ends_within is None or change.after <= curve.values.min() + condition.ends_within * span)
    )


def change_for(condition: Condition, change: Change, curve: Curve) -> Change:
    """Return the change across the transition; with the level at the end of the run where the condition asks for it."""
    return replace(change, after=last_level(curve)) if condition.at == "end" else change


def name_with_reasons(
    changes: Mapping[CurveName, Change],
    curves: Mapping[CurveName, Curve],
    detected: Collection[str],
    rules: Sequence[Rule] = DEFAULT_RULES,
) -> tuple[str, list[Reason]]:
    """Return the name of a transition and what its rule rests on; "unnamed" and nothing where no rule holds.

    The reasons are one for each condition, in order. The first is the levels of the curve that changed most, of those that meet
    the first condition and with which the other conditions hold too. The others are chosen in the same way; of levels, the
    highest.

    Args:
        changes: of every curve across the transition.
        curves: the curves themselves.
        detected: observables that were detected to change there.
    """
    for rule in rules:
        if set(rule.evidence) & set(detected) and (reasons := reasons_for(rule, changes, curves)):
            first = reasons[0]
            layer = layer_of(first.component)
            levels = {"before": round(first.before), "after": round(first.after)}
            return rule.name.format(**levels, layer="unknown" if layer is None else layer), reasons
    return UNNAMED, []


def reasons_for(rule: Rule, changes: Mapping[CurveName, Change], curves: Mapping[CurveName, Curve]) -> list[Reason]:
    """Return what meets each condition of a rule; nothing where one is not met."""
    meeting = [reasons_meeting(condition, changes, curves) for condition in rule.conditions]
    for first in meeting[0]:
        others = [
            next((reason for reason in reasons if is_related(condition.component, reason.component, first.component)), None)
            for condition, reasons in zip(rule.conditions[1:], meeting[1:], strict=True)
        ]
        if None not in others:
            return [first, *(reason for reason in others if reason)]
    return []


def reasons_meeting(condition: Condition, changes: Mapping[CurveName, Change], curves: Mapping[CurveName, Curve]) -> list[Reason]:
    """Return the levels of the curves that meet a condition, the largest change or the highest level first."""
    asked = {
        name: change_for(condition, change, curves[name]) for name, change in changes.items() if name[0] == condition.observable
    }
    meeting = [
        Reason(
            observable=name[0],
            component=name[1],
            before=change.before,
            after=change.after,
            direction=condition.direction,
            at=condition.at,
        )
        for name, change in asked.items()
        if holds(condition, change, curves[name])
    ]
    return sorted(meeting, key=lambda reason: size_of(reason), reverse=True)


def size_of(reason: Reason) -> float:
    return reason.after if reason.direction == "level" else abs(reason.after - reason.before)


def is_related(relation: str, component: str, first: str) -> bool:
    """Return whether a component stands in a relation to that of the first condition; `Condition.component` lists them."""
    if relation in ("any", "same"):
        return relation == "any" or component == first
    layer, reference = layer_of(component), layer_of(first)
    if layer is None or reference is None:
        return False
    return layer < reference if relation == "earlier_layer" else layer > reference


def layer_of(component: str) -> int | None:
    """Return the layer of a component such as `layers.1.heads.0`; None where its name has none."""
    match = re.search(r"\blayers\.(\d+)", component)
    return None if match is None else int(match[1])
