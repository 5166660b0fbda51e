"""Make what the templates print from tables and files: rows, facts, lists."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from ontogeny.report import words
from ontogeny.report.labels import label
from ontogeny.report.numbers import change, change_with_error, number, p_value, step, with_error
from ontogeny.report.sample_sizes import sample_size
from ontogeny.report.sensitivity import robustness_in_words
from ontogeny.report.svg import sparkline
from ontogeny.report.tables import (
    LLC,
    FamilySummary,
    RunReport,
    RunSummary,
    components,
    crowded_early,
    curve,
    finite,
    last_step,
    main_loss,
    observables,
    steps_of,
)
from ontogeny.trajectory import PASSED
from ontogeny.transitions.detection.curves import FEWEST_CHECKPOINTS
from ontogeny.transitions.records import Candidate, Consensus, Evidence, Remark

NAVIGATION = ("index", "family")
"""Keys of `links` that lead to other pages. Every other key is the name of a file of the run."""


def navigation(links: Mapping[str, str]) -> dict[str, str]:
    """Return the addresses of the other pages; "" where there is none."""
    return {name: links.get(name, "") for name in NAVIGATION}


def files(links: Mapping[str, str]) -> dict[str, str]:
    """Return the addresses of a run's files."""
    return {name: address for name, address in links.items() if name not in NAVIGATION}


def run_facts(report: RunReport) -> list[tuple[str, str]]:
    """Return the key numbers at the top of a run's page."""
    llc, loss = finite(curve(report.trajectory, LLC)), main_loss(report.trajectory)
    last = llc.iloc[-1] if len(llc) else None
    return [
        ("training steps", step(last_step(report.trajectory)) if len(report.trajectory) else number(None)),
        (
            "checkpoints",
            f"{len(steps_of(report.trajectory))}, {len(curve(report.trajectory, LLC))} sampled",
        ),
        ("loss at the end", number(loss["value"].iloc[-1]) if len(loss) else number(None)),
        ("λ̂ at the end", with_error(last["value"], last["standard_error"]) if last is not None else number(None)),
        ("candidates", f"{len(report.candidates)}, {sum(map(words.is_named, report.candidates))} named"),
    ]


def candidate_view(place: int, candidate: Candidate, report: RunReport) -> dict[str, Any]:
    """Return a candidate as the page prints it."""
    agreed = words.agreement_on(candidate, report.consensus, report.seed)
    return {
        "number": place,
        "title": words.title_of(candidate),
        "named": words.is_named(candidate),
        "support": "" if agreed is None else agreed.support,
        "seeds": "" if agreed is None else words.seeds_of(agreed),
        "vague": words.is_vague(candidate, report.trajectory),
        "sentences": [
            *words.candidate_sentences(candidate, report.trajectory),
            *filter(None, [robustness_in_words(candidate, report)]),
        ],
        "steps": f"{step(candidate.start)} – {step(candidate.end)}",
        "llc": change_with_error(candidate.delta_llc, candidate.delta_llc_standard_error),
        "loss": change(candidate.delta_loss),
        "size": sample_size(candidate),
        "q": p_value(candidate.q_value),
        "evidence": [evidence_view(row) for row in candidate.evidence],
    }


def evidence_view(row: Evidence) -> dict[str, str]:
    """Return a curve that changes with a candidate as a row of its table."""
    return {
        "curve": label(row.observable).title,
        "component": row.component,
        "steps": f"{step(row.start)} – {step(row.end)}",
        "location": f"{step(row.location)} ({step(row.location_low)} – {step(row.location_high)})",
        "change": change(row.change),
    }


def undecided_names(undecided: Sequence[Remark]) -> list[str]:
    """Name the curves in which no transition could be looked for, each with the reason."""
    return [f"{words.curve_name(row)}: {row.reason or 'no reason given'}" for row in undecided]


def consensus_view(consensus: Consensus) -> list[dict[str, str]]:
    """Return the transitions that the seeds of a variant share."""
    return [
        {
            "title": words.title_of(row),
            "support": row.support,
            "seeds": words.seeds_of(row),
            "words": words.agreement(row),
        }
        for row in consensus.transitions
    ]


def flattened(nested: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Flatten nested settings to (dotted name, value) for a table."""
    rows: list[tuple[str, str]] = []
    for key, value in nested.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            rows += flattened(value, f"{name}.")
        else:
            rows.append((name, in_words(value)))
    return rows


def in_words(value: Any) -> str:
    """Return a setting as text: numbers as they are, lists separated by commas."""
    if isinstance(value, (list, tuple)):
        return ", ".join(in_words(item) for item in value) or "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "none" if value is None else str(value)


def dropped(trajectory: pd.DataFrame) -> list[str]:
    """Return the observables of components other than heads: only the pages of the runs show them."""
    return [
        name
        for name in observables(trajectory)
        if curve(trajectory, name).empty and not any(".heads." in part for part in components(trajectory, name))
    ]


def variants_of(family: FamilySummary) -> dict[str, list[RunSummary]]:
    """Group the runs by variant, in order of seed."""
    ordered = sorted(family.runs, key=lambda run: (run.variant, run.seed))
    return {
        variant: [run for run in ordered if run.variant == variant] for variant in dict.fromkeys(run.variant for run in ordered)
    }


def family_in_words(family: FamilySummary) -> str:
    """Summarise the family in a few sentences."""
    variants = variants_of(family)
    if not variants:
        return "No run of this family is there yet."
    supported = [
        f"{words.title_of(row)}{f' in {variant}' if len(variants) > 1 else ''} ({words.seeds_of(row)})"
        for variant in variants
        if variant in family.consensus
        for row in family.consensus[variant].transitions
        if row.support == "supported"
    ]
    text = f"{words.counted(len(family.runs), 'run')} of {words.counted(len(variants), 'variant')}. "
    text += f"Supported by the seeds: {words.listed(supported)}." if supported else "No transition is supported by most seeds."
    return text + unjudged_in_words(family.runs)


def unjudged_in_words(runs: Sequence[RunSummary]) -> str:
    """Count the runs in which λ̂ passes its checks at too few checkpoints; "" where there are none."""
    verdicts = [curve(run.trajectory, LLC)["verdict"].tolist() for run in runs]
    unjudged = sum(len(of_run) > 0 and of_run.count(PASSED) < FEWEST_CHECKPOINTS for of_run in verdicts)
    if not unjudged:
        return ""
    which = "its run" if len(runs) == 1 else f"{unjudged} of {len(runs)} runs"
    return f" λ̂ could not be judged in {which}: it passes its checks at fewer than {FEWEST_CHECKPOINTS} checkpoints."


def variant_views(family: FamilySummary) -> list[dict[str, Any]]:
    """Return each variant with its runs and the transitions that its seeds share (None where they were not compared)."""
    return [
        {
            "variant": variant,
            "runs": runs,
            "consensus": consensus_view(family.consensus[variant]) if variant in family.consensus else None,
        }
        for variant, runs in variants_of(family).items()
    ]


def small_plots(runs: Sequence[RunSummary]) -> list[dict[str, Any]]:
    """Return small plots of λ̂ and of the loss over the seeds of a variant."""
    tables = [run.trajectory for run in runs]
    seeds = words.counted(len(runs), "seed")
    return [
        {"name": name, **spark(tables, read, f"{name} over steps, {seeds}")}
        for name, read in (("λ̂", lambda table: curve(table, LLC)), ("loss", main_loss))
    ]


def spark(tables: Sequence[pd.DataFrame], read: Callable[[pd.DataFrame], pd.DataFrame], summary: str) -> dict[str, Any]:
    """Return a small plot of one curve over the seeds of a variant, and the range of its values."""
    curves = [finite(read(table)) for table in tables]
    values = pd.concat([rows["value"].astype(float) for rows in curves])
    return {
        "plot": Markup(sparkline(curves, str(Markup.escape(summary)), any(map(crowded_early, tables)))),
        "range": f"{number(values.min())} to {number(values.max())}" if len(values) else "not measured",
    }
