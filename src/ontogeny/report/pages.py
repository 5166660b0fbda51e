"""Self-contained HTML pages: one per run, one per family, one for the study. No file is read or written but the templates.

A page carries its data as JSON and, where it has interactive plots, its own copy of plotly.js; it asks nothing of the network.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ontogeny.report import health, overlays, words
from ontogeny.report.data import (
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
)
from ontogeny.report.figures import Panel, marks, observable_panels, overview, training_panels
from ontogeny.report.numbers import change, change_with_error, number, step, with_error
from ontogeny.report.vector import sparkline

NAVIGATION = ("index", "family")
"""Keys of `links` that lead to other pages; all others are files of the run, named by their key."""


@cache
def environment() -> Environment:
    """The templates; text is escaped, an unknown name is an error."""
    return Environment(
        loader=PackageLoader("ontogeny.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


@cache
def plotly_script() -> Markup:
    """plotly.js, 4.8 MB, for a script element."""
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())


def embedded(data: Any) -> Markup:
    """JSON for a script element: no text in it can end the element, no number in it is NaN."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))


def page_data(panels: Sequence[Panel], *, logarithmic: bool, last: int, **more: Any) -> Markup:
    """What `templates/page.js` reads."""
    figures = {panel.identifier: {**panel.figure, "height": panel.height, "names": panel.names} for panel in panels}
    return embedded({"figures": figures, "logarithmic": logarithmic, "last": last, "transitions": [], "traces": [], **more})


def run_page(report: RunReport, links: Mapping[str, str]) -> str:
    """The page of one run.

    Args:
        links: name -> address relative to the page. `index` and `family` lead to those pages, any other is a file of the run.
    """
    main = [panel for panel in [overview(report)] if panel]
    observed, trained, checked = observable_panels(report), training_panels(report), health.diagnostic_panels(report)
    traces = health.trace_data(report)
    candidates = report.transitions.get("candidates") or []
    return render(
        "run.html",
        report=report,
        headline=words.headline(report),
        facts=run_facts(report),
        main=main,
        observed=[*observed, *trained],
        checked=checked,
        traces=traces,
        trace_caption=health.trace_caption(traces, report.traces["step"].nunique() if len(report.traces) else 0),
        health_rows=health.health_rows(report.health),
        sampling=words.sampling_in_words(report.trajectory),
        candidates=[candidate_view(place, candidate, report) for place, candidate in enumerate(candidates, 1)],
        stages=words.stage_rows(report.transitions),
        undecided=undecided_names(report.transitions),
        consensus=consensus_view(report.consensus),
        calibration=flattened(report.calibration),
        provenance=flattened(report.provenance),
        specification=json.dumps(report.specification, indent=2, ensure_ascii=False, default=str),
        links=navigation(links),
        files={name: address for name, address in links.items() if name not in NAVIGATION},
        data=page_data(
            [*main, *observed, *trained, *checked],
            logarithmic=crowded_early(report.trajectory),
            last=last_step(report.trajectory),
            transitions=marks(report.transitions),
            traces=traces,
        ),
        plotly=plotly_script(),
    )


def render(template: str, **context: Any) -> str:
    return environment().get_template(template).render(**context)


def navigation(links: Mapping[str, str]) -> dict[str, str]:
    """The addresses of the other pages; "" where there is none."""
    return {name: links.get(name, "") for name in NAVIGATION}


def run_facts(report: RunReport) -> list[tuple[str, str]]:
    """The key numbers at the top of a run's page."""
    llc, loss = finite(curve(report.trajectory, LLC)), main_loss(report.trajectory)
    found = report.transitions.get("candidates") or []
    last = llc.iloc[-1] if len(llc) else None
    return [
        ("training steps", step(last_step(report.trajectory)) if len(report.trajectory) else number(None)),
        (
            "checkpoints",
            f"{report.trajectory['step'].nunique() if len(report.trajectory) else 0}, {len(curve(report.trajectory, LLC))} sampled",
        ),
        ("loss at the end", number(loss["value"].iloc[-1]) if len(loss) else number(None)),
        ("λ̂ at the end", with_error(last["value"], last["standard_error"]) if last is not None else number(None)),
        ("candidates", f"{len(found)}, {sum(map(words.is_named, found))} named"),
    ]


def candidate_view(place: int, candidate: Mapping[str, Any], report: RunReport) -> dict[str, Any]:
    """A candidate as the page prints it."""
    return {
        "number": place,
        "title": words.title_of(candidate),
        "named": words.is_named(candidate),
        "support": words.support_of(candidate, report.consensus),
        "sentences": words.candidate_sentences(candidate, report.trajectory),
        "steps": f"{step(candidate.get('start'))} – {step(candidate.get('end'))}",
        "llc": change_with_error(candidate.get("delta_llc"), candidate.get("delta_llc_standard_error")),
        "loss": change(candidate.get("delta_loss")),
        "size": number(candidate.get("critical_sample_size")),
        "q": number(candidate.get("q_value"), 2),
        "evidence": [evidence_view(row) for row in candidate.get("evidence") or []],
    }


def evidence_view(row: Mapping[str, Any]) -> dict[str, str]:
    """A curve that changes with a candidate."""
    return {
        "curve": words.label(str(row.get("observable", ""))).title,
        "component": str(row.get("component") or ""),
        "steps": f"{step(row.get('start'))} – {step(row.get('end'))}",
        "location": step(row.get("location")),
        "change": change(row.get("change")),
    }


def undecided_names(transitions: Mapping[str, Any]) -> list[str]:
    """Curves that could not be judged, each with its reason."""
    rows = transitions.get("undecided") or []
    return [
        f"{' of '.join(filter(None, (words.label(row['observable']).title, row.get('component'))))}: {row.get('reason', 'no reason given')}"
        for row in rows
    ]


def consensus_view(consensus: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the seeds of a variant agree on."""
    rows = consensus.get("transitions") or []
    return [{"title": words.title_of(row), "support": str(row.get("support", "")), "words": words.agreement(row)} for row in rows]


def flattened(nested: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested settings as (dotted name, value) for a table."""
    rows: list[tuple[str, str]] = []
    for key, value in nested.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            rows += flattened(value, f"{name}.")
        else:
            rows.append((name, in_words(value)))
    return rows


def in_words(value: Any) -> str:
    """A setting: numbers as they stand, lists separated by commas, nothing as a dash."""
    if isinstance(value, (list, tuple)):
        return ", ".join(in_words(item) for item in value) or number(None)
    if isinstance(value, float):
        return f"{value:.6g}"
    return number(None) if value is None else str(value)


def family_page(family: FamilySummary, links: Mapping[str, str]) -> str:
    """The page of a family: its seeds and variants over each other.

    Args:
        family: its runs' `href` are relative to this page.
        links: `index` leads to the study's index.
    """
    drawn = overlays.drawn_runs(family.runs)
    panels = overlays.overlay_panels(drawn)
    tables = [run.trajectory for run in family.runs]
    left_out = sorted({words.label(name).title for table in tables for name in dropped(table)})
    return render(
        "family.html",
        family=family,
        summary=family_in_words(family),
        rows=overlays.run_rows(drawn),
        variants=variant_views(family),
        panels=panels,
        left_out=left_out,
        links=navigation(links),
        data=page_data(panels, logarithmic=any(map(crowded_early, tables)), last=max(map(last_step, tables), default=0)),
        plotly=plotly_script(),
    )


def dropped(trajectory: Any) -> list[str]:
    """Observables of components other than heads, which only the runs' own pages show."""
    names = [] if trajectory.empty else trajectory["observable"].unique()
    return [
        name
        for name in names
        if curve(trajectory, name).empty and not any(".heads." in part for part in components(trajectory, name))
    ]


def variants_of(family: FamilySummary) -> dict[str, list[RunSummary]]:
    """Variant -> its runs in order of seed."""
    ordered = sorted(family.runs, key=lambda run: (run.variant, run.seed))
    return {
        variant: [run for run in ordered if run.variant == variant] for variant in dict.fromkeys(run.variant for run in ordered)
    }


def family_in_words(family: FamilySummary) -> str:
    """The family in a sentence."""
    variants = variants_of(family)
    if not variants:
        return "No run of this family is there yet."
    supported = [
        f"{words.title_of(row)} in {variant}" if len(variants) > 1 else words.title_of(row)
        for variant in variants
        for row in (family.consensus.get(variant) or {}).get("transitions") or []
        if row.get("support") == "supported"
    ]
    told = f"{words.counted(len(family.runs), 'run')} of {words.counted(len(variants), 'variant')}. "
    return told + (
        f"Supported by the seeds: {words.listed(supported)}." if supported else "No transition is supported by most seeds."
    )


def variant_views(family: FamilySummary) -> list[dict[str, Any]]:
    """The variants with their runs, small plots and what their seeds agree on."""
    return [
        {
            "variant": variant,
            "runs": runs,
            "llc": spark(runs, LLC, f"λ̂ over steps, {words.counted(len(runs), 'seed')} of {variant}"),
            "loss": spark(runs, "loss", f"loss over steps, {words.counted(len(runs), 'seed')} of {variant}"),
            "consensus": consensus_view(family.consensus.get(variant) or {}),
        }
        for variant, runs in variants_of(family).items()
    ]


def spark(runs: Sequence[RunSummary], what: str, summary: str) -> Markup:
    """A small plot of the seeds of a variant."""
    curves = [curve(run.trajectory, LLC) if what == LLC else main_loss(run.trajectory) for run in runs]
    return Markup(sparkline(curves, str(Markup.escape(summary)), any(crowded_early(run.trajectory) for run in runs)))


def index_page(study: str, families: Sequence[FamilySummary], links: Mapping[str, str]) -> str:
    """The page over all families of a study.

    Args:
        study: its name, such as the results folder's.
        families: `href` of families and runs are relative to this page.
        links: files beside it, name -> address.
    """
    views = [{"family": family, "summary": family_in_words(family), "variants": variant_views(family)} for family in families]
    return render("index.html", study=study, families=views, files=dict(links))
