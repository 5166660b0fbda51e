"""Fix the sampler of a variant on its first seed: n, nβ, batch, step and burn-in, and whether the step suits the curvature.

All seeds of the variant read the same `calibration.json`, so that λ̂ is comparable along and across runs.
"""

import math
import sys
from typing import Any

import jax
import numpy as np

from ontogeny import config
from ontogeny.arrays.flat import Checkpoints, shapes_of_one
from ontogeny.arrays.parts import even_size, row_count
from ontogeny.checkpoints import blocks
from ontogeny.errors import SpecificationError
from ontogeny.jobs.job import Job, task_and_model
from ontogeny.jobs.target import build_target
from ontogeny.pipeline.files import write_json
from ontogeny.pipeline.fingerprint import digest
from ontogeny.problem.build import build_problem
from ontogeny.problem.problem import Problem
from ontogeny.sampling.calibration.curvature import top_curvature
from ontogeny.sampling.calibration.length import sample_long_enough
from ontogeny.sampling.calibration.pilots import MANY, calibrate
from ontogeny.sampling.calibration.spectrum import Spectrum, ends_and_middle
from ontogeny.sampling.calibration.stability import Stability, in_words
from ontogeny.sampling.kernels.build import build_sampler
from ontogeny.sampling.kernels.kernel import Kernel
from ontogeny.sampling.layout import CHUNK, Layout, choose_layout
from ontogeny.sampling.target import Target
from ontogeny.training.schedule import sampled_steps

CALIBRATION_CHECKPOINTS = 5
"""Checkpoints at which larger networks are measured; small ones are measured wherever they are sampled."""
MOST_CHAINS, MOST_DRAWS = 4, 400
CHOSEN = ("step_size", "friction")
"""Numbers of a sampler that calibration may choose."""


def run(job: Job) -> None:
    """Write `calibration.json`, and print a line if the step is too long for the curvature that was measured."""
    llc: config.LocalLearningCoefficient = job.section("llc", config.LocalLearningCoefficient)
    seed = job.specification["seed"]
    trained = job.run(seed)
    problem = build_problem(*task_and_model(job), base=job.base)
    sampler = build_sampler(llc.sampler.model_dump())
    chosen = calibration_steps(problem, trained["steps"], llc)
    steps, params = blocks.read(job.seed_folder(seed) / "checkpoints", chosen)
    target, checkpoints = build_target(problem, llc, params)
    layout = kept_layout(target, checkpoints, llc, len(sampled_steps(trained["steps"], llc.checkpoints)))._asdict()
    print(f"{job.label}: pilot chains around {len(steps)} checkpoints of seed {seed}", file=sys.stderr, flush=True)
    settings = calibrated(job, target, checkpoints, llc, sampler) if sampler.limits else curvature_alone(target, checkpoints, llc)
    numbers = llc.sampler.model_dump() | settings.pop("sampler", {})
    settings |= length(job, target, checkpoints, llc, build_sampler(numbers), settings["burn_in"])
    write_json(
        job.folder / "calibration.json",
        {
            "seed": seed,
            "steps": steps.tolist(),
            "sampler": numbers,
            "n": target.n,
            "batch_size": target.batch_size,
            "inverse_temperature": target.inverse_temperature,
            "localization": llc.localization,
            "chains": llc.chains,
            "draws": llc.draws,
            "layout": layout,
            **settings,
            # Another backend has another layout, and what is sampled on one is summed in one order. The kept steps count by
            # those that are measured here.
            "digest": digest(
                {"specification": job.without("checkpoints"), "run": trained["digest"], "steps": steps.tolist(), "layout": layout}
            ),
        },
    )


def calibration_steps(problem: Problem, kept: list[int], llc: config.LocalLearningCoefficient) -> list[int]:
    """Return the steps of the checkpoints that are measured: all that are sampled, of a large network five of the run's."""
    shapes = jax.eval_shape(problem.init, jax.random.key(0))
    if sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(shapes)) <= MANY:
        return list(sampled_steps(kept, llc.checkpoints))
    places = np.unique(np.linspace(0, len(kept) - 1, CALIBRATION_CHECKPOINTS).round().astype(int))
    return [kept[place] for place in places]


def kept_layout(target: Target, checkpoints: Checkpoints, llc: config.LocalLearningCoefficient, count: int) -> Layout:
    """Return how the variant's chains at `count` checkpoints are laid out on one device, in every job (`choose_layout`)."""
    shapes = shapes_of_one(checkpoints)
    chunk = even_size(count, CHUNK)
    return choose_layout(target.loss, shapes, target.data, target.examples_per_step, llc.chains, chunk)


def calibrated(
    job: Job, target: Target, checkpoints: Checkpoints, llc: config.LocalLearningCoefficient, sampler: Kernel
) -> dict[str, Any]:
    """Return the result of `calibrate` as JSON.

    Raises:
        SpecificationError: the step is beyond stability, or none can be chosen.
    """
    steps = MOST_DRAWS if llc.draws == "auto" else llc.draws + (0 if llc.burn_in == "auto" else llc.burn_in)
    try:
        calibration = calibrate(
            target,
            checkpoints,
            sampler,
            key=jax.random.key(0),
            chains=min(llc.chains, MOST_CHAINS),
            draws=min(steps, MOST_DRAWS),
            longest_pilot=8 if llc.burn_in == "auto" else 1,
            density=True,
            sweep=True,
        )
    except ValueError as fault:
        raise SpecificationError(f"llc: {fault}") from fault
    assert calibration.sweep is not None and calibration.spectrum is not None
    if calibration.stability.kind != "stable":
        print(f"{job.label}: {in_words(calibration.stability)}", file=sys.stderr)
    return {
        "sampler": {name: getattr(calibration.sampler, name) for name in CHOSEN if hasattr(calibration.sampler, name)},
        "burn_in": calibration.burn_in if llc.burn_in == "auto" else llc.burn_in,
        "settled_after": calibration.burn_in,
        "curvature": calibration.curvature.tolist(),
        "gradient_variance": calibration.gradient_variance.tolist(),
        "stability": as_json(calibration.stability),
        "mala_acceptance": calibration.acceptance,
        "spectrum": as_json_spectrum(calibration.spectrum, target),
        "sweep": {name: np.asarray(value).tolist() for name, value in calibration.sweep._asdict().items()},
    }


def as_json_spectrum(density: Spectrum, target: Target) -> dict[str, Any]:
    """Return at the first, the middle and the last checkpoint tr H, h_max, and the share of λ̂ that γ decides on a quadratic."""
    share = density.held_by_localization(target.inverse_temperature, target.localization)
    fields = {"trace": density.trace, "largest": density.largest, "held_by_localization": share}
    return {name: values.tolist() for name, values in fields.items()}


def length(
    job: Job, target: Target, checkpoints: Checkpoints, llc: config.LocalLearningCoefficient, sampler: Kernel, burn_in: int
) -> dict[str, int | None]:
    """Return the draws of a chain; where they are `auto`, as many as the first, the middle and the last checkpoint need."""
    if llc.draws != "auto":
        return {"draws": llc.draws}
    places = np.array(ends_and_middle(row_count(checkpoints)))
    some = jax.tree.map(lambda leaf: leaf[places], checkpoints)
    limits = {"relative_error": llc.relative_error, "most_draws": llc.most_draws}
    options = {"key": jax.random.key(0), "chains": llc.chains, "burn_in": burn_in, **limits}
    _, found = sample_long_enough(target, some, sampler, **options)
    if found.would_do:
        cap = f"llc.most_draws stops chains at {found.draws:,} draws"
        print(f"{job.label}: {cap}; about {found.would_do:,} draws would do", file=sys.stderr)
    return {"draws": found.draws, "draws_that_would_do": found.would_do}


def as_json(stability: Stability) -> dict[str, Any]:
    """Return the numbers of a stability, its bias in the worst direction, and the sentence that pages show (`verdict`)."""
    return {**stability._asdict(), "bias": stability.bias, "verdict": in_words(stability)}


def curvature_alone(target: Target, checkpoints: Checkpoints, llc: config.LocalLearningCoefficient) -> dict[str, Any]:
    """Return the curvature as JSON, for a sampler whose step cannot be calibrated.

    Raises:
        SpecificationError: the burn-in is to be chosen, which takes a calibrated step.
    """
    if llc.burn_in == "auto":
        raise SpecificationError(f"llc.burn_in: auto needs a sampler whose step can be calibrated, not {llc.sampler.kind}")
    curvature = top_curvature(target.loss, checkpoints, target.data, key=jax.random.key(0), mask=target.mask)
    return {"burn_in": llc.burn_in, "curvature": np.asarray(curvature).tolist()}
