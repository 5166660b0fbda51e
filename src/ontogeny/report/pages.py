"""Write self-contained HTML pages for a run, a family and a study. The only files read are the templates.

A page carries its data as JSON and, where it has interactive plots, its own copy of plotly.js.
It requests nothing over the network.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ontogeny.report import health, overlays, views, words
from ontogeny.report.labels import label
from ontogeny.report.order import boundaries_in_words, void_in_words
from ontogeny.report.phases import posterior_views
from ontogeny.report.plots import Panel, marks, observable_panels, overview, training_panels
from ontogeny.report.tables import FamilySummary, RunReport, crowded_early, last_step, steps_of
from ontogeny.transitions.records import Development

NOTHING_KNOWN = Development(candidates=(), stages=(), boundaries=(), void=(), undecided=())


@cache
def environment() -> Environment:
    """Return the templates. They escape text, and an unknown name is an error."""
    return Environment(
        loader=PackageLoader("ontogeny.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


@cache
def plotly_script() -> Markup:
    """Return plotly.js, 4.8 MB, for a script element."""
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())


def embedded(data: Any) -> Markup:
    """Return JSON for a script element. No text in it can end the element, and no number in it is NaN."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))


def page_data(panels: Sequence[Panel], *, logarithmic: bool, last: int, **more: Any) -> Markup:
    """Return the JSON that `templates/page.js` reads."""
    figures = {panel.identifier: {**panel.figure, "height": panel.height, "names": panel.names} for panel in panels}
    return embedded({"figures": figures, "logarithmic": logarithmic, "last": last, "transitions": [], "traces": [], **more})


def run_page(report: RunReport, links: Mapping[str, str]) -> str:
    """Return the page of a run.

    Args:
        links: name -> address relative to the page. `index` and `family` lead to those pages, any other is a file of the run.
    """
    main = [panel for panel in [overview(report)] if panel]
    observed, trained, checked = observable_panels(report), training_panels(report), health.diagnostic_panels(report)
    calibrated = health.calibration_panels(report.calibration)
    traces = health.trace_data(report)
    transitions = report.transitions or NOTHING_KNOWN
    return render(
        "run.html",
        report=report,
        headline=words.headline(report),
        facts=views.run_facts(report),
        main=main,
        observed=[*observed, *trained],
        checked=checked,
        calibrated=calibrated,
        step_check=words.calibration_in_words(report.calibration),
        traces=traces,
        trace_caption=health.trace_caption(traces, len(steps_of(report.traces))),
        health_rows=health.health_rows(report.health),
        sampling=words.sampling_in_words(report.trajectory),
        candidates=[views.candidate_view(place, candidate, report) for place, candidate in enumerate(transitions.candidates, 1)],
        searched=report.transitions is not None,
        stages=words.stage_rows(transitions.stages),
        undecided=views.undecided_names(transitions.undecided),
        boundaries=boundaries_in_words(transitions.boundaries),
        left_out=words.left_out_in_words(report.trajectory),
        void=void_in_words(transitions.void),
        consensus=views.consensus_view(report.consensus) if report.consensus else None,
        calibration=views.flattened(report.calibration),
        provenance=views.flattened(report.provenance),
        specification=json.dumps(report.specification, indent=2, ensure_ascii=False, default=str),
        links=views.navigation(links),
        files=views.files(links),
        data=page_data(
            [*main, *observed, *trained, *checked, *calibrated],
            logarithmic=crowded_early(report.trajectory),
            last=last_step(report.trajectory),
            transitions=marks(transitions.candidates),
            traces=traces,
        ),
        plotly=plotly_script(),
    )


def render(template: str, **context: Any) -> str:
    return environment().get_template(template).render(**context)


def family_page(family: FamilySummary, links: Mapping[str, str]) -> str:
    """Return the page of a family, with all its seeds and variants on common axes.

    Args:
        family: its runs' `href` are relative to this page.
        links: `index` leads to the study's index.
    """
    drawn = overlays.drawn_runs(family.runs)
    panels = overlays.overlay_panels(drawn)
    posteriors = posterior_views(family.posteriors)
    plotted = [*(view["panel"] for view in posteriors), *panels]
    tables = [run.trajectory for run in family.runs]
    left_out = sorted({label(name).title for table in tables for name in views.dropped(table)})
    return render(
        "family.html",
        family=family,
        summary=views.family_in_words(family),
        rows=overlays.run_rows(drawn),
        variants=views.variant_views(family),
        panels=panels,
        posteriors=posteriors,
        left_out=left_out,
        links=views.navigation(links),
        data=page_data(plotted, logarithmic=any(map(crowded_early, tables)), last=max(map(last_step, tables), default=0)),
        plotly=plotly_script(),
    )


def index_page(families: Sequence[FamilySummary], links: Mapping[str, str]) -> str:
    """Return the page of all families of a study.

    Args:
        families: `href` of families and runs are relative to this page.
        links: files beside it, name -> address.
    """
    shown = [
        {
            "family": family,
            "summary": views.family_in_words(family),
            "variants": [{**view, "plots": views.small_plots(view["runs"])} for view in views.variant_views(family)],
        }
        for family in families
    ]
    return render(
        "index.html", title=words.study_title([family.family for family in families]), families=shown, files=dict(links)
    )
