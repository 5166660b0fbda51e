"""Write the page over all families of a study."""

from ontogeny.config.observables import Label
from ontogeny.jobs.family_page import summary
from ontogeny.jobs.job import Job
from ontogeny.pipeline.files import write_text
from ontogeny.report.assets import write_plotly
from ontogeny.report.index_page import index_page
from ontogeny.report.labels import given_labels


def run(job: Job) -> None:
    """Write `report/index.html`, and plotly.js, which the other pages need."""
    families = [
        summary(job.results, name, section["description"], section["variants"], to_family=f"../{name}/")
        for name, section in job.specification["families"].items()
    ]
    with given_labels(job.section("labels", dict[str, Label])):
        page = index_page(families, {})
    write_text(job.results / "report" / "index.html", page)
    write_plotly(job.results)
