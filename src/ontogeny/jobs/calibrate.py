"""Fix the sampler of a variant on its first seed: n, nβ, batch, step and burn-in, and whether the step suits the curvature.

All seeds of the variant read the same `calibration.json`, so that λ̂ is comparable along and across runs.
"""

import math
import sys
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from ontogeny import config
from ontogeny.checkpoints import blocks as checkpoints
from ontogeny.errors import SpecificationError
from ontogeny.jobs.job import Job, task_and_model
from ontogeny.jobs.target import Target, build_target
from ontogeny.pipeline.files import write_json
from ontogeny.pipeline.fingerprint import digest
from ontogeny.problem.build import build_problem
from ontogeny.problem.problem import Problem
from ontogeny.sampling.calibration.curvature import top_curvature
from ontogeny.sampling.calibration.pilots import MANY, calibrate
from ontogeny.sampling.checks import leading_axis
from ontogeny.sampling.kernels.build import build_sampler
from ontogeny.sampling.kernels.kernel import Kernel
from ontogeny.sampling.layout import CHUNK, Layout, choose_layout, even_size
from ontogeny.sampling.target import resolve
from ontogeny.training.schedule import sampled_steps

CALIBRATION_CHECKPOINTS = 5
"""Of larger networks; small ones are looked at wherever they are sampled."""
MOST_CHAINS, MOST_DRAWS = 4, 400


def run(job: Job) -> None:
    """Write `calibration.json`; say so if the step is too long for the curvature found."""
    llc: config.LocalLearningCoefficient = job.section("llc", config.LocalLearningCoefficient)
    seed = job.specification["seed"]
    problem = build_problem(*task_and_model(job), base=job.base)
    trained = job.run(seed)
    kept = trained["steps"]
    places = np.unique(np.linspace(0, len(kept) - 1, CALIBRATION_CHECKPOINTS).round().astype(int))
    chosen = sampled_steps(kept, llc.checkpoints) if few_parameters(problem) else [kept[place] for place in places]
    steps, params = checkpoints.read(job.seed_folder(seed) / "checkpoints", chosen)
    resolved = resolve(problem.data.sampling, n=None, batch_size=llc.batch_size, inverse_temperature=llc.inverse_temperature)
    sampler = build_sampler(llc.sampler.model_dump())
    target = build_target(problem, llc)
    layout = kept_layout(target, params, llc, len(sampled_steps(kept, llc.checkpoints)))._asdict()
    print(f"{job.label}: pilot chains around {len(steps)} checkpoints of seed {seed}", file=sys.stderr, flush=True)
    found = judged(target, params, llc, sampler) if sampler.limits else curvature_alone(target, params, llc)
    if "verdict" in found.get("stability", {}) and not found["stability"]["verdict"].startswith("stable"):
        print(f"{job.label}: {found['stability']['verdict']}", file=sys.stderr)
    write_json(
        job.folder / "calibration.json",
        {
            "seed": seed,
            "steps": steps.tolist(),
            "sampler": llc.sampler.model_dump() | found.pop("sampler", {}),
            "n": resolved.n,
            "batch_size": resolved.batch_size,
            "inverse_temperature": resolved.inverse_temperature,
            "localization": llc.localization,
            "chains": llc.chains,
            "draws": llc.draws,
            "layout": layout,
            **found,
            # Another backend has another layout, and what is sampled on one is summed in one order. The kept steps count by
            # those that are looked at here.
            "digest": digest(
                {"specification": job.without("checkpoints"), "run": trained["digest"], "steps": steps.tolist(), "layout": layout}
            ),
        },
    )


def kept_layout(target: Target, params: Any, llc: config.LocalLearningCoefficient, checkpoints: int) -> Layout:
    """How the variant's chains are laid out on one device, in every job: see `choose_layout`."""
    shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), target.checkpoints(params))
    examples = llc.batch_size or leading_axis(target.data, "data", "n examples")
    return choose_layout(target.loss, shapes, target.data, examples, llc.chains, even_size(checkpoints, CHUNK))


def few_parameters(problem: Problem) -> bool:
    shapes = jax.eval_shape(problem.init, jax.random.key(0))
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(shapes)) <= MANY


def judged(target: Target, params: Any, llc: config.LocalLearningCoefficient, sampler: Kernel) -> dict[str, Any]:
    """What `calibrate` finds, as JSON.

    Raises:
        SpecificationError: the step is beyond stability, or none can be chosen.
    """
    steps = llc.draws + (0 if llc.burn_in == "auto" else llc.burn_in)
    try:
        found = calibrate(
            target.loss,
            target.checkpoints(params),
            target.data,
            mask=target.mask(params, None),
            sampler=sampler,
            inverse_temperature=llc.inverse_temperature,
            localization=llc.localization,
            batch_size=llc.batch_size,
            control_variates=llc.control_variates,
            chains=min(llc.chains, MOST_CHAINS),
            draws=min(steps, MOST_DRAWS),
            longest_pilot=8 if llc.burn_in == "auto" else 1,
            sweep=True,
        )
    except ValueError as fault:
        raise SpecificationError(f"llc: {fault}") from fault
    assert found.sweep is not None
    return {
        "sampler": {"step_size": found.sampler.step_size},
        "burn_in": found.burn_in if llc.burn_in == "auto" else llc.burn_in,
        "settled_after": found.burn_in,
        "curvature": found.curvature.tolist(),
        "gradient_variance": found.gradient_variance.tolist(),
        "stability": found.stability._asdict(),
        "mala_acceptance": found.acceptance,
        "sweep": {name: np.asarray(value).tolist() for name, value in found.sweep._asdict().items()},
    }


def curvature_alone(target: Target, params: Mapping[str, Any], llc: config.LocalLearningCoefficient) -> dict[str, Any]:
    """For a sampler whose step cannot be judged.

    Raises:
        SpecificationError: the burn-in is to be found, which takes a judged step.
    """
    if llc.burn_in == "auto":
        raise SpecificationError(f"llc.burn_in: auto needs a sampler whose step can be calibrated, not {llc.sampler.kind}")
    curvature = top_curvature(
        target.loss, target.checkpoints(params), target.data, key=jax.random.key(0), mask=target.mask(params, None)
    )
    return {"burn_in": llc.burn_in, "curvature": np.asarray(curvature).tolist()}
