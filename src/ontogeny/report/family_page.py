"""Write the page of a family: what was found, the network of every seed, the runs, and their curves over each other."""

from collections.abc import Mapping

from ontogeny.report import overlays, views
from ontogeny.report.findings import family_findings
from ontogeny.report.labels import label, slug
from ontogeny.report.pages import page_data, render
from ontogeny.report.phases import posterior_views
from ontogeny.report.tables import FamilySummary, last_step, spaced_logarithmically


def family_page(family: FamilySummary, links: Mapping[str, str]) -> str:
    """Return the page of a family, with all its seeds and variants on common axes.

    Args:
        family: its runs' `href` are relative to this page.
        links: `index` leads to the study's index, `plotly` to plotly.js; without it the page carries a copy.
    """
    family = views.under_their_names(family)
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
            logarithmic=any(map(spaced_logarithmically, tables)),
            last=max(map(last_step, tables), default=0),
        ),
    )
