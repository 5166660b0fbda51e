"""Put what was sampled and observed into the trajectory table of each seed, and look for transitions in it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ontogeny import config
from ontogeny.checkpoints import blocks as checkpoints
from ontogeny.jobs.job import Job, Made
from ontogeny.pipeline.files import read_parquet, write_csv, write_json, write_parquet
from ontogeny.trajectory import assemble, criteria_rows, empty
from ontogeny.transitions.detection.detect import detect_transitions
from ontogeny.transitions.events import candidates
from ontogeny.transitions.interventions import interventions
from ontogeny.transitions.naming import rules_of


def run(job: Job) -> None:
    """Write `trajectory.parquet`, `trajectory.csv` and `transitions.json` of each seed that does not have them."""
    section: config.Transitions = job.section("transitions", config.Transitions)
    training: config.Training = job.section("training", config.Training)

    def detect_seed(seed: int) -> Made:
        folder = job.seed_folder(seed)
        criteria = information(folder)
        health, observed = (read_parquet(folder / f"{name}.parquet") for name in ("health", "observables"))
        trajectory = assemble(health, observed, criteria)
        write_parquet(folder / "trajectory.parquet", trajectory)
        write_csv(folder / "trajectory.csv", trajectory)
        # They are made of the draws of λ̂ and of the loss: counted again, one change would be evidence many times.
        independent = pd.DataFrame(trajectory[~trajectory["observable"].isin(criteria["observable"])])
        chains = chains_of(read_parquet(folder / "llc.parquet"))
        changed = interventions(training, section)
        detected = detect_transitions(independent, alpha=section.alpha, chains=chains, interventions=changed)
        prior = (
            None if section.prior_variance is None else negative_log_prior(folder, job.run(seed)["steps"], section.prior_variance)
        )
        found = candidates(trajectory, detected, rules_of(section.rules), chains=chains, negative_log_prior=prior)
        write_json(folder / "transitions.json", found)
        return Made(outputs=[folder / name for name in ("trajectory.parquet", "trajectory.csv", "transitions.json")])

    job.per_seed(detect_seed)


def chains_of(llc: pd.DataFrame) -> dict[tuple[str, str], np.ndarray]:
    """(observable, component) -> [K, C], λ̂ of each chain: of the whole network, of its parts and on other data."""
    return {
        ("llc", str(component)): rows.pivot(index="step", columns="chain", values="llc").sort_index().to_numpy(float)
        for component, rows in llc.groupby("component", sort=False)
    }


def negative_log_prior(folder: Path, kept: Sequence[int], variance: float) -> dict[int, float]:
    """Step -> ½|w|² / variance of a seed's checkpoint: of a normal prior about 0, up to a constant."""
    steps, params = checkpoints.read(folder / "checkpoints", kept)
    flat = np.concatenate([array.reshape(len(steps), -1).astype(float) for array in params.values()], axis=1)
    return dict(zip(steps.tolist(), (0.5 * np.sum(flat**2, axis=1) / variance).tolist(), strict=True))


def information(folder: Path) -> pd.DataFrame:
    """The rows of the information criteria of a run; none where sampling gave none."""
    path = folder / "information.parquet"
    return criteria_rows(read_parquet(path)) if path.is_file() else empty()
