"""Numbers that cannot be calculated with are refused by the name of their curve or argument."""

import numpy as np
import pandas as pd
import pytest

from ontogeny.transitions.detection.detect import detect_transitions

STEPS = np.arange(40)
VALUES = 5 + 4 * (STEPS > 20) + 0.3 * np.random.default_rng(0).standard_normal(40)


def table(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(
        {"step": STEPS, "observable": "llc", "component": "head", "value": VALUES, "standard_error": 0.3} | columns
    )


CASES = {
    "values that overflow": (
        table(value=VALUES * 1e300),
        {},
        r"llc head: a largest value of 9.*e\+300 cannot be calculated with",
    ),
    "values that underflow": (table(value=VALUES * 1e-300), {}, "llc head: a largest value of 9.*e-300"),
    "errors that underflow": (table(standard_error=1e-300), {}, "llc head: a standard_error of 1e-300"),
    "steps that are equal as floats": (table(step=2**60 + STEPS), {}, "llc head: some values of step are too close to differ"),
    "steps that are equal on the scale": (table(step=1e40 + 1e25 * STEPS), {}, "too close to differ on scale 'log1p'"),
    "steps that overflow": (table(step=STEPS * 1e299), {"scale": "linear"}, r"a range of step of 3\.9e\+300"),
    "text as values": (table(value="high"), {}, "value holds what is no number: .*'high'"),
    "text as errors": (table(standard_error="high"), {}, "standard_error holds what is no number"),
    "text as chains": (table(), {"chains": {("llc", "head"): [["a", "b"]] * 40}}, "chains holds what is no number"),
    "a covariance that overflows": (
        table(component=""),
        {"covariance": 1e300 * np.eye(40)},
        r"llc: a standard deviation \(covariance\) of 1e\+150",
    ),
    "interventions at no place": (table(), {"interventions": {"a": "b"}}, "interventions must map places .* 'a' is no place"),
    "text as alpha": (table(), {"alpha": "strict"}, "alpha must lie between 0 and 1; got 'strict'"),
    "a negative seed": (table(), {"seed": -1}, "seed must be a whole number from 0 on; got -1"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_calculated_with_is_refused_by_name(case: str) -> None:
    trajectory, options, message = CASES[case]
    with pytest.raises(ValueError, match=message):
        detect_transitions(trajectory, **options)


@pytest.mark.parametrize("factor", [1e-50, 1e50])
def test_a_curve_in_another_unit_has_the_same_transition(factor: float) -> None:
    (row,) = detect_transitions(table()).to_dict(orient="records")
    (scaled,) = detect_transitions(table(value=VALUES * factor, standard_error=0.3 * factor)).to_dict(orient="records")
    assert (scaled["start"], scaled["end"]) == (row["start"], row["end"])
    assert scaled["location"] == pytest.approx(row["location"], rel=1e-6)
    assert scaled["change"] == pytest.approx(factor * row["change"], rel=1e-6)
    assert scaled["p_value"] == pytest.approx(row["p_value"])


def test_a_single_tiny_value_is_no_fault() -> None:
    assert len(detect_transitions(table(value=np.where(STEPS == 3, 1e-300, VALUES)))) > 0
