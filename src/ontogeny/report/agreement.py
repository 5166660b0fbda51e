"""Say what the seeds of a variant agree on: in how many a transition is found, and how sure each of them is."""

from dataclasses import replace
from typing import Any

from ontogeny.report.numbers import p_value, significance
from ontogeny.report.places import called, spelt
from ontogeny.report.words import is_named, title_of
from ontogeny.transitions.records import Agreement, Candidate, Certainty, Consensus, Development


def consensus_view(consensus: Consensus) -> dict[str, list[dict[str, Any]]]:
    """Return the transitions that the seeds of a variant share: those with a name, and those without."""
    rows = [agreement_view(row) for row in consensus.transitions]
    return {"named": [row for row in rows if row["named"]], "unnamed": [row for row in rows if not row["named"]]}


def agreement_view(row: Agreement) -> dict[str, Any]:
    """Return a transition of the seeds as a row of the table."""
    return {
        "title": title_of(row),
        "named": is_named(row),
        "seeds": seeds_of(row),
        "sure": sureness(row),
        "independent": bool(row.certainties) and all(each.independent for each in row.certainties),
        "where": place_in_words(row),
        "evidence": row.reason.partition("; ")[2] or row.reason,
        "each": [certainty_of_seed(each, is_named(row)) for each in row.certainties],
    }


def place_in_words(transition: Agreement) -> str:
    """Say where a transition lies over the seeds: 'step 700' or 'median step 700, from 690 to 715'."""
    low, middle, high = map(spelt, (transition.location_low, transition.location_median, transition.location_high))
    return called(middle) if low == high else f"median {called(middle)}, from {low} to {high}"


def certainty_of_seed(row: Certainty, named: bool) -> str:
    """Describe how sure a seed is of a transition: 'seed 1: q = 0.030, without this name, evidence from the loss or λ̂ alone'."""
    parts = [significance("q", row.q_value)]
    parts += ["without this name"] if named and not row.named else []
    parts += [] if row.independent else ["evidence from the loss or λ̂ alone"]
    return f"seed {row.seed}: {', '.join(parts)}"


def sureness(transition: Agreement) -> str:
    """Say how sure the seeds are that make a transition: 'q < 0.001 in each', 'q up to 0.034'; "" where it is not known."""
    values = [row.q_value for row in transition.certainties]
    if not values:
        return ""
    largest = significance("q", max(values))
    if len(values) == 1:
        return largest
    return f"{largest} in each" if "<" in largest else f"q up to {p_value(max(values))}"


def seeds_of(transition: Agreement) -> str:
    """Return in how many seeds a transition is found: '3 of 4 seeds'."""
    return f"{len(transition.seeds)} of {transition.of} seeds"


def agreement_on(candidate: Candidate, consensus: Consensus | None, seed: int | None) -> Agreement | None:
    """Return the transition of the seeds that a candidate of one seed is: by its place, else by its name; None without either."""
    rows = consensus.transitions if consensus else ()
    own = seed, candidate.location
    by_place = (row for row in rows if own in [(each.seed, each.location) for each in row.certainties])
    by_name = (row for row in rows if row.name == candidate.name and is_named(row))
    return next(by_place, next(by_name, None))


def named_by_seeds(run: Development, consensus: Consensus | None, seed: int | None) -> Development:
    """Return what a seed shows, its unnamed candidates under the names that other seeds give them: a name in one seed names the
    event."""

    def renamed(candidate: Candidate) -> Candidate:
        agreed = agreement_on(candidate, consensus, seed)
        return candidate if is_named(candidate) or agreed is None else replace(candidate, name=agreed.name)

    return replace(run, candidates=tuple(map(renamed, run.candidates)))
