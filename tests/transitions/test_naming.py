import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from ontogeny import config
from ontogeny.config.observables import built_in_cards, rules_on
from ontogeny.transitions.detection.curves import Curve, curves_of
from ontogeny.transitions.evidence import Change
from ontogeny.transitions.naming import DEFAULT_RULES, Condition, Rule, name_with_reasons, rules_of

HEAD = ("prefix_matching_score", "layers.1.heads.0")
ICL = ("in_context_learning_score", "")
BIGRAM = ("cross_entropy_to_bigram", "")
POLYGON = ("polygon_vertices", "")


def named(changes: dict, detected: set, rules=DEFAULT_RULES, low: float = 0.0, high: float = 1.0) -> str:
    values = np.array([low, high])
    curves = {
        key: Curve(observable=key[0], component=key[1], checkpoints=values, positions=values, values=values, noise=None)
        for key in changes
    }
    return name_with_reasons({key: Change(*levels, 0.0) for key, levels in changes.items()}, curves, detected, rules)[0]


@pytest.mark.parametrize(
    ("prefix", "in_context", "detected", "name"),
    [
        ((0.05, 0.7), (-0.1, -0.8), {"prefix_matching_score"}, "induction-head formation"),
        ((0.05, 0.7), (-0.1, -0.8), {"loss"}, "unnamed"),
        ((0.05, 0.14), (-0.1, -0.8), {"prefix_matching_score"}, "unnamed"),
        ((0.7, 0.05), (-0.1, -0.8), {"prefix_matching_score"}, "unnamed"),
        ((0.05, 0.7), (-0.1, 0.4), {"prefix_matching_score"}, "unnamed"),
    ],
)
def test_induction_needs_a_head_that_matches_prefixes_and_learning_in_context(prefix, in_context, detected, name) -> None:
    idle = ("prefix_matching_score", "layers.0.heads.0")
    assert named({idle: (0.05, 0.05), HEAD: prefix, ICL: in_context}, detected) == name


def test_a_rule_does_not_hold_where_its_observable_was_not_measured() -> None:
    assert named({HEAD: (0.05, 0.7)}, {"prefix_matching_score"}) == "unnamed"


@pytest.mark.parametrize(
    ("levels", "name"),
    [((1.0, 0.1), "bigram learning"), ((0.5, 0.1), "unnamed"), ((1.0, 0.4), "unnamed"), ((0.1, 1.0), "unnamed")],
)
def test_bigram_learning_takes_the_cross_entropy_near_its_minimum(levels, name: str) -> None:
    assert named({BIGRAM: levels}, {"loss"}) == name


@pytest.mark.parametrize(
    ("levels", "name"),
    [((4, 5), "4-gon → 5-gon"), ((5, 6), "5-gon → 6-gon"), ((5, 4), "5-gon → 4-gon"), ((4, 4.3), "unnamed")],
)
def test_polygons_are_counted_before_and_after(levels, name: str) -> None:
    assert named({POLYGON: levels}, {"population_loss"}) == name


def test_a_users_rule_goes_in_front() -> None:
    rule = Rule(
        name="collapse", conditions=(Condition(observable="rank", direction="fall", by=1, reaches=2),), evidence=("rank",)
    )
    assert named({("rank", ""): (4, 2), POLYGON: (4, 5)}, {"rank", "loss"}, (rule, *DEFAULT_RULES)) == "collapse"
    assert named({("rank", ""): (4, 3), POLYGON: (4, 5)}, {"rank", "loss"}, (rule, *DEFAULT_RULES)) == "4-gon → 5-gon"


def test_a_users_rule_from_the_config_is_tried_first() -> None:
    section = config.Transitions.model_validate(
        {
            "rules": [
                {
                    "name": "my event to {after}",
                    "conditions": [{"observable": "polygon_vertices", "direction": "rise", "by": 1}],
                    "evidence": ["loss"],
                }
            ]
        }
    )
    rules = rules_of([*section.rules, *rules_on(built_in_cards())])
    assert rules[1:] == DEFAULT_RULES
    columns = {"step": range(4), "observable": "polygon_vertices", "component": "", "value": [4.0, 4, 5, 5], "verdict": ""}
    curve = curves_of(pd.DataFrame(columns).assign(standard_error=np.nan))[0]
    key = ("polygon_vertices", "")
    assert name_with_reasons({key: Change(4, 5, 0)}, {key: curve}, {"loss"}, rules)[0] == "my event to 5"


@pytest.mark.parametrize(
    "name", ["{component}", "{}", "{before", "{before:q}", "{before!x}", "{after:>1000000000}", "{before.x}"]
)
def test_a_name_with_another_placeholder_is_refused(name: str) -> None:
    rule = {"name": name, "conditions": [{"observable": "loss", "direction": "fall"}], "evidence": ["loss"]}
    with pytest.raises(ValidationError, match=r"no placeholders but \{before\} and \{after\}"):
        config.Transitions.model_validate({"rules": [rule]})
