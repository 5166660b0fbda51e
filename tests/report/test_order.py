"""Test how a page says what moves first."""

import pytest

from ontogeny.report.order import boundaries_in_words, timing, void_in_words


def lag(observable: str, value: float, low: float, high: float, reference: str = "llc", component: str = "") -> dict:
    return {
        "observable": observable,
        "component": component,
        "reference": reference,
        "lag": value,
        "lag_low": low,
        "lag_high": high,
    }


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ((0.3, 0.1, 0.5), "λ̂ moves before the loss, by 0.30 in log step (95% interval 0.10 to 0.50)"),
        ((-0.3, -0.5, -0.1), "λ̂ moves after the loss, by 0.30 in log step"),
        ((0.1, -0.2, 0.4), "Whether λ̂ or the loss moves first cannot be told"),
    ],
)
def test_which_of_llc_and_loss_moves_first_is_told_with_its_uncertainty(make_candidate, bounds, words):
    assert words in timing(make_candidate(lags=[lag("loss", *bounds)]))


def test_leaders_and_followers_are_named_only_where_they_are_clear(make_candidate):
    lags = [
        lag("prefix_matching_score", -0.4, -0.6, -0.2, component="layers.1.heads.0"),
        lag("in_context_learning_score", 0.1, -0.1, 0.3),
        lag("evaluation_accuracy", 0.5, 0.2, 0.8),
    ]
    told = timing(make_candidate(lags=lags, co_timing_p_value=0.002))
    assert "Clearly before λ̂: the prefix-matching score of layers.1.heads.0." in told
    assert "Clearly after λ̂: the " in told and "in-context" not in told
    assert "with probability 0.002" in told


def test_without_lags_nothing_is_claimed(make_candidate):
    assert timing(make_candidate(lags=[], co_timing_p_value=1.0)) == ""


def test_boundaries_and_void_passages(make_development, make_passage):
    boundary = {"location": 167.2, "from": "rise", "to": "plateau", "probability": 0.987}
    passage = make_passage("llc", start=900, end=1100, reason="coincides with x at 1000")
    run = make_development(boundaries=[boundary], void=[passage])
    assert boundaries_in_words(run.boundaries) == ["step 167: from rising to resting, with probability 0.99"]
    assert void_in_words(run.void) == ["local learning coefficient, steps 900 – 1,100: coincides with x at 1000"]
    assert boundaries_in_words([]) == void_in_words([]) == []
