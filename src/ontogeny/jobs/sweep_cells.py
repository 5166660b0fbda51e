"""Sample three checkpoints of the first seed of a variant at every cell of a grid of steps ε, inverse temperatures nβ and γ.

The job runs on request only. It changes nothing that other jobs read: nβ and γ are the user's to set.
"""

import itertools
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from ontogeny import config
from ontogeny.arrays.flat import Checkpoints, Mask
from ontogeny.checkpoints import blocks
from ontogeny.config.llc import SettingsSweep
from ontogeny.jobs.job import Job, task_and_model
from ontogeny.jobs.sample import refined_components
from ontogeny.jobs.target import build_target
from ontogeny.pipeline.files import read_json, replace_file, write_json
from ontogeny.pipeline.fingerprint import digest
from ontogeny.pipeline.progress import progress
from ontogeny.problem.build import build_problem
from ontogeny.problem.keys import SAMPLE, seed_keys
from ontogeny.problem.masks import mask_of
from ontogeny.problem.problem import Problem
from ontogeny.sampling.calibration.spectrum import Spectrum, spectrum, with_whole_bias
from ontogeny.sampling.calibration.stability import Stability, stability
from ontogeny.sampling.cells import sample_cells
from ontogeny.sampling.draws import STORED_AS, WHOLE_NETWORK, Draws
from ontogeny.sampling.kernels.build import build_sampler
from ontogeny.sampling.kernels.kernel import with_friction
from ontogeny.sampling.program import Settings
from ontogeny.sampling.target import Target
from ontogeny.training.schedule import sampled_steps

FACTORS: Mapping[str, Sequence[float]] = {
    "step_size": (1 / 4, 1, 4),
    "inverse_temperature": (1 / 10, 1 / 3, 1, 3, 10),
    "localization": (1 / 10, 1 / 3, 1, 3),
}
"""Multiples of the variant's own settings that are tried where the config lists no values."""
DIGITS = 3
"""Digits of these multiples, so that what is sampled is what the page says to paste."""


def run(job: Job) -> None:
    """Write `sweep.json` and `sweep.npz` of the variant, unless they are there and would be the same."""
    llc: config.LocalLearningCoefficient = job.section("llc", config.LocalLearningCoefficient)
    seed, calibration = job.specification["seed"], read_json(job.folder / "calibration.json")
    steps = three_steps(sampled_steps(job.run(seed)["steps"], llc.checkpoints))
    own = {"step_size": calibration["sampler"]["step_size"]}
    own |= {name: calibration[name] for name in ("inverse_temperature", "localization")}
    grid = values(job.section("sweep", SettingsSweep), own)
    content, draws = job.folder / "sweep.json", job.folder / "sweep.npz"
    made_of = {"specification": job.without("checkpoints", "sweep"), "calibration": calibration, "run": job.run(seed)["digest"]}
    identity = digest({**made_of, "steps": steps, "grid": grid})
    if content.is_file() and draws.is_file() and read_json(content).get("digest") == identity:
        content.touch()
        draws.touch()
        return
    problem = build_problem(*task_and_model(job), base=job.base)
    _, params = blocks.read(job.seed_folder(seed) / "checkpoints", steps)
    fixed = {**own, "batch_size": calibration["batch_size"]}
    del fixed["step_size"]
    llc = llc.model_copy(update=fixed)
    target, checkpoints = build_target(problem, llc, params)
    cells = cells_of(grid, calibration["sampler"], getattr(llc.sampler, "friction", None) == "auto")
    density = spectrum(target, checkpoints, key=jax.random.key(0))
    counts = {name: calibration[name] for name in ("chains", "draws", "burn_in")}
    options = {**counts, "key": seed_keys([seed], SAMPLE)[0], "steps": steps}
    masks = masks_of(problem, job.specification["components"], params)
    what = f"{job.label}: {len(cells)} cells at {len(steps)} checkpoints of seed {seed}"
    print(f"{what}, {counts['chains']} chains of {counts['draws']} draws each", file=sys.stderr, flush=True)
    arrays = {}
    for name, mask in masks.items():
        masked, centers = build_target(problem, llc, params, mask=mask)
        with progress(f"{job.label} {name}".strip(), len(cells), "cells") as show:
            arrays |= as_arrays(name, sample_cells(masked, centers, cells, report=show, **options))
    replace_file(draws, lambda path: save(path, arrays))
    described = {
        "digest": identity,
        "seed": seed,
        "steps": list(steps),
        "components": list(masks),
        "sampler": llc.sampler.model_dump(mode="json"),
        "own": own,
        "n": target.n,
        "batch_size": target.batch_size,
        **counts,
        "cells": [describe(cell, target, density, calibration) for cell in cells],
    }
    write_json(content, described)


def three_steps(sampled: Sequence[int]) -> list[int]:
    """Return an early, the middle and the last of the sampled steps. The first is left out: few networks start at a minimum."""
    count = len(sampled)
    places = {min(max(1, count // 10), count - 1), count // 2, count - 1}
    return [sampled[place] for place in sorted(places)]


def values(section: SettingsSweep, own: Mapping[str, float]) -> dict[str, list[float]]:
    """Return the values of each setting that are tried, in order: those of the config, else multiples of the variant's own."""
    grid = {}
    for name, factors in FACTORS.items():
        listed = getattr(section, name)
        multiples = [own[name] if factor == 1 else float(f"{factor * own[name]:.{DIGITS}g}") for factor in factors]
        grid[name] = sorted(set(multiples if listed is None else listed))
    return grid


def cells_of(grid: Mapping[str, Sequence[float]], sampler: Mapping[str, Any], chooses_friction: bool) -> list[Settings]:
    """Return all combinations of the values, each with the variant's sampler; a friction that is to be chosen suits the cell."""
    cells = []
    for step_size, inverse_temperature, localization in itertools.product(*grid.values()):
        numbers = {**sampler, "step_size": step_size} | ({"friction": None} if chooses_friction else {})
        cells.append(Settings(with_friction(build_sampler(numbers), localization), inverse_temperature, localization))
    return cells


def masks_of(problem: Problem, patterns: Sequence[str], params: Checkpoints) -> dict[str, Mask | None]:
    """Return name -> mask, of the whole network and of the components that the config refines λ̂ to.

    The program of masked chains serves all of them, so the whole network has a mask where there are components.
    """
    if not patterns:
        return {WHOLE_NETWORK: None}
    shapes = {name: jax.ShapeDtypeStruct(array.shape[1:], array.dtype) for name, array in params.items()}
    everything = {name: np.ones(shape.shape) for name, shape in shapes.items()}
    named = refined_components(problem, config.Refine(components=list(patterns)))
    return {WHOLE_NETWORK: everything, **{name: mask_of(predicate, shapes) for name, predicate in named.items()}}


def as_arrays(component: str, draws: Sequence[Draws]) -> dict[str, np.ndarray]:
    """Return the draws of a component at all cells, stacked along a leading axis, by `component/name`."""
    arrays = {name: np.stack([np.asarray(getattr(drawn, name)) for drawn in draws]) for name in STORED_AS}
    arrays["dimension"] = np.asarray(draws[0].dimension)
    return {f"{component}/{name}": array for name, array in arrays.items()}


def save(path: Any, arrays: Mapping[str, Any]) -> None:
    with open(path, "wb") as file:  # np.savez would add a suffix to the name
        np.savez(file, **arrays)


def describe(cell: Settings, target: Target, density: Spectrum, calibration: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a cell as JSON, what its step comes to, and the share that γ decides by the Hessian."""
    own = target._replace(inverse_temperature=cell.inverse_temperature, localization=cell.localization)
    found = stability_of(cell, own, density, calibration)
    return {
        "step_size": cell.sampler.step_size,
        "friction": getattr(cell.sampler, "friction", None),
        "inverse_temperature": cell.inverse_temperature,
        "localization": cell.localization,
        "stability": None if found is None else found._asdict(),
        "held_by_localization": density.held_by_localization(cell.inverse_temperature, cell.localization).tolist(),
    }


def stability_of(cell: Settings, target: Target, density: Spectrum, calibration: Mapping[str, Any]) -> Stability | None:
    """Return what the step of a cell comes to at the curvature that calibration met; None where it cannot be judged."""
    if cell.sampler.limits is None:
        return None
    stiffest = max(calibration["curvature"])
    noisiest = max(calibration["gradient_variance"]) / (target.batch_size or 1)
    found = stability(cell.sampler, cell.inverse_temperature, stiffest, cell.localization, noisiest)
    return found if found.kind == "unstable" else with_whole_bias(found, density, cell.sampler, target)
