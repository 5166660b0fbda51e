"""Write the page of a study: a sentence on what each family shows, a table of all runs, and a summary of each variant."""

from collections.abc import Mapping, Sequence
from typing import Any

from ontogeny.report import views, words
from ontogeny.report.findings import family_findings
from ontogeny.report.labels import listed
from ontogeny.report.overlays import ending
from ontogeny.report.pages import render
from ontogeny.report.tables import FamilySummary, RunSummary

MINUTE, HOUR = 60, 3600


def index_page(families: Sequence[FamilySummary], links: Mapping[str, str]) -> str:
    """Return the page of all families of a study.

    Args:
        families: `href` of families and runs are relative to this page.
        links: files beside it, name -> address.
    """
    families = [views.under_their_names(family) for family in families]
    shown = [
        {
            "family": family,
            "found": family_findings(family),
            "unjudged": views.unjudged_in_words(family.runs),
            "variants": [{**view, "plots": views.small_plots(view["runs"])} for view in views.variant_views(family)],
        }
        for family in families
    ]
    rows = [
        {"family": family.family, "run": run, **ending(run)}
        for family in families
        for run in sorted(family.runs, key=lambda run: (run.variant, run.seed))
    ]
    return render(
        "index.html",
        links,
        title=words.study_title([family.family for family in families]),
        families=shown,
        rows=rows,
        about=about([run for family in families for run in family.runs]),
    )


def about(runs: Sequence[RunSummary]) -> str:
    """Say when the newest results were made, with which version, and what they cost; "" where nothing was recorded."""
    records: list[Mapping[str, Any]] = [record for run in runs for record in run.provenance.values()]
    parts = [words.counted(len(runs), "run")] if runs else []
    finished = max((record["finished"] for record in records if record.get("finished")), default="")
    parts += [f"finished on {finished[:10]}"] if finished else []
    versions = sorted({record["versions"]["ontogeny"] for record in records if "ontogeny" in record.get("versions", {})})
    parts += [f"ontogeny {listed(versions)}"] if versions else []
    seconds = sum(record.get("seconds") or 0 for record in records)
    parts += [f"{duration(seconds)} of training, sampling and measuring"] if seconds else []
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """Return a time in words: '43 seconds', '12 minutes', '3.4 hours'."""
    if seconds < 2 * MINUTE:
        return f"{seconds:.0f} seconds"
    return f"{seconds / MINUTE:.0f} minutes" if seconds < 2 * HOUR else f"{seconds / HOUR:.1f} hours"
