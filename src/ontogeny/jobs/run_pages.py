"""Write the page of every run of a variant, and one figure of them all for the record."""

from typing import Any

import pandas as pd

from ontogeny.config.observables import Label
from ontogeny.jobs.job import Job
from ontogeny.pipeline.files import read_json, write_json, write_text
from ontogeny.pipeline.fingerprint import digest
from ontogeny.report.labels import given_labels
from ontogeny.report.pages import run_page
from ontogeny.report.svg import trajectory_svg
from ontogeny.report.tables import WHOLE_NETWORK, RunReport

MEASURED = ("train", "sample", "observe", "detect")
TABLES = ("trajectory", "training", "llc", "health", "traces")
LINKS = {
    "index": "../../../report/index.html",
    "family": "../../report.html",
    "trajectory.csv": "trajectory.csv",
    "trajectory.parquet": "trajectory.parquet",
    "transitions.json": "transitions.json",
    "provenance.json": "provenance.json",
    "calibration.json": "../calibration.json",
    "consensus.json": "../consensus.json",
}


def run(job: Job) -> None:
    """Write `report.html` and `provenance.json` of each seed whose page is out of date, `trajectory.svg` of the variant."""
    calibration, consensus = read_json(job.folder / "calibration.json"), read_json(job.folder / "consensus.json")
    digests = {}
    for seed in job.specification["seeds"]:
        digests[seed] = job.seed_digest(seed, job.manifest(seed, "detect")["digest"], digest(consensus))
        page = job.seed_folder(seed) / "report.html"
        if not job.is_done(seed, digests[seed], page):
            with job.recorded(seed, digests[seed]):
                provenance = {stage: told(job.manifest(seed, stage)) for stage in MEASURED}
                write_json(job.seed_folder(seed) / "provenance.json", provenance)
                with given_labels(job.section("labels", dict[str, Label])):
                    write_text(page, run_page(run_report(job, seed, calibration, consensus, provenance), LINKS))
    trajectories = {seed: pd.read_parquet(job.seed_folder(seed) / "trajectory.parquet") for seed in digests}
    write_text(job.folder / "trajectory.svg", trajectory_svg(trajectories, title=f"{job.family} {job.variant}"))
    write_json(job.folder / "jobs" / "run_pages.json", {"digests": {str(seed): text for seed, text in digests.items()}})


def told(manifest: dict[str, Any]) -> dict[str, Any]:
    """A stage's manifest without what the page shows elsewhere."""
    return {key: value for key, value in manifest.items() if key not in ("specification", "steps")}


def run_report(job: Job, seed: int, calibration: Any, consensus: Any, provenance: Any) -> RunReport:
    folder = job.seed_folder(seed)
    configuration = job.specification["configuration"]
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in TABLES}
    # The page shows the health of the whole network; that of refined components is in health.parquet.
    tables["health"] = pd.DataFrame(tables["health"][tables["health"]["component"] == WHOLE_NETWORK])
    return RunReport(
        family=job.family,
        variant=job.variant,
        seed=seed,
        description=configuration["description"],
        transitions=read_json(folder / "transitions.json"),
        consensus=consensus,
        calibration=calibration,
        specification={"seed": seed, **configuration},
        provenance=provenance,
        **tables,
    )
