"""Write the page over all families of a study."""

from ontogeny.files import write_text
from ontogeny.report.pages import index_page
from ontogeny.stages.family_report import summary
from ontogeny.stages.job import Job


def run(job: Job) -> None:
    """Write `report/index.html`."""
    families = [
        summary(job.results, name, section["description"], section["variants"], to_family=f"../{name}/")
        for name, section in job.specification["families"].items()
    ]
    write_text(job.results / "report" / "index.html", index_page(families, {}))
