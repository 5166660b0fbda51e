"""Pages that show what was found: one per run, one per family, an index. Pure functions from tables to HTML.

`data` is what they are given, `labels` and `numbers` how things are called and printed, `words` the sentences, `figures`,
`health`, `posterior` and `overlays` the plots as Plotly JSON, `vector` the plots as SVG, `pages` puts them into `templates/`.
"""

from ontogeny.report.data import FamilySummary, PosteriorSummary, RunReport, RunSummary
from ontogeny.report.pages import family_page, index_page, run_page
from ontogeny.report.vector import trajectory_svg

__all__ = [
    "FamilySummary",
    "PosteriorSummary",
    "RunReport",
    "RunSummary",
    "family_page",
    "index_page",
    "run_page",
    "trajectory_svg",
]
