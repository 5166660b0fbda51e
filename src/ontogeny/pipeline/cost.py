"""Estimate what a study takes before anything runs: its runs, jobs, minutes of one core, and disk.

The estimate is arithmetic on config.yaml: 6 floating-point operations per parameter, example or token, and gradient, at
the speed of one core, plus the cost of a small step, of compiling, and of starting a job. It is good to a factor of two.
"""

from dataclasses import dataclass
from pathlib import Path

from ontogeny.config import ModelSection, Posterior, TaskSection
from ontogeny.config.job_names import JOBS, ON_REQUEST
from ontogeny.config.reading import Variant, read_study
from ontogeny.pipeline.columns import columns
from ontogeny.pipeline.plan import Plan, blocks, seeds_per_job
from ontogeny.training.schedule import checkpoint_steps, sampled_steps
from ontogeny.transitions.detection import cost as detection_cost

FLOPS = 4e10
SECONDS_PER_STEP = 8e-6
SECONDS_PER_JOB = 2.5
SECONDS_TO_COMPILE = {"train": 3.0, "calibrate": 10.0, "sample": 6.0, "sensitivity": 8.0, "observe": 6.0}
PILOT_CHAINS, PILOT_DRAWS, PILOT_CHECKPOINTS, PILOT_PARAMETERS = 4, 400, 5, 1000
"""A pilot of calibration has at most so many chains and draws; a network above so many parameters, so many checkpoints."""
DRAWS = 500
"""Draws of a chain where they are `auto`."""
SENSITIVITY = 0.3
"""Share of the sampling of a variant that its sensitivity to nβ, γ and the step takes at most."""
SWEPT = 5
"""Inverse temperatures at which calibration measures λ̂ at one checkpoint."""
OBSERVED_FORWARD_PASSES = 8
CURVES, CURVES_PER_HEAD = 4, 3
"""Curves of a run that are searched for transitions."""
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
    """Return the table that `ontogeny plan` prints.

    Raises:
        ConfigError: the config cannot be run.
    """
    plan = Plan(*read_study(configfile), configfile.parent)
    costs = [cost(variant) for variant in plan.variants]
    rows = [("family", "variant", "seeds", "jobs", "core minutes", "disk, MB")]
    for variant, taken in zip(plan.variants, costs, strict=True):
        seeds = ",".join(map(str, variant.seeds))
        rows.append((variant.family_name, variant.name, seeds, str(taken.jobs), spell(taken.minutes), spell(taken.megabytes)))
    pages = len(plan.study.families) + 1 + sum(len(plan.along(family)) for family in plan.study.families)
    jobs = sum(each.jobs for each in costs) + pages
    minutes, megabytes = (sum(getattr(each, name) or 0 for each in costs) for name in ("minutes", "megabytes"))
    minutes += pages * SECONDS_PER_JOB / 60
    return "\n".join(
        [
            *columns(rows),
            f"{sum(each.runs for each in costs)} runs in {jobs} jobs; about {minutes:.1f} core minutes"
            f" and {megabytes:.0f} MB.{UNKNOWN if any(each.minutes is None for each in costs) else ''}",
            f"Results go to {plan.study.results}/; the index page will be {plan.study.results}/report/index.html.",
        ]
    )


def cost(variant: Variant) -> Cost:
    """Return what the runs of a variant take."""
    family, seeds = variant.family, len(variant.seeds)
    parameters = parameter_count(variant)
    if parameters is None:
        return Cost(seeds, job_count(variant), None, None)
    kept, sampled = checkpoint_counts(variant)
    seconds = sum(seconds_by_kind(variant).values())
    chains = seeds * sampled * family.llc.chains
    losses = chains * losses_per_chain(variant)
    draws = chains * kept_draws(variant)
    size = seeds * kept * parameters * 4 + draws * BYTES_PER_DRAW + losses * 4 + seeds * BYTES_PER_PAGE
    return Cost(seeds, job_count(variant), seconds / 60, size / 1e6)


def seconds_by_kind(variant: Variant) -> dict[str, float]:
    """Return the seconds of one core that all jobs of each kind take for a variant, starting and compiling among them.

    The work itself is left out for a user's own model or task.
    """
    work = work_seconds(variant, parameter_count(variant))
    return {
        kind: work.get(kind, 0.0) + jobs * (SECONDS_PER_JOB + SECONDS_TO_COMPILE.get(kind, 0.0))
        for kind, jobs in jobs_by_kind(variant).items()
    }


def job_seconds(plan: Plan) -> dict[tuple[str, str, str], float]:
    """Return (kind, family, variant) -> seconds of one core that one job takes. Jobs of pages take those to start a job."""
    return {
        (kind, variant.family_name, variant.name): seconds / jobs_by_kind(variant)[kind]
        for variant in plan.variants
        for kind, seconds in seconds_by_kind(variant).items()
    }


def work_seconds(variant: Variant, parameters: int | None) -> dict[str, float]:
    """Return the seconds of one core that the work of the jobs of a variant takes, by kind."""
    if parameters is None:
        return {}
    family = variant.family
    kept, sampled = checkpoint_counts(variant)
    return {
        "train": training_seconds(variant, parameters),
        "calibrate": calibration_seconds(variant, parameters, sampled),
        "sample": sampling_seconds(variant, parameters, sampled),
        "sensitivity": SENSITIVITY * sampling_seconds(variant, parameters, sampled) * family.llc.sensitivity,
        "observe": observing_seconds(variant, parameters, kept),
        "detect": len(variant.seeds) * detection_cost.seconds(kept, curves(variant)),
        "phases": posterior_seconds(family.phases),
    }


def checkpoint_counts(variant: Variant) -> tuple[int, int]:
    """Return how many checkpoints of a run are kept, and how many are sampled."""
    kept = checkpoint_steps(variant.family.checkpoints, variant.family.training.steps)
    return len(kept), len(sampled_steps(kept, variant.family.llc.checkpoints))


def training_seconds(variant: Variant, parameters: int) -> float:
    """Return the seconds of one core that training takes. A block trains as many networks as a full block would."""
    training = variant.family.training
    networks = len(blocks(variant)) * seeds_per_job(variant)
    return networks * training.steps * step_seconds(variant, parameters, training.batch_size)


def kept_draws(variant: Variant) -> int:
    """Return how many draws a chain keeps."""
    draws = variant.family.llc.draws
    return DRAWS if draws == "auto" else draws


def chain_draws(variant: Variant) -> int:
    """Return how many steps a chain takes; with a burn-in of `auto`, half as many as its draws before them."""
    burn_in = variant.family.llc.burn_in
    return kept_draws(variant) + (kept_draws(variant) // 2 if burn_in == "auto" else burn_in)


def sampled_examples(variant: Variant) -> int:
    family = variant.family
    return family.llc.batch_size or getattr(family.task, "examples", family.training.batch_size)


def sampling_seconds(variant: Variant, parameters: int, sampled: int) -> float:
    """Return the seconds of one core that the chains of all seeds take, and the losses of single examples along them."""
    llc, chains = variant.family.llc, len(variant.seeds) * sampled * variant.family.llc.chains
    data_sets = 1 + len(llc.refine.data if llc.refine else {})
    steps = data_sets * chains * chain_draws(variant) * step_seconds(variant, parameters, sampled_examples(variant))
    return steps + step_seconds(variant, parameters, chains * losses_per_chain(variant)) / 3


def calibration_seconds(variant: Variant, parameters: int, sampled: int) -> float:
    """Return the seconds of one core that the pilot chains and the sweep over nβ of a variant take."""
    llc = variant.family.llc
    places = sampled if parameters <= PILOT_PARAMETERS else min(PILOT_CHECKPOINTS, sampled)
    draws = min(chain_draws(variant), PILOT_DRAWS)
    steps = (places + SWEPT) * min(llc.chains, PILOT_CHAINS) * draws
    return steps * step_seconds(variant, parameters, sampled_examples(variant))


def observing_seconds(variant: Variant, parameters: int, kept: int) -> float:
    """Return the seconds of one core that the forward passes over the data take at all kept checkpoints."""
    examples = getattr(variant.family.task, "examples", 0)
    return len(variant.seeds) * kept * OBSERVED_FORWARD_PASSES * step_seconds(variant, parameters, examples) / 3


def curves(variant: Variant) -> int:
    """Return how many curves of a run are searched for transitions, by the parts that the network has."""
    model = variant.family.model
    return CURVES + CURVES_PER_HEAD * getattr(model, "layers", 0) * getattr(model, "heads", 0)


def job_count(variant: Variant) -> int:
    """Return how many jobs work on a variant and its blocks."""
    return sum(jobs_by_kind(variant).values())


def jobs_by_kind(variant: Variant) -> dict[str, int]:
    """Return how many jobs of each kind work on a variant and its blocks."""
    count = {"block": len(blocks(variant)), "variant": 1}
    asked = {"phases": variant.family.phases is not None, "sensitivity": variant.family.llc.sensitivity}
    made = [kind for kind in JOBS if kind.scope in count and kind.name not in ON_REQUEST and asked.get(kind.name, True)]
    return {kind.name: count[kind.scope] for kind in made}


def posterior_seconds(section: Posterior | None) -> float:
    """Return the seconds of one core that the posterior takes while n grows."""
    if section is None:
        return 0.0
    return section.repeats * section.sizes * section.particles * section.moves * SECONDS_PER_PARTICLE_AND_MOVE


def losses_per_chain(variant: Variant) -> int:
    """Return the number of losses of single examples that a chain keeps; those of all examples where the task is built in."""
    section = variant.family.llc.per_example
    if section is None:
        return 0
    examples = getattr(variant.family.task, "examples", 0) if section.examples == "all" else section.examples
    return -(-kept_draws(variant) // section.every) * examples


def step_seconds(variant: Variant, parameters: int, examples: int) -> float:
    """Return the seconds of one core that a gradient on a batch takes."""
    positions = variant.family.task.positions if isinstance(variant.family.task, TaskSection) else 1
    return SECONDS_PER_STEP + 6 * parameters * examples * positions / FLOPS


def parameter_count(variant: Variant) -> int | None:
    """Return the number of parameters of a built-in model; None for a user's own model or task."""
    model, task = variant.family.model, variant.family.task
    return model.parameters(task.shape) if isinstance(model, ModelSection) and isinstance(task, TaskSection) else None


def spell(value: float | None) -> str:
    return "?" if value is None else f"{value:.1f}"
