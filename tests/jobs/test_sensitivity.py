"""λ̂ of the first seed at other γ, nβ and steps."""

import numpy as np
import pytest
from line import job

from ontogeny.jobs import sensitivity
from ontogeny.jobs.sensitivity import SETTINGS, affordable
from ontogeny.pipeline.files import read_json


@pytest.mark.parametrize(
    ("sampled", "chains", "runs", "count"),
    [(51, 8, 8, 9), (30, 4, 3, 10), (30, 4, 1, 3), (8, 2, 1, 2), (8, 4, 20, 8)],
)
def test_it_costs_at_most_a_third_of_the_sampling(sampled, chains, runs, count):
    steps, fewer = affordable(range(0, 10 * sampled, 10), chains, runs)
    assert len(steps) == count and steps[0] == 0 and steps[-1] == 10 * (sampled - 1)
    assert len(SETTINGS) * len(steps) * fewer <= 0.3 * runs * sampled * chains or count == 2


def test_a_larger_localisation_holds_more_and_a_smaller_one_less(base):
    own = job(base, "sensitivity")
    sensitivity.run(own)
    content = read_json(own.folder / "sensitivity.json")
    assert set(content["settings"]) == set(SETTINGS) and len(content["trace"]) == len(content["steps"])
    weak, strong = (np.array(content["settings"][name]["llc"]) for name in ("γ/3", "3γ"))
    assert (weak[1:] > strong[1:]).all(), "at the first checkpoint the slope decides"
    assert content["settings"]["3γ"]["localization"] == pytest.approx(9 * content["settings"]["γ/3"]["localization"])
    (own.folder / "sensitivity.json").write_text((own.folder / "sensitivity.json").read_text().replace('"trace"', '"traces"'))
    sensitivity.run(own)
    assert "traces" in read_json(own.folder / "sensitivity.json"), "it was made again although nothing changed"
