"""Measure the observables of a family at every checkpoint of every seed of a block, and record its pictures."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import numpy as np

from ontogeny.checkpoints import blocks
from ontogeny.jobs.job import Job, Made, task_and_model
from ontogeny.jobs.pictures import picture_recorder
from ontogeny.pipeline.files import write_parquet
from ontogeny.pipeline.progress import progress
from ontogeny.problem.build import build_problem
from ontogeny.problem.example_means import measure_all
from ontogeny.sampling.layout import even_size
from ontogeny.training.schedule import consecutive
from ontogeny.trajectory import tidy_observables

LARGEST_CHUNK = 16


def run(job: Job) -> None:
    """Write `observables.parquet` and `pictures.npz` of each seed that does not have them."""
    kinds = {room: job.specification[room] for room in ("observables", "pictures")}
    problem = build_problem(*task_and_model(job), base=job.base, **kinds)
    record_pictures = picture_recorder(problem)

    @jax.jit
    def measure(params: Any) -> Mapping[str, Any]:
        return jax.lax.map(partial(measure_all, problem.observables), params)

    def observe_seed(seed: int) -> Made:
        path = job.seed_folder(seed) / "observables.parquet"
        steps, params = blocks.read(job.seed_folder(seed) / "checkpoints", job.run(seed)["steps"])
        values = in_chunks(measure, params, len(steps), f"{job.label} seed {seed}")
        write_parquet(path, tidy_observables(steps.tolist(), values))
        return Made(outputs=[path, *record_pictures(job.seed_folder(seed), steps.tolist(), params)])

    job.per_seed(observe_seed)


def in_chunks(measure, params: Mapping[str, np.ndarray], count: int, label: str) -> Mapping[str, Any]:
    """Return the observables at all checkpoints, in chunks of one size, of which the last is filled up."""
    size = even_size(count, LARGEST_CHUNK)
    measured = []
    with progress(label, count, "checkpoints") as show:
        show(0)
        for places in consecutive(range(count), size):
            filled = [*places, *places[-1:] * (size - len(places))]
            chunk = measure({name: array[filled] for name, array in params.items()})
            measured.append(jax.tree.map(np.asarray, chunk))
            show(places[-1] + 1)
    return jax.tree.map(lambda *leaves: np.concatenate(leaves)[:count], *measured)
