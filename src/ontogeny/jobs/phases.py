"""Sample the posterior of a variant's network while n grows, and compare where its phases cross with where they should."""

import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from ontogeny import config
from ontogeny.jobs.job import Job
from ontogeny.phases.polygons import polygon_occupancy, polygon_transitions
from ontogeny.pipeline import provenance
from ontogeny.pipeline.files import read_json, write_json, write_parquet
from ontogeny.pipeline.fingerprint import digest
from ontogeny.pipeline.progress import progress


def run(job: Job) -> None:
    """Write `phases.parquet` and `phases.json` of the variant; repeats that are there already are kept."""
    began = time.monotonic()
    section: config.Posterior = job.section("phases", config.Posterior)
    features = job.specification["features"]
    sizes = np.geomspace(1.0, section.largest_sample_size, section.sizes)
    own = {"specification": dict(job.specification) | {"phases": section.model_dump(exclude={"repeats"})}}
    with progress(job.label, section.repeats, "repeats") as show:
        show(0)
        for repeat in range(section.repeats):
            sample_repeat(job, repeat, digest(own | {"repeat": repeat}), features, sizes, section)
            show(repeat + 1)
    table = pd.concat([pd.read_parquet(repeat_path(job, repeat)) for repeat in range(section.repeats)], ignore_index=True)
    write_parquet(job.folder / "phases.parquet", table.drop(columns="effective"))
    finished = digest({"specification": dict(job.specification)})
    write_json(
        job.folder / "phases.json",
        {
            **section.model_dump(),
            "features": features,
            "least_effective_share": table["effective"].min(),
            "transitions": polygon_transitions(features, sizes, shares(table), section.prior_variance),
            **provenance.record(job.name, finished, job.specification["code"], time.monotonic() - began),
        },
    )


def repeat_path(job: Job, repeat: int) -> Path:
    return job.folder / "phases" / f"repeat~{repeat}.parquet"


def sample_repeat(job: Job, repeat: int, wanted: str, features: int, sizes: np.ndarray, section: config.Posterior) -> None:
    """Write the shares of one repeat, unless they are there and were made by the same specification."""
    path = repeat_path(job, repeat)
    manifest = path.with_suffix(".json")
    if path.exists() and manifest.exists() and read_json(manifest)["digest"] == wanted:
        return
    began = time.monotonic()
    occupancy = polygon_occupancy(
        features,
        jnp.asarray(sizes),
        key=jax.random.fold_in(jax.random.key(section.seed), repeat),
        particles=section.particles,
        prior_variance=section.prior_variance,
        moves=section.moves,
    )
    write_parquet(path, tidy(repeat, sizes, jax.tree.map(np.asarray, occupancy)))
    write_json(manifest, provenance.record(job.name, wanted, job.specification["code"], time.monotonic() - began))


def tidy(repeat: int, sizes: np.ndarray, occupancy: Any) -> pd.DataFrame:
    """Return a row for each n and phase: repeat, n, phase, share, mean_loss, effective share of the particles."""
    count = occupancy.shares.shape[1]
    return pd.DataFrame(
        {
            "repeat": repeat,
            "n": np.repeat(sizes, count),
            "phase": np.tile(np.arange(count), len(sizes)),
            "share": occupancy.shares.ravel().astype(float),
            "mean_loss": occupancy.losses.ravel().astype(float),
            "effective": np.repeat(occupancy.effective, count).astype(float),
        }
    )


def shares(table: pd.DataFrame) -> np.ndarray:
    """Return the shares of the tidy table as an array [repeats, sizes, phases]."""
    counts = [len(table[name].drop_duplicates()) for name in ("repeat", "n", "phase")]
    return table["share"].to_numpy().reshape(*counts)
