from dataclasses import replace

import pandas as pd
import pytest

from ontogeny.report.agreement import agreement_on, agreement_view, named_by_seeds, seeds_of
from ontogeny.report.candidates import candidate_view
from ontogeny.report.health import calibration_panels
from ontogeny.report.order import boundaries_in_words
from ontogeny.report.sample_sizes import free_energies, sample_size
from ontogeny.report.tables import RunReport
from ontogeny.report.words import (
    MEANINGS,
    calibration_in_words,
    clearest,
    companions,
    distinguishable,
    evidence_in_words,
    headline,
    left_out_in_words,
    naming,
    passage,
    sampling_in_words,
    stage_rows,
    verdict,
)
from ontogeny.transitions.records import Consensus, Development, Stage

CHANGES = {"delta_llc": 30.1, "delta_llc_standard_error": 2.1, "delta_loss": -0.42}


def told_of(report, place):
    """The three points of a candidate, by their names, and the rest as one text."""
    view = candidate_view(place + 1, report.candidates[place], report, logarithmic=True)
    return dict(view["points"]), " ".join(view["more"])


def test_a_candidate_is_told_in_three_points_and_the_rest(induction):
    points, more = told_of(induction, 2)
    assert list(points) == ["What", "How sure", "Why this name"]
    assert points["What"].startswith(
        "Between steps 600 and 800 (located at 700, 95% interval 650 to 750) λ̂ rises by 30.1 ± 2.1 while the loss falls by 0.42"
    )
    assert points["What"].endswith(": a lower loss is bought with more complexity.")
    assert points["How sure"].startswith("In 2 of 2 seeds, at median step 700, from 690 to 715. In this one q = 0.012 over all")
    head = "The prefix-matching score of layers.1.heads.1 rises from 0.077 to 0.793"
    assert points["Why this name"].startswith(f"{head}; the in-context learning score falls from")
    assert more.startswith("With it, the copying score of layers.1.heads.0 rises by 0.100 (and 2 further components).")
    assert "The free energies cross at n ≈ 380 (95% interval 301 to 492)." in more
    assert more.endswith("p = 0.0050.")


def test_what_a_name_rests_on_is_told_and_what_else_changes(make_candidate):
    evidence = [(name, "", 1.0) for name in ("dead_biases", "polygon_vertices", "feature_norm")]
    reasons = [{"observable": "polygon_vertices", "component": "", "before": 4.0, "after": 5.0}]
    candidate = make_candidate(evidence=evidence, name="4-gon → 5-gon", named_by=reasons)
    assert naming(candidate) == "The number of polygon vertices rises from 4 to 5."
    assert companions(candidate, pd.DataFrame()).startswith("With it, the dead biases rises by 1; the feature")


def test_a_level_that_a_name_asks_for_is_told_as_a_level(make_candidate):
    level = {"observable": "previous_token_score", "component": "layers.0.heads.1", "before": 0.5, "after": 0.5}
    levels = [level | {"direction": "level", "at": at} for at in ("transition", "end")]
    told = naming(make_candidate(name="induction-head formation", named_by=levels))
    head = "he previous-token score of layers.0.heads.1 is 0.500"
    assert told == f"T{head} afterwards; t{head} at the end of the run."


def test_a_name_that_another_seed_gives_is_told_as_such(polygon, make_candidate, make_development):
    own = make_candidate(location=120_000.0)
    run = replace(make_development(), candidates=(own,))
    (renamed,) = named_by_seeds(run, polygon.consensus, 1).candidates
    assert renamed == replace(own, name="4-gon → 5-gon")
    assert "another seed" in naming(renamed)
    assert named_by_seeds(run, polygon.consensus, 0) == named_by_seeds(run, None, 1) == run


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"delta_llc": -3.0, "delta_llc_standard_error": 0.5, "delta_loss": -0.1}, "simpler"),
        ({"delta_llc": 3.0, "delta_llc_standard_error": 0.5, "delta_loss": 0.001, "delta_loss_standard_error": 0.01}, "hidden"),
        ({"delta_llc": 0.3, "delta_llc_standard_error": 0.5, "delta_loss": -0.1}, "λ̂ does not clearly change (+0.30 ± 0.50)"),
        ({"delta_llc": None, "delta_loss": -0.1}, "the change of λ̂ is not known"),
        ({"delta_llc": 3.0, "delta_llc_standard_error": 0.5, "delta_loss": None}, "the change of the loss is not known"),
        (
            {},
            "λ̂ is not known (no clean level before or after) while the change of the loss is not known (no clean level before or",
        ),
        ({"llc_after": 61.2, "delta_loss": -0.1}, "the change of λ̂ is not known (no clean level before)"),
        ({"llc_verdict": "failed", "delta_loss": -0.1}, "(λ̂ passes the sampler's checks at too few checkpoints)"),
    ],
)
def test_every_kind_of_passage_has_its_words(make_candidate, changes, words):
    assert words in passage(make_candidate(**changes), pd.DataFrame())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"free_energy_condition": None}, "cannot say whether the free energies cross"),
        ({"critical_sample_size": 380.0, "free_energy_condition_probability": 0.9999}, "with probability more than 0.99."),
        ({"free_energy_condition": True, "critical_sample_size": None}, "do not cross"),
        ({"free_energy_condition": False}, "needs a falling loss and a rising λ̂"),
        (
            {"critical_sample_size": 380.0, "critical_sample_size_low": 300.0, "critical_sample_size_high": None},
            "(95% interval 300 upwards)",
        ),
        ({"critical_sample_size": 380.0, "critical_sample_size_low": None}, "cross at n ≈ 380."),
        (
            {
                "critical_sample_size": 380.0,
                "critical_sample_size_unit": "examples",
                "inverse_temperature": 100,
                "localization": 20,
            },
            "cross at n ≈ 380 examples, from λ̂ at nβ = 100 and γ = 20.",
        ),
        (
            {
                "critical_sample_size": 380.0,
                "critical_sample_size_unit": "examples of 32 terms",
                "critical_sample_size_low": None,
            },
            "at n ≈ 380 examples of 32 terms (such as the tokens of a window).",
        ),
        (
            {
                "critical_sample_size": 228.0,
                "critical_sample_size_low": 137.0,
                "critical_sample_size_high": 324.0,
                "critical_sample_size_kind": "order of magnitude",
            },
            "at an n of the order of 200. It is an order of magnitude, since the volumes of the two phases, which the formula "
            "leaves out, count at so small an n. The errors of λ̂ and the loss alone give 137 to 324.",
        ),
        (
            {"free_energy_condition": True, "held_by_localization": 0.9},
            "size is made of this λ̂: γ decides more than 30% of it on one side.",
        ),
    ],
)
def test_free_energies_are_told_as_far_as_known(make_candidate, fields, words):
    assert words in free_energies(make_candidate(**CHANGES, **fields))


def test_the_table_marks_an_order_of_magnitude(make_candidate):
    rough = make_candidate(critical_sample_size=228.0, critical_sample_size_kind="order of magnitude")
    assert sample_size(rough) == "~ 200"
    assert sample_size(make_candidate(critical_sample_size=20_228.0, critical_sample_size_kind="estimate")) == "20,228"
    assert sample_size(make_candidate()) == "–"


def test_a_stage_of_rising_complexity_and_falling_loss_has_the_same_meaning_as_a_candidate():
    stage = Stage(start=0, end=9, delta_llc=None, delta_loss=None, type="complexity bought")
    (row,) = stage_rows([stage])
    assert row["meaning"] == MEANINGS[1, -1] == "a lower loss is bought with more complexity"


FEATURE = {"observable": "feature_norm", "component": "features.4"}


@pytest.mark.parametrize(
    ("start", "end", "low", "high", "vague"),
    [
        (3000.0, 24_000.0, 917.0, 69_178.0, True),
        (3000.0, 24_000.0, 4000.0, 15_000.0, False),
        (15_000.0, 16_500.0, 14_950.0, 16_550.0, False),  # no interval is narrower than the distance of two checkpoints
        (15_000.0, 16_500.0, 12_000.0, 19_500.0, True),
    ],
)
def test_a_location_is_vague_if_its_interval_is_wider_than_the_candidate(make_rows, make_candidate, start, end, low, high, vague):
    trajectory = make_rows(range(0, 150_000, 1500), "feature_norm", [0.0] * 100, "features.4")
    place = {"start": start, "location": (start + end) / 2, "end": end, "location_low": low, "location_high": high}
    candidate = make_candidate(**CHANGES, **FEATURE, **place)
    run = Development(candidates=(candidate,), stages=(), boundaries=(), void=(), undecided=())
    report = RunReport(family="f", variant="v", seed=0, description="", trajectory=trajectory, transitions=run)
    points = told_of(report, 0)[0]
    assert f"95% interval {low:,.0f} to {high:,.0f})" in points["What"]
    assert ("Its location is vague" in points["How sure"]) == vague
    assert ("95% interval" in headline(report)) == vague


def test_checkpoints_that_are_left_out_of_the_slope_are_named(make_rows, polygon, bare):
    verdicts = ["ok", "r_hat", "drift", "ok", "r_hat", "ok"]
    trajectory = make_rows(range(0, 60, 10), "llc", [1.0] * 6, verdicts=verdicts)
    assert left_out_in_words(trajectory) == (
        "Left out, because λ̂ fails the sampler's checks there: 3 of 6 checkpoints, at steps 10 to 20 and 40. "
        "The slope and its probabilities do not see them."
    )
    assert "2 of 151 checkpoints, at steps 75,000 and 112,500" in left_out_in_words(polygon.trajectory)
    assert left_out_in_words(bare.trajectory) == left_out_in_words(trajectory.assign(verdict="ok")) == ""


def test_no_boundary_is_certain(make_development):
    turns = [{"location": 105_726.0, "from": "plateau", "to": "rise", "probability": p} for p in (0.99999, 0.934)]
    certain, likely = boundaries_in_words(make_development(boundaries=turns).boundaries)
    assert certain == "step 105,726: from resting to rising, with probability more than 0.99"
    assert likely.endswith("with probability 0.93")


def test_a_candidate_that_only_the_loss_shows_says_so(induction, make_candidate, make_development):
    evidence = [("loss_by_position", "positions.1", -1.3)]
    candidate = make_candidate(evidence=evidence, name="bigram learning", start=25.0, end=150.0, **CHANGES)
    run = replace(make_development(), candidates=(candidate,))
    points, more = told_of(replace(induction, transitions=run), 0)
    assert points["How sure"].endswith("Nothing independent of the loss and λ̂ changes with it.")
    assert more.startswith("With it, the loss by position of positions.1 falls from")
    assert "independent" not in told_of(induction, 2)[0]["How sure"]


def test_without_a_clean_level_the_nearest_checkpoints_that_pass_are_told(make_rows, make_candidate):
    """As in a run whose first λ̂ fail their checks: 28 of 30 pass, and λ̂ rises from 31 to 61."""
    verdicts = ["negative", "negative", *["ok"] * 28]
    values = [-80.0, -60.0, 31.0, 45.0, *[61.0] * 26]
    trajectory = make_rows(range(0, 3000, 100), "llc", values, verdicts=verdicts)
    candidate = make_candidate(start=100.0, end=400.0, llc_verdict="ok", llc_after=61.0)
    told = "λ̂ rises from about 31 at step 200 to about 61 at 400 (no clean level before)"
    assert told in passage(candidate, trajectory)
    run = Development(candidates=(candidate,), stages=(), boundaries=(), void=(), undecided=())
    report = RunReport(family="f", variant="v", seed=0, description="", trajectory=trajectory, transitions=run)
    assert told in headline(report)


def test_evidence_without_its_curve_falls_back_on_the_change(make_candidate):
    (row,) = make_candidate(evidence=[("my_own_score", "", -0.5)]).evidence
    assert evidence_in_words(row, pd.DataFrame()) == "the my own score falls by 0.500"


def test_levels_get_the_digits_that_tell_them_apart():
    assert distinguishable(0.05, 0.62) == ("0.050", "0.620")
    assert distinguishable(1.00012, 0.99991) == ("1.00012", "0.99991")
    assert distinguishable(4.0, 5.0) == ("4", "5")


def test_of_two_as_certain_the_one_that_more_curves_show_comes_first(make_candidate):
    few, many = (make_candidate(evidence=[("loss", "", 1.0)] * count, name="generalisation") for count in (2, 9))
    assert clearest([few, many]) is many


def test_a_named_candidate_comes_first_even_if_less_certain(make_candidate):
    certain, named = make_candidate(p_value=0.001), make_candidate(name="generalisation", p_value=0.04)
    assert clearest([certain, named]) is named
    assert clearest([]) is None


def test_headlines_say_what_is_there(polygon, bare):
    assert headline(polygon) == (
        "4-gon → 5-gon near step 133,000 of 225,000 steps: λ̂ rises by 1.53 ± 0.21 while the loss falls by 0.03540 ± 0.00020. "
        "Besides: 1 unnamed transition near step 2,200."
    )
    assert headline(bare) == "Nothing has been measured on this run."


def test_failing_checkpoints_and_lost_ones_are_counted(polygon, bare):
    told = sampling_in_words(polygon.trajectory)
    checks = "R̂ too large: 1, trace still drifting: 1, all chains dead: 1"
    assert f"151 checkpoints; 2 fail at least one of the sampler's checks ({checks})" in told
    assert "At 1 checkpoint no chain survived" in told
    assert sampling_in_words(bare.trajectory) == "λ̂ was not sampled on this run."


def test_verdicts_are_readable():
    assert verdict("ok") == "ok"
    assert verdict("r_hat, drift") == "R̂ too large, trace still drifting"
    assert verdict("all chains dead") == "all chains dead"


def test_agreement_of_seeds_is_told_as_two_facts(polygon):
    row = polygon.consensus.transitions[0]
    view = agreement_view(row)
    assert (view["seeds"], view["sure"], view["independent"]) == ("3 of 4 seeds", "q up to 0.030", False)
    assert view["where"] == "median step 120,000, from 99,000 to 150,000"
    assert view["each"][1:] == [
        "seed 1: q = 0.030, without this name, evidence from the loss or λ̂ alone",
        "seed 3: q < 0.001",
    ]
    assert seeds_of(row) == "3 of 4 seeds"


def test_a_candidate_is_found_among_the_transitions_of_the_seeds_by_its_place_or_name(polygon, make_candidate):
    (row,) = polygon.consensus.transitions
    assert agreement_on(make_candidate(name="4-gon → 5-gon"), polygon.consensus, 0) == row
    assert agreement_on(make_candidate(location=120_000.0), polygon.consensus, 1) == row
    assert agreement_on(make_candidate(location=120_000.0), polygon.consensus, 0) is None
    unnamed = Consensus(seeds=(0, 1), transitions=(replace(row, name="unnamed", certainties=()),))
    assert agreement_on(make_candidate(), unnamed, 0) is agreement_on(make_candidate(), None, 0) is None


def test_the_calibration_is_told_in_words(polygon, bare):
    told = calibration_in_words(polygon.calibration)
    assert told.startswith("The step size is 0.00100. On the largest curvature found along pilot chains it is too long.")
    assert "accepted with probability 0.93" in told
    assert "settled after 80 steps; burn-in is 100" in told
    assert told.endswith("λ̂ is flat, to 10%, from nβ = 72.4 to 579.")


def test_the_sweep_has_an_axis_of_its_own(polygon, bare):
    (panel,) = calibration_panels(polygon.calibration)
    assert panel.figure["layout"]["xaxis"]["type"] == "log"
    assert panel.figure["data"][0]["x"] == [18.1, 36.2, 72.4, 144.8, 289.5, 579.0, 1158.1]
    assert calibration_panels(bare.calibration) == []
