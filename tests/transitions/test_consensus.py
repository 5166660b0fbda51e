import pytest

from ontogeny.trajectory import STEPS, Axis
from ontogeny.transitions.consensus import Consensus, consensus
from ontogeny.transitions.records import Candidate, Development, Evidence


def candidate(name: str, location: float, *observables: str, p_value: float = 0.01) -> Candidate:
    interval = {"start": location - 50.0, "location": location, "end": location + 50.0}
    tested = {"component": "", "direction": "rise", "change": 1.0, "change_standard_error": 0.1}
    ends = {"location_low": location, "location_high": location}
    evidence = [
        Evidence(observable=observable, p_value=p_value, q_value=p_value, **interval, **tested, **ends)
        for observable in observables
    ]
    return Candidate(
        name=name,
        observable=observables[0],
        p_value=p_value,
        q_value=p_value,
        evidence=tuple(evidence),
        co_timing_p_value=1.0,
        **interval,
        **tested,
        **ends,
    )


def run(*candidates: Candidate, axis: Axis = STEPS) -> Development:
    return Development(candidates=candidates, stages=(), boundaries=(), void=(), undecided=(), axis=axis)


def heads(location: float, **changes: float) -> Candidate:
    return candidate("induction-head formation", location, "llc", "prefix_matching_score", **changes)


def test_most_seeds_and_independent_evidence_support_a_transition() -> None:
    (row,) = consensus({0: run(heads(700)), 1: run(heads(640)), 2: run()}).transitions
    assert row.support == "supported"
    assert (row.seeds, row.of) == ((0, 1), 3)
    assert (row.location_low, row.location_median, row.location_high) == (640, 670, 700)
    assert row.reason == "2 of 3 seeds; an independent observable changes with it"


def test_a_minority_of_seeds_is_weak_and_one_seeds_loss_is_nothing() -> None:
    lone = candidate("unnamed", 100, "loss", "llc")
    rows = consensus({0: run(heads(700)), 1: run(), 2: run(), 3: run(lone)}).transitions
    assert [(row.name, row.support) for row in rows] == [
        ("unnamed", "unsupported"),
        ("induction-head formation", "weak"),
    ]


def test_one_seed_cannot_support_itself() -> None:
    (row,) = consensus({0: run(heads(700))}).transitions
    assert row.support == "weak"


def test_unnamed_transitions_match_by_time() -> None:
    early, late = (candidate("unnamed", location, "feature_norm") for location in (500, 5000))
    shifted = candidate("unnamed", 520, "feature_norm")
    rows = consensus({0: run(early, late), 1: run(shifted)}).transitions
    assert [row.seeds for row in rows] == [(0, 1), (0,)]


def test_a_seed_that_shows_it_twice_counts_once_by_the_clearer() -> None:
    (row,) = consensus({0: run(heads(700), heads(900, p_value=0.001))}).transitions
    assert row.seeds == (0,)
    assert row.location_median == 900


def test_no_seeds_no_transitions() -> None:
    assert consensus({}) == Consensus(seeds=(), transitions=())


NAME = "induction-head formation"


def test_a_name_that_one_seed_gives_names_the_event_of_the_others() -> None:
    unnamed = candidate("unnamed", 720, "loss", "llc", p_value=0.03)
    (row,) = consensus({0: run(heads(700)), 1: run(unnamed), 2: run()}).transitions
    assert (row.name, row.seeds, row.of) == (NAME, (0, 1), 3)
    assert [(each.seed, each.location, each.p_value, each.named, each.independent) for each in row.certainties] == [
        (0, 700, 0.01, True, True),
        (1, 720, 0.03, False, False),
    ]


def test_transitions_of_one_name_match_wherever_they_lie() -> None:
    (row,) = consensus({0: run(heads(700)), 1: run(heads(5000))}).transitions
    assert (row.seeds, row.location_low, row.location_high) == ((0, 1), 700, 5000)


def test_two_names_at_one_place_are_two_transitions() -> None:
    other = candidate("bigram learning", 710, "loss", "cross_entropy_to_bigram")
    rows = consensus({0: run(heads(700)), 1: run(other)}).transitions
    assert [(row.name, row.seeds) for row in rows] == [(NAME, (0,)), ("bigram learning", (1,))]


def test_a_seed_that_gives_the_name_elsewhere_does_not_make_it_here_too() -> None:
    unnamed = candidate("unnamed", 720, "loss", p_value=0.001)
    rows = consensus({0: run(heads(700)), 1: run(unnamed, heads(5000))}).transitions
    assert [(row.name, row.seeds) for row in rows] == [("unnamed", (1,)), (NAME, (0, 1))]
    assert [each.location for each in rows[1].certainties] == [700, 5000]


def test_a_named_candidate_counts_before_a_clearer_one_without_a_name() -> None:
    clearer = candidate("unnamed", 705, "loss", p_value=0.0001)
    rows = consensus({0: run(heads(700), clearer), 1: run(heads(690))}).transitions
    by_name = {row.name: row for row in rows}
    assert [each.location for each in by_name[NAME].certainties] == [700, 690]
    assert by_name["unnamed"].seeds == (0,)


def test_seeds_along_different_axes_are_refused() -> None:
    with pytest.raises(ValueError, match="different axes"):
        consensus({0: run(), 1: run(axis=Axis("T", "log"))})
