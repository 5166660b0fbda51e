"""Words for places: those of training steps stay, those of another axis have its name."""

import pandas as pd
import pytest

from ontogeny.report import places
from ontogeny.report.order import boundaries_in_words
from ontogeny.report.tables import RunReport
from ontogeny.report.words import headline, stage_rows
from ontogeny.trajectory import STEPS, Axis, with_axis
from ontogeny.transitions.records import Boundary, Stage

POINTS = Axis(name="points", scale="log", unit="points")


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        (STEPS, ("step 1,000", "Between steps 20 and 40", "2,000 steps", "steps")),
        (POINTS, ("points = 1,000", "Between points = 20 and 40", "points = 3 to 2,000", "points")),
        (Axis("share", "linear", "share of pairs"), ("share of pairs = 1,000", "Between share of pairs = 20 and 40", "", "")),
    ],
)
def test_a_place_is_named_by_its_axis(axis, expected):
    with places.given_axis(axis):
        found = (places.at(1000), places.between(20, 40), places.extent([3, 2000]), places.plural())
    assert all(text.startswith(start) for text, start in zip(found, expected, strict=True))
    assert places.at(7) == "step 7"


def test_places_of_another_axis_keep_their_fractions():
    with places.given_axis(Axis("share", "linear", "share")):
        assert places.at(0.45) == "share = 0.450"
    assert places.spelt(0.45) == "0"


def test_scripts_shift_no_logarithmic_axis_but_that_of_steps():
    assert places.for_scripts([0, 10]) == {
        "name": "step",
        "title": "step + 1 (logarithmic)",
        "equals": "step ",
        "shift": 1,
        "first": 0,
    }
    with places.given_axis(POINTS):
        told = places.for_scripts([3, 10])
    assert told == {"name": "points", "title": "points (logarithmic)", "equals": "points = ", "shift": 0, "first": 3}


def test_the_words_of_turns_and_stages_are_those_of_the_axis():
    turn = Boundary(location=40.0, before="rise", after="fall", probability=0.9)
    stage = Stage(start=3.0, end=40.0, delta_llc=None, delta_loss=None, type="quiet")
    with places.given_axis(POINTS):
        assert boundaries_in_words([turn]) == ["points = 40: from rising to falling, with probability 0.90"]
        assert stage_rows([stage])[0]["steps"] == "3 – 40"
    assert boundaries_in_words([turn])[0].startswith("step 40: ")


def test_a_headline_says_how_far_its_axis_goes():
    rows = {
        "step": [3.0, 40.0],
        "observable": "loss",
        "component": "",
        "value": [1.0, 2.0],
        "standard_error": None,
        "verdict": "",
    }
    table = with_axis(pd.DataFrame(rows), POINTS)
    report = RunReport(family="toy", variant="", seed=0, description="", trajectory=table)
    with places.given_axis(POINTS):
        assert headline(report).startswith("Transitions have not been looked for in points = 3 to 40.")
