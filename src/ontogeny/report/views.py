"""Make what the templates print from tables and files: lists, settings, small plots."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from markupsafe import Markup

from ontogeny.report import words
from ontogeny.report.agreement import consensus_view, named_by_seeds
from ontogeny.report.findings import variant_in_words
from ontogeny.report.numbers import number
from ontogeny.report.svg import sparkline
from ontogeny.report.tables import (
    LLC,
    FamilySummary,
    RunSummary,
    components,
    curve,
    finite,
    main_loss,
    observables,
    spaced_logarithmically,
)
from ontogeny.trajectory import PASSED
from ontogeny.transitions.limits import FEWEST_CHECKPOINTS
from ontogeny.transitions.records import Remark


def undecided_names(undecided: Sequence[Remark]) -> list[str]:
    """Name the curves in which no transition could be looked for, each with the reason."""
    return [f"{words.curve_name(row)}: {row.reason or 'no reason given'}" for row in undecided]


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


def under_their_names(family: FamilySummary) -> FamilySummary:
    """Return a family, its unnamed candidates under the names that other seeds give them."""
    runs = [
        replace(run, transitions=named_by_seeds(run.transitions, family.consensus.get(run.variant), run.seed))
        for run in family.runs
    ]
    return replace(family, runs=runs)


def unjudged_in_words(runs: Sequence[RunSummary]) -> str:
    """Count the runs in which λ̂ passes its checks at too few checkpoints; "" where there are none."""
    verdicts = [curve(run.trajectory, LLC)["verdict"].tolist() for run in runs]
    unjudged = sum(len(of_run) > 0 and of_run.count(PASSED) < FEWEST_CHECKPOINTS for of_run in verdicts)
    if not unjudged:
        return ""
    which = "its run" if len(runs) == 1 else f"{unjudged} of {len(runs)} runs"
    return f"λ̂ could not be judged in {which}: it passes its checks at fewer than {FEWEST_CHECKPOINTS} checkpoints."


def variant_views(family: FamilySummary) -> list[dict[str, Any]]:
    """Return each variant with its runs and the transitions that its seeds share (None where they were not compared)."""
    return [
        {
            "variant": variant,
            "title": variant_in_words(variant),
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
        "plot": Markup(sparkline(curves, str(Markup.escape(summary)), any(map(spaced_logarithmically, tables)))),
        "range": f"{number(values.min())} to {number(values.max())}" if len(values) else "not measured",
    }
