import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from ontogeny import config
from ontogeny.config.observables import built_in_cards, least_changes_on, rules_on
from ontogeny.config.transitions import NamingRule
from ontogeny.transitions.detection.curves import Curve, curves_of
from ontogeny.transitions.evidence import Change
from ontogeny.transitions.naming import DEFAULT_RULES, Condition, Rule, name_with_reasons, rules_of

HEAD = ("prefix_matching_score", "layers.1.heads.0")
COPIES = ("copying_score_over_chance", "layers.1.heads.0")
BELOW = ("previous_token_score", "layers.0.heads.0")
ICL = ("in_context_learning_score", "")
BIGRAM = ("cross_entropy_to_bigram", "")
POLYGON = ("polygon_vertices", "")


def named(changes: dict, detected: set, rules=DEFAULT_RULES, low: float = 0.0, high: float = 1.0) -> str:
    values = {key[0]: np.array([low, high]) for key in changes}
    return name_with_reasons(*changes_and_curves(changes, values), detected, rules)[0]


def changes_and_curves(changes: dict, values: dict | None = None) -> tuple[dict, dict]:
    """Return the changes and their curves, whose values are given by observable."""
    curves = {}
    for key in changes:
        own = (values or {}).get(key[0], np.array([0.0, 1.0]))
        places = np.arange(len(own), dtype=float)
        curves[key] = Curve(observable=key[0], component=key[1], checkpoints=places, positions=places, values=own, noise=None)
    return {key: Change(*levels, 0.0) for key, levels in changes.items()}, curves


FORMS = {
    HEAD: (0.05, 0.7),
    COPIES: (1.0, 9.0),
    BELOW: (0.5, 0.53),
    ICL: (-0.1, -0.8),
    ("prefix_matching_score", "layers.0.heads.0"): (0.05, 0.05),
}
"""A head that matches prefixes and copies, above a previous-token head that was there already, and learning in context."""
INDUCTION = "induction-head formation"


@pytest.mark.parametrize(
    ("levels", "detected", "name"),
    [
        ({}, {"prefix_matching_score"}, INDUCTION),
        ({}, {"loss"}, "unnamed"),
        ({HEAD: (0.05, 0.14)}, {"prefix_matching_score"}, "unnamed"),
        ({HEAD: (0.7, 0.05)}, {"prefix_matching_score"}, "unnamed"),
        ({ICL: (-0.1, 0.4)}, {"prefix_matching_score"}, "unnamed"),
        ({ICL: (-0.1, -0.25)}, {"prefix_matching_score"}, "unnamed"),
        ({COPIES: (1.0, 2.0)}, {"prefix_matching_score"}, "unnamed"),
        ({BELOW: (0.1, 0.2)}, {"prefix_matching_score"}, "unnamed"),
        ({BELOW: (0.1, 0.5)}, {"prefix_matching_score"}, INDUCTION),
    ],
)
def test_induction_needs_a_head_that_copies_too_a_head_below_and_learning_in_context(levels, detected, name) -> None:
    assert named({**FORMS, **levels}, detected) == name


def test_a_unigram_cache_is_no_induction_head() -> None:
    cache = {HEAD: (0.05, 0.35), COPIES: (1.0, 1.3), BELOW: (0.1, 0.1), ICL: (-0.01, -0.06)}
    assert named(cache, {"prefix_matching_score"}) == "unnamed"


@pytest.mark.parametrize(
    ("moved", "to"),
    [(COPIES, "layers.1.heads.1"), (COPIES, "layers.2.heads.0"), (BELOW, "layers.1.heads.1"), (BELOW, "layers.2.heads.0")],
)
def test_another_head_does_not_stand_in_for_the_one_that_is_asked_for(moved: tuple[str, str], to: str) -> None:
    changes = {name: levels for name, levels in FORMS.items() if name != moved}
    assert named({**changes, (moved[0], to): FORMS[moved]}, {"prefix_matching_score"}) == "unnamed"


def test_of_two_heads_that_match_prefixes_the_one_that_meets_all_conditions_is_the_reason() -> None:
    louder = {("prefix_matching_score", "layers.1.heads.1"): (0.05, 0.95)}
    name, reasons = name_with_reasons(*changes_and_curves({**louder, **FORMS}), {"prefix_matching_score"})
    assert name == INDUCTION
    assert [(reason.observable, reason.component) for reason in reasons] == [HEAD, COPIES, BELOW, ICL]
    assert [reason.direction for reason in reasons] == ["rise", "level", "level", "fall"]


def test_a_previous_token_head_is_named_with_its_layer_and_the_one_that_an_induction_head_reads_comes_first() -> None:
    previous = {("previous_token_score", f"layers.{layer}.heads.0"): (0.1, 0.4 + 0.2 * layer) for layer in (0, 1)}
    detected = {"previous_token_score"}
    assert named(previous, detected) == "previous-token head formation (layer 1)"
    later = {("prefix_matching_score", "layers.1.heads.1"): (0.05, 0.05)}
    ends = {"prefix_matching_score": np.array([0.05, 0.05, 0.7, 0.7, 0.7])}
    name, reasons = name_with_reasons(*changes_and_curves({**previous, **later}, ends), detected)
    assert name == "previous-token head formation (layer 0)"
    assert (reasons[1].at, reasons[1].after) == ("end", pytest.approx(0.7))


def test_a_change_below_the_least_that_counts_names_nothing() -> None:
    def rule(observable: str) -> NamingRule:
        condition = {"observable": observable, "direction": "fall", "by_share": 0.5}
        return NamingRule.model_validate({"name": "fading", "conditions": [condition], "evidence": [observable]})

    rules = rules_of([rule("prefix_matching_score"), rule("my_score")], least_changes_on(built_in_cards()))
    faded = {HEAD: (0.042, 0.007)}
    assert named(faded, {"prefix_matching_score"}, rules, 0.007, 0.042) == "unnamed"
    assert named({("my_score", ""): (0.042, 0.007)}, {"my_score"}, rules, 0.007, 0.042) == "fading"


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
    rules = rules_of([*section.rules, *rules_on(built_in_cards())], least_changes_on(built_in_cards()))
    assert rules[1:] == DEFAULT_RULES
    columns = {"step": range(4), "observable": "polygon_vertices", "component": "", "value": [4.0, 4, 5, 5], "verdict": ""}
    curve = curves_of(pd.DataFrame(columns).assign(standard_error=np.nan))[0]
    key = ("polygon_vertices", "")
    assert name_with_reasons({key: Change(4, 5, 0)}, {key: curve}, {"loss"}, rules)[0] == "my event to 5"


@pytest.mark.parametrize(
    "name", ["{component}", "{layer.x}", "{}", "{before", "{before:q}", "{before!x}", "{after:>1000000000}", "{before.x}"]
)
def test_a_name_with_another_placeholder_is_refused(name: str) -> None:
    rule = {"name": name, "conditions": [{"observable": "loss", "direction": "fall"}], "evidence": ["loss"]}
    with pytest.raises(ValidationError, match=r"no placeholders but \{before\}, \{after\} and \{layer\}"):
        config.Transitions.model_validate({"rules": [rule]})


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ([{"direction": "level"}], "direction level needs reaches"),
        ([{"direction": "level", "reaches": 1, "by": 1}], "direction level needs reaches"),
        ([{"direction": "rise", "at": "end"}], "at: end goes with direction level alone"),
        ([{"direction": "rise", "component": "same"}], "component of the first condition must be any"),
    ],
)
def test_a_condition_that_cannot_be_checked_is_refused(conditions: list[dict], words: str) -> None:
    rule = {"name": "event", "conditions": [{"observable": "loss", **each} for each in conditions], "evidence": ["loss"]}
    with pytest.raises(ValidationError, match=words):
        NamingRule.model_validate(rule)


GAP, TO_UNIGRAM = ("gap_to_bayes", ""), ("divergence_from_unigram", "")
CHAINS = {GAP[0]: np.array([6.0, 1.0, 0.3, 0.1]), TO_UNIGRAM[0]: np.array([0.6, 0.03, 0.09, 0.1])}


def named_among(changes: dict, values: dict, detected: set) -> str:
    return name_with_reasons(*changes_and_curves(changes, values), detected, DEFAULT_RULES)[0]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({GAP: (1.0, 0.3), TO_UNIGRAM: (0.03, 0.09)}, "unigram → bigram solution"),
        ({GAP: (1.0, 0.6), TO_UNIGRAM: (0.03, 0.07)}, "unnamed"),
        ({GAP: (6.0, 1.0), TO_UNIGRAM: (0.6, 0.03)}, "unigram solution"),
        ({GAP: (6.0, 0.3), TO_UNIGRAM: (0.6, 0.11)}, "unigram solution"),
        ({GAP: (0.3, 1.0), TO_UNIGRAM: (0.09, 0.03)}, "unnamed"),
    ],
)
def test_the_bigram_solution_is_named_where_the_network_leaves_the_unigram_for_it(changes, name):
    assert named_among(changes, CHAINS, {"divergence_from_bigram", "divergence_from_unigram"}) == name
    assert named_among(changes, CHAINS, {"layer_norm_scale"}) == "unnamed"


RIDGE, DMMSE, ZERO = (("distance_from_" + name, "") for name in ("ridge", "dmmse", "zero"))
DISTANCES = {RIDGE[0]: np.array([3.0, 0.2, 0.5]), DMMSE[0]: np.array([3.0, 0.4, 0.1]), ZERO[0]: np.array([1.7, 0.4, 1.2])}


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({RIDGE: (0.2, 0.5), DMMSE: (0.4, 0.1)}, "ridge → dMMSE"),
        ({RIDGE: (0.2, 0.5), DMMSE: (0.1, 0.4)}, "unnamed"),
        ({RIDGE: (0.2, 0.5)}, "unnamed"),
        ({RIDGE: (2.0, 0.2), DMMSE: (2.0, 0.4), ZERO: (0.4, 1.2)}, "regression in context"),
        ({RIDGE: (3.0, 1.7), DMMSE: (3.0, 1.7), ZERO: (1.7, 0.0)}, "unnamed"),
    ],
)
def test_the_way_from_ridge_to_dmmse_needs_both_distances(changes, name):
    assert named_among(changes, DISTANCES, {"distance_from_ridge", "loss"}) == name
