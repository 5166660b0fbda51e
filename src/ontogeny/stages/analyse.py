"""Put what was sampled and observed into the trajectory table of each seed, and look for transitions in it."""

from pathlib import Path

import numpy as np
import pandas as pd

from ontogeny import config
from ontogeny.files import write_csv, write_json, write_parquet
from ontogeny.learning_rates import learning_rate_jumps
from ontogeny.stages.job import Job
from ontogeny.trajectory import assemble, criteria_rows, empty
from ontogeny.transitions import candidates, chain_covariance, detect_transitions
from ontogeny.transitions.naming import rules_of


def run(job: Job) -> None:
    """Write `trajectory.parquet`, `trajectory.csv` and `transitions.json` of each seed that does not have them."""
    section: config.Transitions = job.section("transitions", config.Transitions)
    training: config.Training = job.section("training", config.Training)
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
                covariance = covariance_of(pd.read_parquet(folder / "llc.parquet"), health)
                detected = detect_transitions(
                    independent, alpha=section.alpha, covariance=covariance, interventions=learning_rate_jumps(training)
                )
                write_json(folder / "transitions.json", candidates(trajectory, detected, rules_of(section), covariance))
    job.finish(digests)


def covariance_of(llc: pd.DataFrame, health: pd.DataFrame) -> np.ndarray | None:
    """Of the errors of λ̂ of the whole network between checkpoints, from its chains; None where they do not tell."""
    whole = llc[llc["component"] == ""].pivot(index="step", columns="chain", values="llc").sort_index()
    errors = health[health["component"] == ""].set_index("step")["standard_error"].reindex(whole.index)
    return chain_covariance(whole.to_numpy(float), errors.to_numpy(float))


def information(folder: Path) -> pd.DataFrame:
    """The rows of the information criteria of a run; none where sampling gave none."""
    path = folder / "information.parquet"
    return criteria_rows(pd.read_parquet(path)) if path.is_file() else empty()
