"""What a study will take, before anything runs: its runs, jobs, minutes of one core, and disk.

The estimate is arithmetic on config.yaml: 6 floating-point operations per parameter, example or token, and gradient, at
the speed that one core was seen to reach, plus what a small step and a job's start-up cost. Good to a factor of two.
"""

from dataclasses import dataclass
from pathlib import Path

from ontogeny.config import ModelSection, Posterior, TaskSection
from ontogeny.config.job_names import JOBS
from ontogeny.config.reading import Variant, read_study
from ontogeny.pipeline.plan import Plan, blocks, seeds_per_job
from ontogeny.training.schedule import checkpoint_steps, sampled_steps

FLOPS = 6e10
SECONDS_PER_STEP = 8e-6
SECONDS_PER_JOB = 5.0
SECONDS_PER_PARTICLE_AND_MOVE = 3e-5
"""Of the posterior while n grows: ten leapfrog steps of the toy model."""
UNKNOWN = " A ? is the user's own model or task, whose size shows only when it is made; the sums leave it out."
BYTES_PER_DRAW, BYTES_PER_PAGE = 5, 5_500_000


@dataclass(frozen=True)
class Cost:
    """`minutes` of one core and `megabytes` are None for a user's own model, whose size is not known here."""

    runs: int
    jobs: int
    minutes: float | None
    megabytes: float | None


def describe(configfile: Path) -> str:
    """The table that `python -m ontogeny plan` prints.

    Raises:
        ConfigError: the config cannot be run.
    """
    plan = Plan(*read_study(configfile), configfile.parent)
    costs = [cost(variant) for variant in plan.variants]
    rows = [("family", "variant", "seeds", "jobs", "core minutes", "disk, MB")]
    for variant, one in zip(plan.variants, costs, strict=True):
        seeds = ",".join(map(str, variant.seeds))
        rows.append((variant.family_name, variant.name, seeds, str(one.jobs), spell(one.minutes), spell(one.megabytes)))
    pages = len(plan.study.families) + 1
    jobs = sum(one.jobs for one in costs) + pages
    minutes, megabytes = (sum(getattr(one, name) or 0 for one in costs) for name in ("minutes", "megabytes"))
    minutes += pages * SECONDS_PER_JOB / 60
    return "\n".join(
        [
            *columns(rows),
            f"{sum(one.runs for one in costs)} runs in {jobs} jobs; about {minutes:.1f} core minutes"
            f" and {megabytes:.0f} MB.{UNKNOWN if any(one.minutes is None for one in costs) else ''}",
            f"Results go to {plan.study.results}/; the index page will be {plan.study.results}/report/index.html.",
        ]
    )


def cost(variant: Variant) -> Cost:
    """What the runs of a variant take."""
    family, seeds, found = variant.family, len(variant.seeds), blocks(variant)
    jobs = job_count(variant)
    parameters = parameter_count(variant)
    if parameters is None:
        return Cost(seeds, jobs, None, None)
    kept = checkpoint_steps(family.checkpoints, family.training.steps)
    sampled = len(sampled_steps(kept, family.llc.checkpoints))
    examples = family.llc.batch_size or getattr(family.task, "examples", family.training.batch_size)
    trained = (
        len(found)
        * seeds_per_job(variant)
        * family.training.steps
        * step_seconds(variant, parameters, family.training.batch_size)
    )
    burn_in = family.llc.draws // 2 if family.llc.burn_in == "auto" else family.llc.burn_in
    chain_steps = seeds * sampled * family.llc.chains * (family.llc.draws + burn_in)
    data_sets = 1 + len(family.llc.refine.data if family.llc.refine else {})
    losses = seeds * sampled * family.llc.chains * losses_per_chain(variant)
    sampling = data_sets * chain_steps * step_seconds(variant, parameters, examples)
    seconds = trained + sampling + step_seconds(variant, parameters, losses) / 3 + jobs * SECONDS_PER_JOB
    seconds += posterior_seconds(family.phases)
    draws = seeds * sampled * family.llc.chains * family.llc.draws
    size = seeds * len(kept) * parameters * 4 + draws * BYTES_PER_DRAW + losses * 4 + seeds * BYTES_PER_PAGE
    return Cost(seeds, jobs, seconds / 60, size / 1e6)


def job_count(variant: Variant) -> int:
    """Return how many jobs work on a variant and its blocks."""
    count = {"block": len(blocks(variant)), "variant": 1, "family": 0, "study": 0}
    left_out = () if variant.family.phases else ("phases",)
    return sum(count[kind.scope] for kind in JOBS if kind.name not in left_out)


def posterior_seconds(section: Posterior | None) -> float:
    """Seconds of one core that the posterior takes while n grows."""
    if section is None:
        return 0.0
    return section.repeats * section.sizes * section.particles * section.moves * SECONDS_PER_PARTICLE_AND_MOVE


def losses_per_chain(variant: Variant) -> int:
    """The losses of single examples that a chain keeps; those of all examples where the task is built in."""
    section = variant.family.llc.per_example
    if section is None:
        return 0
    examples = getattr(variant.family.task, "examples", 0) if section.examples == "all" else section.examples
    return -(-variant.family.llc.draws // section.every) * examples


def step_seconds(variant: Variant, parameters: int, examples: int) -> float:
    """Seconds of one core that a gradient on a batch takes."""
    positions = variant.family.task.positions if isinstance(variant.family.task, TaskSection) else 1
    return SECONDS_PER_STEP + 6 * parameters * examples * positions / FLOPS


def parameter_count(variant: Variant) -> int | None:
    """Return the number of parameters of a built-in model; None for a user's own model or task."""
    model, task = variant.family.model, variant.family.task
    return model.parameters(task.shape) if isinstance(model, ModelSection) and isinstance(task, TaskSection) else None


def spell(value: float | None) -> str:
    return "?" if value is None else f"{value:.1f}"


def columns(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
