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


def test_seeds_along_different_axes_are_refused() -> None:
    with pytest.raises(ValueError, match="different axes"):
        consensus({0: run(), 1: run(axis=Axis("T", "log"))})
