"""Measure how λ̂ along the first seed of a variant depends on γ, nβ and the step: its settings are a choice, not a fact.

A few checkpoints are sampled again at a third and three times γ and nβ, and at half the step, with the same noise. The trace and
the largest eigenvalue of the Hessian there are the sharpness beside λ̂.
"""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from ontogeny import config
from ontogeny.checkpoints import blocks
from ontogeny.jobs.job import Job, task_and_model
from ontogeny.jobs.target import build_target
from ontogeny.pipeline.files import read_json, write_json
from ontogeny.pipeline.fingerprint import digest
from ontogeny.problem.build import build_problem
from ontogeny.problem.keys import SAMPLE, seed_keys
from ontogeny.sampling import diagnostics
from ontogeny.sampling.calibration.spectrum import Spectrum, spectrum
from ontogeny.sampling.draws import Draws
from ontogeny.sampling.kernels.build import build_sampler
from ontogeny.sampling.kernels.kernel import Kernel, with_step
from ontogeny.sampling.layout import CHUNK, Layout, even_size
from ontogeny.sampling.program import Settings
from ontogeny.sampling.side_by_side import sample_at
from ontogeny.sampling.target import Target
from ontogeny.training.schedule import sampled_steps

LARGEST_SHARE = 0.3
"""The share of the variant's sampling that the sampling at other settings may cost."""
FEWEST_CHAINS = 2


class Setting(NamedTuple):
    """Factors of γ, nβ and the step."""

    localization: float = 1.0
    inverse_temperature: float = 1.0
    step_size: float = 1.0


SETTINGS = {
    "γ/3": Setting(localization=1 / 3),
    "3γ": Setting(localization=3.0),
    "nβ/3": Setting(inverse_temperature=1 / 3),
    "3nβ": Setting(inverse_temperature=3.0),
    "ε/2": Setting(step_size=0.5),
}


def run(job: Job) -> None:
    """Write `sensitivity.json` of the variant, unless it is there and would be the same."""
    llc: config.LocalLearningCoefficient = job.section("llc", config.LocalLearningCoefficient)
    seed, calibration = job.specification["seed"], read_json(job.folder / "calibration.json")
    sampled = sampled_steps(job.run(seed)["steps"], llc.checkpoints)
    steps, chains = affordable(sampled, calibration["chains"], job.specification["runs"])
    lanes = calibration["chains"] if len(steps) == even_size(len(sampled), CHUNK) else len(SETTINGS) * chains
    made_of = {"specification": job.without("runs", "checkpoints"), "calibration": calibration, "run": job.run(seed)["digest"]}
    identity = digest({**made_of, "steps": steps, "chains": chains})
    path = job.folder / "sensitivity.json"
    if path.is_file() and read_json(path).get("digest") == identity:
        path.touch()
        return
    problem = build_problem(*task_and_model(job), base=job.base)
    _, params = blocks.read(job.seed_folder(seed) / "checkpoints", steps)
    fixed = {name: calibration[name] for name in ("inverse_temperature", "localization", "batch_size")}
    target, checkpoints = build_target(problem, llc.model_copy(update=fixed), params)
    print(f"{job.label}: {len(SETTINGS)} settings at {len(steps)} checkpoints of seed {seed}", file=sys.stderr, flush=True)
    density = spectrum(target, checkpoints, key=jax.random.key(0))
    sampler = build_sampler(calibration["sampler"])
    changed = [at(setting, target, sampler, density) for setting in SETTINGS.values()]
    counts = {"chains": chains, "lanes": lanes, "draws": calibration["draws"], "burn_in": calibration["burn_in"], "steps": steps}
    key, layout = seed_keys([seed], SAMPLE)[0], Layout(**calibration["layout"])
    drawn = dict(zip(SETTINGS, sample_at(changed, target, checkpoints, key=key, layout=layout, **counts), strict=True))
    content = {
        "digest": identity,
        "seed": seed,
        "steps": list(steps),
        "chains": chains,
        "trace": density.trace.tolist(),
        "largest": density.largest.tolist(),
        "settings": {name: as_json(draws) for name, draws in drawn.items()},
    }
    write_json(path, content)


def affordable(sampled: Sequence[int], chains: int, runs: int) -> tuple[list[int], int]:
    """Return the steps that are sampled again, evenly spread with both ends, and the chains at each.

    Half of the chains run, and so many checkpoints that all settings together take at most 30% of the variant's sampling. There
    are at most as many as the variant's sampling takes at once, so that its compiled program serves here.
    """
    fewer = max(FEWEST_CHAINS, chains // 2)
    affordable = LARGEST_SHARE * runs * len(sampled) * chains / (len(SETTINGS) * fewer)
    count = min(even_size(len(sampled), CHUNK), max(2, int(affordable)))
    places = np.unique(np.linspace(0, len(sampled) - 1, count).round().astype(int))
    return [sampled[place] for place in places], fewer


def at(setting: Setting, target: Target, sampler: Kernel, density: Spectrum) -> Settings:
    """Return other settings. The step shrinks as the stiffest direction grows stiffer, so chains stay stable."""
    localization = target.localization * setting.localization
    inverse_temperature = target.inverse_temperature * setting.inverse_temperature
    stiffest = max(float(density.largest.max()), 0.0)
    own = target.inverse_temperature * stiffest + target.localization
    changed = inverse_temperature * stiffest + localization
    factor = setting.step_size * min(1.0, own / max(changed, np.finfo(float).tiny))
    return Settings(with_step(sampler, sampler.step_size * factor), inverse_temperature, localization)


def as_json(draws: Draws) -> dict[str, Any]:
    """Return λ̂ with its error at each checkpoint, and the settings that it was measured at."""
    values = np.asarray(draws.values, np.float64)
    mean = diagnostics.nan_mean(diagnostics.chain_means(values), axis=1)
    error = diagnostics.standard_error(values, diagnostics.effective_sample_size(values))
    return {
        "inverse_temperature": draws.inverse_temperature,
        "localization": draws.localization,
        "llc": (draws.inverse_temperature * mean).tolist(),
        "standard_error": (draws.inverse_temperature * error).tolist(),
    }
