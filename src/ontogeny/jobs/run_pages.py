"""Write the page of every run of a variant, and one figure of them all for the record."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from ontogeny.config.observables import Label
from ontogeny.config.pictures import PictureCard
from ontogeny.jobs.job import Job, Made
from ontogeny.pipeline.files import read_json, read_parquet, read_result, write_json, write_text
from ontogeny.report.agreement import named_by_seeds
from ontogeny.report.assets import write_plotly
from ontogeny.report.labels import given_labels
from ontogeny.report.pictures.network import network_pictures
from ontogeny.report.run_page import run_page
from ontogeny.report.svg import trajectory_svg
from ontogeny.report.tables import WHOLE_NETWORK, RunReport, draws_table
from ontogeny.sampling.draws import read
from ontogeny.transitions.records import Consensus, Development, read_record

MEASURED = ("train", "sample", "estimate", "observe", "detect")
TABLES = ("trajectory", "training", "llc", "health")
LINKS = {
    "index": "../../../report/index.html",
    "family": "../../report.html",
    "trajectory.csv": "trajectory.csv",
    "trajectory.parquet": "trajectory.parquet",
    "transitions.json": "transitions.json",
    "llc.parquet": "llc.parquet",
    "health.parquet": "health.parquet",
    "observables.parquet": "observables.parquet",
    "training.parquet": "training.parquet",
    "run.json": "run.json",
    "provenance.json": "provenance.json",
    "draws/": "draws/",
    "checkpoints/": "checkpoints/",
    "trajectory.svg": "../trajectory.svg",
    "calibration.json": "../calibration.json",
    "consensus.json": "../consensus.json",
    "sensitivity.json": "../sensitivity.json",
}


def run(job: Job) -> None:
    """Write `report.html` and `provenance.json` of each seed whose page is out of date, `trajectory.svg` of the variant."""
    calibration = read_json(job.folder / "calibration.json")
    consensus = read_record(Consensus, job.folder / "consensus.json")
    path = job.folder / "sensitivity.json"
    sensitivity = read_json(path) if job.specification["configuration"]["llc"]["sensitivity"] else None
    links = {name: address for name, address in LINKS.items() if sensitivity or name != path.name}
    links["plotly"] = f"../../../{write_plotly(job.results)}"

    def write_page(seed: int) -> Made:
        folder = job.seed_folder(seed)
        provenance = {kind: provenance_of(job.manifest(seed, kind)) for kind in MEASURED}
        write_json(folder / "provenance.json", provenance)
        report = run_report(job, seed, calibration, consensus, provenance)
        if sensitivity and sensitivity["seed"] == seed:
            report = replace(report, sensitivity=sensitivity)
        write_text(folder / "report.html", run_page(report, {**links, **neighbours(seed, job.specification["seeds"])}))
        return Made(outputs=[folder / "report.html", folder / "provenance.json"])

    with given_labels(job.section("labels", dict[str, Label])):
        job.per_seed(write_page)
    seeds = job.specification["seeds"]
    trajectories = {seed: read_parquet(job.seed_folder(seed) / "trajectory.parquet") for seed in seeds}
    write_text(job.folder / "trajectory.svg", trajectory_svg(trajectories, title=f"{job.family} {job.variant}"))


def neighbours(seed: int, seeds: Sequence[int]) -> dict[str, str]:
    """Return the addresses of the pages of the previous and the next seed, where there are any."""
    ordered = sorted(seeds)
    place = ordered.index(seed)
    near = {"previous": ordered[max(place - 1, 0) : place], "next": ordered[place + 1 : place + 2]}
    return {name: f"../seed~{other}/report.html" for name, others in near.items() for other in others}


def provenance_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a manifest that the page shows under provenance."""
    return {key: value for key, value in manifest.items() if key not in ("specification", "steps", "components", "outputs")}


def run_report(job: Job, seed: int, calibration: Any, consensus: Consensus, provenance: Any) -> RunReport:
    folder = job.seed_folder(seed)
    configuration = job.specification["configuration"]
    tables: dict[str, Any] = {name: read_parquet(folder / f"{name}.parquet") for name in TABLES}
    tables["traces"] = read_result(folder / "draws", lambda path: traces(path, job.manifest(seed, "sample")["steps"]))
    # The page shows the health of the whole network; that of refined components is in health.parquet.
    tables["health"] = pd.DataFrame(tables["health"][tables["health"]["component"] == WHOLE_NETWORK])
    development = read_record(Development, folder / "transitions.json")
    shown = named_by_seeds(development, consensus, seed)
    return RunReport(
        family=job.family,
        variant=job.variant,
        seed=seed,
        description=configuration["description"],
        transitions=development,
        consensus=consensus,
        calibration=calibration,
        specification={"seed": seed, **configuration},
        provenance=provenance,
        pictures=network_pictures(folder, shown, job.section("picture_cards", dict[str, PictureCard])),
        **tables,
    )


def traces(folder: Path, steps: Sequence[int]) -> pd.DataFrame:
    """Return a row for each draw of the whole network: step, chain, draw, value."""
    return draws_table(steps, read(folder, WHOLE_NETWORK, steps)[0].values)
