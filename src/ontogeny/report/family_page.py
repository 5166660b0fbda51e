"""Write the page of a family: what was found, the network of every seed, the runs, and their curves over each other."""

from collections.abc import Mapping
from dataclasses import replace

from ontogeny.report import overlays, views
from ontogeny.report.findings import family_findings
from ontogeny.report.labels import label, slug
from ontogeny.report.pages import page_data, render
from ontogeny.report.phases import posterior_views
from ontogeny.report.places import given_axis, in_steps
from ontogeny.report.tables import FamilySummary, spaced_logarithmically, steps_of


def family_page(family: FamilySummary, links: Mapping[str, str]) -> str:
    """Return the page of a family, with all its seeds and variants on common axes.

    Args:
        family: its runs' `href` are relative to this page.
        links: `index` leads to the study's index, `plotly` to plotly.js; without it the page carries a copy.
    """
    runs = [replace(run, trajectory=in_steps(run.trajectory, family.axis)) for run in family.runs]
    with given_axis(family.axis):
        return page(views.under_their_names(replace(family, runs=runs)), links)


def page(family: FamilySummary, links: Mapping[str, str]) -> str:
    """Return the page of a family whose tables hold the places on the axis in the column `step`."""
    drawn = overlays.drawn_runs(family.runs)
    panels = overlays.overlay_panels(drawn)
    posteriors = posterior_views(family.posteriors)
    plotted = [*(view["panel"] for view in posteriors), *panels]
    tables = [run.trajectory for run in family.runs]
    left_out = sorted({label(name).title for table in tables for name in views.dropped(table)})
    return render(
        "family.html",
        links,
        family=family,
        found=family_findings(family),
        unjudged=views.unjudged_in_words(family.runs),
        rows=overlays.run_rows(drawn),
        variants=views.variant_views(family),
        panels=panels,
        posteriors=posteriors,
        left_out=left_out,
        data=page_data(
            plotted,
            name=slug(family.family),
            logarithmic=family.axis.scale == "log" or any(map(spaced_logarithmically, tables)),
            places=sorted({place for table in tables for place in steps_of(table).tolist()}),
        ),
    )
