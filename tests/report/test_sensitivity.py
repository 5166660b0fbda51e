"""Test what a run's page says of the localisation and of other settings."""

import numpy as np
import pandas as pd
import pytest

from ontogeny.report.numbers import significance
from ontogeny.report.sensitivity import localised_in_words, robustness_in_words, sensitivity_panels
from ontogeny.report.tables import RunReport

STEPS = [0, 100, 200, 300, 400]


def rows(observable, values, error, verdict="ok"):
    return pd.DataFrame(
        {
            **{"step": STEPS, "observable": observable, "component": "", "value": np.asarray(values, float)},
            **{"standard_error": float(error), "verdict": verdict},
        }
    )


def report(share, error=0.02, *, verdict="ok", **more):
    tables = [rows("llc", [1, 1, 2, 3, 3], 0.1, verdict), rows("held_by_localization", [share] * 5, error, verdict)]
    return RunReport(family="f", variant="v", seed=0, description="", trajectory=pd.concat(tables), **more)


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.1, "The localisation γ decides 10% of λ̂"),
        (0.5, "This is a localised λ̂: γ decides 50% of it"),
        (0.9, "nβ tr H / (2γ)"),
        (-0.1, "(nβ)² Var(L) / λ̂ is 1.10 (median"),
    ],
)
def test_the_share_is_said(share, words):
    assert words in localised_in_words(report(share))


def test_a_share_that_the_draws_do_not_know_is_that_of_the_hessian():
    calibration = {"spectrum": {"held_by_localization": [0.7, 0.8, 0.9]}}
    assert "decides 80% of it (by the Hessian" in localised_in_words(report(1.2, 0.5, calibration=calibration))
    assert localised_in_words(report(1.2, 0.5)) == ""


class Passage:
    start, end = 100, 300


def other(llc):
    return {
        "seed": 0,
        "steps": STEPS,
        "chains": 2,
        "trace": [1.0] * 5,
        "settings": {"3γ": {"llc": llc, "standard_error": [0.1] * 5}},
    }


def test_a_candidate_that_survives_and_one_whose_own_estimate_fails():
    survives = report(0.1, sensitivity=other([1, 1, 2, 3, 3]))
    assert robustness_in_words(Passage, survives) == "The change of λ̂ is there at 3γ; it moves by up to 0 steps."
    assert "It is not there at 3γ." in robustness_in_words(Passage, report(0.1, sensitivity=other([3, 3, 2, 1, 1])))
    assert robustness_in_words(Passage, report(0.1, verdict="r_hat", sensitivity=other([1, 1, 2, 3, 3]))) == ""
    assert robustness_in_words(Passage, report(0.1)) == ""


def test_panels_stand_for_what_was_measured():
    settings = {"inverse_temperature": 10.0, "localization": 1.0, "seed": 0, "steps": STEPS}
    names = [
        panel.identifier for panel in sensitivity_panels(report(0.1, sensitivity=other([1, 1, 2, 3, 3]), calibration=settings))
    ]
    assert names == ["sensitivity", "held", "sharpness"]
    assert [panel.identifier for panel in sensitivity_panels(report(0.1))] == ["held"]


def test_p_values_beyond_simulations_are_bounds():
    told = [significance("q", value) for value in (2e-5, 1e-3, 0.012)]
    assert told == ["q < 0.001", "q < 0.001", "q = 0.012"]
