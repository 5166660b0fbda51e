from dataclasses import replace

import numpy as np

from ontogeny.report.concerns import concerns, remedies_of, tiles
from ontogeny.report.error_parts import shared_share
from ontogeny.report.tables import RunReport


def failing(report, verdict, last=None):
    """The run with every check failed, or only those of the last checkpoints."""
    llc = (report.trajectory["observable"] == "llc").to_numpy()
    marked = llc if last is None else llc & (report.trajectory["step"] >= last).to_numpy()
    trajectory = report.trajectory.assign(verdict=np.where(marked, verdict, report.trajectory["verdict"]))
    health = report.health.assign(verdict=np.where(report.health["step"] >= (last or 0), verdict, report.health["verdict"]))
    return replace(report, trajectory=trajectory, health=health)


def by_name(report):
    return {tile.name: tile for tile in tiles(report)}


def test_a_sound_run_has_plain_numbers_and_no_concern(polygon):
    found = by_name(polygon)
    assert found["λ̂ at the end"].state == found["λ̂ passes its checks"].state == ""
    assert found["λ̂ passes its checks"].value == "149 of 151"
    assert concerns(polygon) == []


def test_a_last_estimate_that_fails_looks_failed_and_says_what_would_do(polygon):
    report = failing(polygon, "effective_sample_size", last=220_000)
    tile = by_name(report)["λ̂ at the end"]
    assert (tile.state, tile.note) == ("bad", "fails: too few independent draws")
    (concern,) = concerns(report)
    assert concern.state == "bad"
    assert concern.text.startswith(
        "λ̂ at the end fails: too few independent draws. Chains are too short at 5 of 151 checkpoints: about 800 draws would do."
    )


def test_where_every_estimate_fails_the_conclusion_says_so(polygon):
    report = failing(polygon, "r_hat")
    assert by_name(report)["λ̂ passes its checks"].state == "bad"
    assert concerns(report)[0].text.startswith(
        "λ̂ passes its checks at 0 of 151 checkpoints, so no transition of λ̂ can be judged. Chains are too short at"
    )


def test_a_step_that_is_too_long_and_a_localised_estimate_are_concerns(polygon, induction):
    long = {"kind": "too long", "verdict": "too long: a bias of 8%", "bias": 0.08, "whole_bias": None, "largest_bias": 0.02}
    report = replace(polygon, calibration={"stability": {**long, "longest_step": 5e-4}})
    assert [one.text for one in concerns(report)] == ["The step of the sampler is too long: a bias of 8%."]
    marked = failing(report, "step_size", last=220_000)
    assert any("step_size 0.0005 keeps" in text for text in remedies_of(marked))
    held = replace(induction, calibration={"spectrum": {"held_by_localization": [0.8, 0.9, 0.85]}})
    assert concerns(held)[0].text.startswith("This is a localised λ̂: γ decides 85% of it")


def test_a_run_of_which_nothing_is_known_raises_no_concern(bare):
    assert concerns(bare) == [] and remedies_of(bare) == []
    assert by_name(bare)["λ̂ at the end"].note == "not sampled"


def test_the_share_of_the_error_that_checkpoints_share_is_found(polygon):
    """Chains with a constant distance share all of it, chains with fresh noise at every checkpoint none."""
    assert shared_share(polygon.llc) == 1.0
    fresh = polygon.llc.assign(llc=np.random.default_rng(0).normal(size=len(polygon.llc)))
    assert shared_share(fresh) < 0.1
    mixed = polygon.llc.assign(llc=polygon.llc["llc"] + 0.5 * fresh["llc"])
    offsets = polygon.llc.groupby("chain")["llc"].mean().var()
    assert abs(shared_share(mixed) - offsets / (offsets + 0.25)) < 0.05
    assert shared_share(polygon.llc[polygon.llc["chain"] < 2]) is None
    assert shared_share(RunReport(family="", variant="", seed=0, description="", trajectory=polygon.trajectory).llc) is None
