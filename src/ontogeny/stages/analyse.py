"""Put what was sampled and observed into the trajectory table of each seed, and look for transitions in it."""

from pathlib import Path

import pandas as pd

from ontogeny import config
from ontogeny.files import write_csv, write_json, write_parquet
from ontogeny.stages.job import Job
from ontogeny.trajectory import assemble, criteria_rows, empty
from ontogeny.transitions import candidates, detect_transitions


def run(job: Job) -> None:
    """Write `trajectory.parquet`, `trajectory.csv` and `transitions.json` of each seed that does not have them."""
    section: config.Transitions = job.section("transitions", config.Transitions)
    digests = {}
    for seed in job.specification["seeds"]:
        folder = job.seed_folder(seed)
        digests[seed] = job.seed_digest(seed, *(job.manifest(seed, stage)["digest"] for stage in ("sample", "observe")))
        outputs = [folder / name for name in ("trajectory.parquet", "trajectory.csv", "transitions.json")]
        if not job.is_done(seed, digests[seed], *outputs):
            with job.recorded(seed, digests[seed]):
                criteria = information(folder)
                health, observed = (pd.read_parquet(folder / f"{name}.parquet") for name in ("health", "observables"))
                trajectory = assemble(health, observed, criteria)
                write_parquet(folder / "trajectory.parquet", trajectory)
                write_csv(folder / "trajectory.csv", trajectory)
                # They are made of the draws of λ̂ and of the loss: counted again, one change would be evidence many times.
                independent = pd.DataFrame(trajectory[~trajectory["observable"].isin(criteria["observable"])])
                detected = detect_transitions(independent, alpha=section.alpha)
                write_json(folder / "transitions.json", candidates(trajectory, detected))
    job.finish(digests)


def information(folder: Path) -> pd.DataFrame:
    """The rows of the information criteria of a run; none where sampling gave none."""
    path = folder / "information.parquet"
    return criteria_rows(pd.read_parquet(path)) if path.is_file() else empty()
