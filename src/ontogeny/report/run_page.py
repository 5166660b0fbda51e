"""Write the page of a run: the answer, the network, the development, the candidates, and the rest folded."""

import json
from collections.abc import Mapping
from dataclasses import replace

from ontogeny.report import health, sensitivity, views, words
from ontogeny.report.agreement import consensus_view, named_by_seeds
from ontogeny.report.candidates import candidate_view
from ontogeny.report.concerns import concerns, remedies_of, tiles
from ontogeny.report.labels import slug
from ontogeny.report.order import boundaries_in_words, void_in_words
from ontogeny.report.pages import page_data, render
from ontogeny.report.places import SHOWN, axis_shown, given_axis, in_steps
from ontogeny.report.plots import marks, observable_panels, overview, training_panels
from ontogeny.report.tables import RunReport, spaced_logarithmically, steps_of
from ontogeny.transitions.records import Development

NOTHING_KNOWN = Development(candidates=(), stages=(), boundaries=(), void=(), undecided=())


def run_page(report: RunReport, links: Mapping[str, str]) -> str:
    """Return the page of a run.

    Args:
        links: name -> address relative to the page. `index`, `family`, `previous` and `next` lead to other pages, `plotly` to
            plotly.js; without it the page carries a copy. Any other is a file of the run.
    """
    axis = axis_shown(report.trajectory)
    tables = {name: in_steps(getattr(report, name), axis) for name in ("trajectory", "llc", "health")}
    with given_axis(axis):
        return page(replace(report, **tables), links)


def page(report: RunReport, links: Mapping[str, str]) -> str:
    """Return the page of a run whose tables hold the places on the axis in the column `step`."""
    if report.transitions is not None:
        report = replace(report, transitions=named_by_seeds(report.transitions, report.consensus, report.seed))
    main = [panel for panel in [overview(report)] if panel]
    observed, trained, checked = observable_panels(report), training_panels(report), health.diagnostic_panels(report)
    calibrated = [*sensitivity.sensitivity_panels(report), *health.calibration_panels(report.calibration)]
    traces = health.trace_data(report)
    transitions = report.transitions or NOTHING_KNOWN
    logarithmic = SHOWN.get().scale == "log" or spaced_logarithmically(report.trajectory)
    return render(
        "run.html",
        links,
        report=report,
        name=report.name,
        headline=words.headline(report),
        tiles=tiles(report),
        concerns=concerns(report),
        main=main,
        observed=[*observed, *trained],
        checked=checked,
        calibrated=calibrated,
        step_check=words.calibration_in_words(report.calibration),
        traces=traces,
        trace_caption=health.trace_caption(traces, len(steps_of(report.traces))),
        health_rows=health.health_rows(report.health),
        sampling=words.sampling_in_words(report.trajectory),
        remedies=remedies_of(report),
        localised=sensitivity.localised_in_words(report),
        candidates=[
            candidate_view(place, candidate, report, logarithmic) for place, candidate in enumerate(transitions.candidates, 1)
        ],
        searched=report.transitions is not None,
        stages=words.stage_rows(transitions.stages),
        undecided=views.undecided_names(transitions.undecided),
        boundaries=boundaries_in_words(transitions.boundaries),
        left_out=words.left_out_in_words(report.trajectory),
        void=void_in_words(transitions.void),
        consensus=consensus_view(report.consensus) if report.consensus else None,
        calibration=views.flattened(report.calibration),
        provenance=views.flattened(report.provenance),
        specification=json.dumps(report.specification, indent=2, ensure_ascii=False, default=str),
        data=page_data(
            [*main, *observed, *trained, *checked, *calibrated],
            name=slug(*report.name),
            logarithmic=logarithmic,
            places=steps_of(report.trajectory).tolist(),
            transitions=marks(transitions.candidates),
            traces=traces,
        ),
    )
