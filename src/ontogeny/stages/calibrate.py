"""Fix the sampler of a variant on its first seed: n, nβ, batch and step, and whether the step suits the curvature.

All seeds of the variant read the same `calibration.json`, so that λ̂ is comparable along and across runs.
"""

import sys

import jax
import numpy as np

from ontogeny import checkpoints, config
from ontogeny.families import build_problem
from ontogeny.files import write_json
from ontogeny.fingerprint import digest
from ontogeny.sampling.curvature import stability, top_curvature
from ontogeny.sampling.settings import resolve
from ontogeny.sampling.sgld import SGLD
from ontogeny.stages.job import Job, task_and_model

CURVATURE_CHECKPOINTS = 5


def run(job: Job) -> None:
    """Write `calibration.json`; say so if the step is too long for the curvature found."""
    llc: config.LocalLearningCoefficient = job.section("llc", config.LocalLearningCoefficient)
    seed = job.specification["seed"]
    problem = build_problem(*task_and_model(job), base=job.base)
    kept = job.manifest(seed, "train")["steps"]
    chosen = np.unique(np.linspace(0, len(kept) - 1, CURVATURE_CHECKPOINTS).round().astype(int))
    steps, params = checkpoints.read(job.seed_folder(seed) / "checkpoints", [kept[place] for place in chosen])
    data = problem.data.sampling
    resolved = resolve(data, n=None, batch_size=llc.batch_size, inverse_temperature=llc.inverse_temperature)
    curvature = np.asarray(top_curvature(problem.loss, params, data, key=jax.random.key(0)))
    largest = float(np.nanmax(curvature)) if np.isfinite(curvature).any() else float("nan")
    sampler = SGLD(step_size=llc.sampler.step_size)
    step = stability(sampler, resolved.inverse_temperature, largest, llc.localization)
    if not step.verdict.startswith("stable"):
        print(f"{job.label}: {step.verdict}", file=sys.stderr)
    write_json(
        job.folder / "calibration.json",
        {
            "seed": seed,
            "sampler": llc.sampler.model_dump(),
            "n": resolved.n,
            "batch_size": resolved.batch_size,
            "inverse_temperature": resolved.inverse_temperature,
            "localization": llc.localization,
            "chains": llc.chains,
            "draws": llc.draws,
            "burn_in": llc.burn_in,
            "curvature": dict(zip(map(str, steps.tolist()), curvature.tolist(), strict=True)),
            "top_curvature": largest,
            "stability": step._asdict(),
            "digest": digest({"specification": dict(job.specification), "train": job.manifest(seed, "train")["digest"]}),
        },
    )
