import numpy as np
import pytest

from ontogeny.trajectory import Axis
from ontogeny.transitions.robustness import Coarse, from_content, halfway, robustness

STEPS = [0, 100, 200, 300, 400]
LINEAR = Axis("step", "linear", "steps")


class Passage:
    start, end = 100, 300


def coarse(values, error=0.1):
    return Coarse(np.asarray(values, float), np.full(5, error))


OWN = coarse([1, 1, 2, 3, 3])


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ([5, 5, 8, 10, 10], "survives"),
        ([3, 3, 2, 1, 1], "vanishes"),
        ([2, 2, 2, 2.05, 2], "vanishes"),
    ],
)
def test_a_change_survives_or_vanishes(values, outcome):
    found = robustness(Passage, STEPS, OWN, {"3γ": coarse(values)}, LINEAR)
    assert getattr(found, outcome) == ("3γ",)
    assert sum(map(len, (found.survives, found.vanishes, found.unknown))) == 1


def test_wide_errors_say_nothing():
    found = robustness(Passage, STEPS, OWN, {"3γ": coarse([2, 2, 2, 2.4, 2], error=2.0)}, LINEAR)
    assert found.unknown == ("3γ",) and found.shift is None


def test_the_shift_is_the_largest_over_settings():
    settings = {"γ/3": coarse([1, 1, 2, 3, 3]), "3γ": coarse([1, 1, 3, 3, 3])}
    found = robustness(Passage, STEPS, OWN, settings, LINEAR)
    assert halfway(np.array(STEPS, float), OWN, 1, 3, LINEAR) == pytest.approx(200)
    assert found.shift == pytest.approx(50)


def test_two_neighbours_do_not_know_a_place():
    class Within:
        start, end = 110, 190

    found = robustness(Within, STEPS, OWN, {"3γ": OWN}, LINEAR)
    assert found.survives == ("3γ",) and found.shift is None


def test_nothing_is_said_where_llc_itself_does_not_change_or_no_checkpoint_lies_outside():
    assert robustness(Passage, STEPS, coarse([1, 1, 1, 1.1, 1]), {"3γ": OWN}, LINEAR) is None
    assert robustness(Passage, STEPS[1:4], OWN, {"3γ": OWN}, LINEAR) is not None

    class Late:
        start, end = 300, 500

    assert robustness(Late, STEPS, OWN, {"3γ": OWN}, LINEAR) is None


def test_the_file_is_read():
    steps, settings = from_content({"steps": [0, 1], "settings": {"ε/2": {"llc": [1, 2], "standard_error": [0.1, 0.2]}}})
    assert steps == [0, 1] and settings["ε/2"].llc.tolist() == [1, 2]
