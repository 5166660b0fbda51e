from dataclasses import replace

import pytest

from ontogeny.report.findings import family_findings
from ontogeny.report.index_page import about, duration
from ontogeny.report.overlays import ending
from ontogeny.report.tables import FamilySummary
from ontogeny.report.views import under_their_names


@pytest.fixture
def agreed(make_consensus):
    def make(name, *seeds, of=3, at=900.0, q=1e-5):
        certainties = [
            {"seed": seed, "location": at + seed, "p_value": q, "q_value": q, "named": True, "independent": True}
            for seed in seeds
        ]
        where = {"location_median": at, "location_low": at, "location_high": at + max(seeds)}
        return {"name": name, "support": "weak", "seeds": seeds, "of": of, **where, "reason": "r", "certainties": certainties}

    return make


@pytest.fixture
def family(summaries, make_consensus):
    def make(**rows):
        consensus = {name.replace("_", "~"): make_consensus(*transitions) for name, transitions in rows.items()}
        consensus = {name: replace(each, seeds=(0, 1, 2)) for name, each in consensus.items()}
        return FamilySummary(family="induction", description="", runs=summaries, consensus=consensus)

    return make


def test_what_tells_variants_apart_comes_first_and_the_variants_stand_against_each_other(family, agreed):
    one = [agreed("bigram learning", 0, 1, 2, at=42.0)]
    two = [
        agreed("bigram learning", 0, 1, 2, at=51.0),
        agreed("induction-head formation", 0, 1, 2, at=966.7),
        agreed("unnamed", 1),
    ]
    first, second = family_findings(family(layers_1=one, layers_2=two))
    assert first == (
        "Induction-head formation: layers = 2 near step 967 in 3 of 3 seeds (q < 0.001 in each); layers = 1 in none of 3 seeds."
    )
    assert second == (
        "Bigram learning: layers = 1 near step 42 in 3 of 3 seeds (q < 0.001 in each); "
        "layers = 2 near step 51 in 3 of 3 seeds (q < 0.001 in each)."
    )


def test_of_two_that_tell_variants_apart_the_surer_comes_first(family, agreed):
    two = [agreed("previous-token head formation", 0, 1, 2, at=255.0, q=0.03), agreed("induction-head formation", 0, 1, 2)]
    assert [told.split(" form")[0] for told in family_findings(family(layers_1=[], layers_2=two))] == [
        "Induction-head",
        "Previous-token head",
    ]


def test_a_transition_of_few_seeds_is_told_with_its_certainty(family, agreed):
    (told,) = family_findings(family(base=[agreed("4-gon → 5-gon", 0, 2, at=115_482.0)]))
    assert told == "4-gon → 5-gon: near step 115,000 in 2 of 3 seeds (q < 0.001 in each)."


def test_unnamed_ones_are_counted_where_nothing_has_a_name(family, agreed):
    assert family_findings(family(base=[agreed("unnamed", 0)])) == ["No named transition in 4 runs; 1 unnamed one."]
    assert family_findings(family(base=[])) == ["No transition in 4 runs."]


def test_a_run_is_listed_under_the_names_that_other_seeds_give(family, summaries, make_candidate, make_development, agreed):
    own = replace(make_development(), candidates=(make_candidate(location=900.0),))
    runs = [replace(summaries[0], transitions=own), *summaries[1:]]
    found = family(layers_1=[agreed("bigram learning", 0, 1, at=900.0)])
    (first, *_) = under_their_names(replace(found, runs=runs)).runs
    assert ending(runs[0])["transitions"] == "1 unnamed"
    assert ending(first)["transitions"] == "bigram learning (900)"


def test_a_last_estimate_that_fails_is_marked_in_the_table(summaries):
    failing = replace(summaries[0], trajectory=summaries[0].trajectory.assign(verdict="r_hat"))
    assert (ending(failing)["llc_fails"], ending(failing)["state"], ending(failing)["share"]) == ("R̂ too large", "bad", 0.0)
    assert (ending(summaries[0])["llc_fails"], ending(summaries[0])["state"]) == ("", "")


def test_the_index_says_when_with_what_and_at_what_cost(summaries):
    record = {"finished": "2026-11-25T03:35:32+00:00", "seconds": 300.0, "versions": {"ontogeny": "0.1.0"}}
    runs = [replace(run, provenance={"train": record, "sample": {"seconds": 90.5}}) for run in summaries[:2]]
    assert about(runs) == "2 runs · finished on 2026-11-25 · ontogeny 0.1.0 · 13 minutes of training, sampling and measuring"
    assert about([]) == ""
    assert (duration(43.2), duration(9000)) == ("43 seconds", "2.5 hours")
