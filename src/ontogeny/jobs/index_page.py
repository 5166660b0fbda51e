"""Write the page over all families of a study."""

from ontogeny.jobs.family_page import summary
from ontogeny.jobs.job import Job
from ontogeny.pipeline.files import write_text
from ontogeny.report.pages import index_page


def run(job: Job) -> None:
    """Write `report/index.html`."""
    families = [
        summary(job.results, name, section["description"], section["variants"], to_family=f"../{name}/")
        for name, section in job.specification["families"].items()
    ]
    write_text(job.results / "report" / "index.html", index_page(families, {}))
