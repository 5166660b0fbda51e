"""Put what was sampled and observed into the trajectory table of each seed, and look for transitions in it."""

import pandas as pd

from ontogeny import config
from ontogeny.files import write_csv, write_json, write_parquet
from ontogeny.stages.job import Job
from ontogeny.trajectory import assemble
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
                trajectory = assemble(pd.read_parquet(folder / "health.parquet"), pd.read_parquet(folder / "observables.parquet"))
                write_parquet(folder / "trajectory.parquet", trajectory)
                write_csv(folder / "trajectory.csv", trajectory)
                detected = detect_transitions(trajectory, alpha=section.alpha)
                write_json(folder / "transitions.json", candidates(trajectory, detected))
    job.finish(digests)
