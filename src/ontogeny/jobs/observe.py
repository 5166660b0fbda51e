"""Measure the observables of a family at every checkpoint of every seed of a block, and record its pictures."""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from ontogeny.checkpoints import blocks
from ontogeny.jobs.job import Job, Made, task_and_model
from ontogeny.jobs.pictures import picture_recorder
from ontogeny.pipeline.files import write_parquet
from ontogeny.pipeline.progress import progress
from ontogeny.problem.build import build_problem
from ontogeny.training.schedule import consecutive
from ontogeny.trajectory import tidy_observables

CHUNK = 16


def run(job: Job) -> None:
    """Write `observables.parquet` and `pictures.npz` of each seed that does not have them."""
    kinds = {room: job.specification[room] for room in ("observables", "pictures")}
    problem = build_problem(*task_and_model(job), base=job.base, **kinds)
    record_pictures = picture_recorder(problem)

    @jax.jit
    def measure(params: Any) -> Mapping[str, Any]:
        return jax.lax.map(lambda one: {name: function(one) for name, function in problem.observables.items()}, params)

    def observe_seed(seed: int) -> Made:
        path = job.seed_folder(seed) / "observables.parquet"
        steps, params = blocks.read(job.seed_folder(seed) / "checkpoints", job.run(seed)["steps"])
        values = in_chunks(measure, params, len(steps), f"{job.label} seed {seed}")
        write_parquet(path, tidy_observables(steps.tolist(), values))
        return Made(outputs=[path, *record_pictures(job.seed_folder(seed), steps, params)])

    job.per_seed(observe_seed)


def in_chunks(measure, params: Mapping[str, np.ndarray], count: int, label: str) -> Mapping[str, Any]:
    """Return the observables at all checkpoints. The program takes `CHUNK` of them; the last chunk is padded."""
    measured = []
    with progress(label, count, "checkpoints") as show:
        show(0)
        for places in consecutive(range(count), CHUNK):
            filled = [*places, *places[-1:] * (CHUNK - len(places))]
            chunk = measure({name: array[filled] for name, array in params.items()})
            measured.append(jax.tree.map(np.asarray, chunk))
            show(places[-1] + 1)
    return jax.tree.map(lambda *leaves: np.concatenate(leaves)[:count], *measured)
