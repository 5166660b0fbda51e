"""Make what a run's page prints of a candidate: three short points, its evidence, and the rest folded."""

from typing import Any

from ontogeny.report import words
from ontogeny.report.agreement import agreement_on, place_in_words, seeds_of
from ontogeny.report.evidence import evidence_views
from ontogeny.report.numbers import change, change_with_error, p_value, significance
from ontogeny.report.order import curve_name, timing
from ontogeny.report.places import spelt
from ontogeny.report.sample_sizes import free_energies, sample_size
from ontogeny.report.sensitivity import robustness_in_words
from ontogeny.report.tables import LLC, RunReport
from ontogeny.trajectory import ALL_LOSSES
from ontogeny.transitions.records import Candidate


def candidate_view(place: int, candidate: Candidate, report: RunReport, logarithmic: bool) -> dict[str, Any]:
    """Return a candidate as the page prints it."""
    agreed = agreement_on(candidate, report.consensus, report.seed)
    vague = words.is_vague(candidate, report.trajectory)
    return {
        "number": place,
        "title": words.title_of(candidate),
        "named": words.is_named(candidate),
        "independent": has_independent_evidence(candidate),
        "seeds": "" if agreed is None else seeds_of(agreed),
        "sure": significance("q", candidate.q_value),
        "vague": vague,
        "points": points(candidate, report, vague),
        "more": more(candidate, report),
        "steps": f"{spelt(candidate.start)} – {spelt(candidate.end)}",
        "llc": change_with_error(candidate.delta_llc, candidate.delta_llc_standard_error),
        "loss": change(candidate.delta_loss),
        "size": sample_size(candidate),
        "q": p_value(candidate.q_value),
        "curves": len(candidate.evidence),
        "evidence": evidence_views(candidate.evidence, report.trajectory, logarithmic),
    }


def has_independent_evidence(candidate: Candidate) -> bool:
    """Return whether an observable other than the loss and λ̂ changes with a candidate."""
    return any(row.observable not in (LLC, *ALL_LOSSES) for row in candidate.evidence)


def points(candidate: Candidate, report: RunReport, vague: bool) -> list[tuple[str, str]]:
    """Return what happens, how sure that is, and why the candidate has its name."""
    what = words.passage(candidate, report.trajectory)
    sure = [
        in_seeds(candidate, report),
        certainty(candidate),
        words.VAGUE if vague else "",
        robustness_in_words(candidate, report),
    ]
    return [
        ("What", what),
        ("How sure", " ".join(part for part in sure if part)),
        ("Why this name", words.naming(candidate)) if words.is_named(candidate) else ("Name", words.naming(candidate)),
    ]


def in_seeds(candidate: Candidate, report: RunReport) -> str:
    """Say in how many seeds the candidate is found, and where; "" where the seeds were not compared."""
    agreed = agreement_on(candidate, report.consensus, report.seed)
    return "" if agreed is None else f"In {seeds_of(agreed)}, at {place_in_words(agreed)}."


def certainty(candidate: Candidate) -> str:
    """Say how sure this run is: the q-value, and which curve shows the candidate most clearly."""
    q = significance("q", candidate.q_value)
    most = f"most clearly by the {curve_name(candidate)}"
    alone = "" if has_independent_evidence(candidate) else " Nothing independent of the loss and λ̂ changes with it."
    return f"In this one {q} over all its curves, shown by {words.counted(len(candidate.evidence), 'curve')}, {most}.{alone}"


def more(candidate: Candidate, report: RunReport) -> list[str]:
    """Return what else is known: what changes with it, what moves first, where the free energies cross."""
    parts = [words.companions(candidate, report.trajectory), timing(candidate), free_energies(candidate)]
    return [part for part in [*parts, f"Before adjustment, {significance('p', candidate.p_value)}."] if part]
