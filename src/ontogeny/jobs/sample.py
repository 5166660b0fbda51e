"""Sample the local posterior at the checkpoints of every seed of a block, and keep the draws.

Checkpoints are sampled in chunks of one shape, so that one program is compiled for all of them. The draws of a finished chunk
are kept by step: an interrupted job, and one that samples more checkpoints, sample only what is missing.
"""

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from ontogeny import config
from ontogeny.arrays.parts import even_size
from ontogeny.checkpoints import blocks
from ontogeny.errors import SpecificationError
from ontogeny.jobs.job import Job, Made, as_task, task_and_model
from ontogeny.jobs.target import build_target, chain_examples, chain_loss
from ontogeny.pipeline.files import read_json
from ontogeny.pipeline.fingerprint import digest
from ontogeny.pipeline.progress import progress
from ontogeny.problem.build import build_problem, other_examples
from ontogeny.problem.keys import SAMPLE, seed_keys
from ontogeny.problem.masks import mask_of
from ontogeny.problem.problem import Batch, Predicate, Problem
from ontogeny.sampling.chains import sample
from ontogeny.sampling.checks import leading_axis
from ontogeny.sampling.draws import WHOLE_NETWORK, Draws, append, open_for_writing, remove_others, stored_steps
from ontogeny.sampling.kernels.build import build_sampler
from ontogeny.sampling.layout import CHUNK, Layout
from ontogeny.sampling.losses import per_example_losses
from ontogeny.sampling.objective import Examples, Loss
from ontogeny.training.schedule import consecutive, sampled_steps

NOT_OF_THE_DRAWS = ("seeds", "llc", "other_data", "other_files")
"""Entries of the specification that the draws of a component depend on in part only, see `identity`."""


class Component(NamedTuple):
    """A part of the network that is free to move, or other data.

    Attributes:
        predicate: of the parameters that move; None for all.
        batch: the n examples; None for those of the task.
        options: of `sample`, instead of the variant's.
        identity: what tells its draws from those of other components.
        attributes: written with its draws.
    """

    predicate: Predicate | None = None
    batch: Batch | None = None
    options: Mapping[str, Any] = {}
    identity: Any = None
    attributes: Mapping[str, Any] = {}


class Setting(NamedTuple):
    """What the components of a variant have in common."""

    problem: Problem
    llc: config.LocalLearningCoefficient
    options: Mapping[str, Any]


def run(job: Job) -> None:
    """Write the draws of each seed that does not have them."""
    llc: config.LocalLearningCoefficient = job.section("llc", config.LocalLearningCoefficient)
    calibration = read_json(job.folder / "calibration.json")
    problem = build_problem(*task_and_model(job), base=job.base)
    components = components_of(job, problem, llc)
    fixed = {name: calibration[name] for name in ("inverse_temperature", "localization", "batch_size")}
    options = {
        "sampler": build_sampler(calibration["sampler"]),
        "layout": Layout(**calibration["layout"]),
        **{name: calibration[name] for name in ("chains", "draws", "burn_in")},
    }
    setting = Setting(problem, llc.model_copy(update=fixed), options)
    if job.profile_trace:
        seed = job.specification["seeds"][0]
        steps = sampled_steps(job.run(seed)["steps"], llc.checkpoints)
        chunk = steps[: even_size(len(steps), CHUNK)]
        write_profile(job.profile_trace, lambda: sample_chunk(job, setting, components[WHOLE_NETWORK], seed, chunk, len(chunk)))
        return

    def sample_seed(seed: int) -> Made:
        trained = job.run(seed)
        steps = sampled_steps(trained["steps"], llc.checkpoints)
        own = {"calibration": calibration["digest"], "run": trained["digest"], "seed": seed}
        for name, component in components.items():
            made_by = digest({**identity(job, llc), **own, "component": [name, component.identity]})
            sample_component(job, setting, component, name, seed, steps, made_by)
        folder = job.seed_folder(seed) / "draws"
        remove_others(folder, list(components))
        return Made(outputs=[folder], details={"steps": steps, "components": list(components)})

    job.per_seed(sample_seed)


def identity(job: Job, llc: config.LocalLearningCoefficient) -> dict[str, Any]:
    """Return what the draws of every component depend on; their sampler and counts are in the calibration."""
    section = llc.model_dump(mode="json", include={"projection", "control_variates", "behavioural"})
    return {"specification": job.without(*NOT_OF_THE_DRAWS), "llc": section}


def components_of(job: Job, problem: Problem, llc: config.LocalLearningCoefficient) -> dict[str, Component]:
    """Return the whole network, the components that `llc.refine` names, and the whole network on its other data."""
    is_likelihood = problem.is_log_likelihood and not llc.behavioural
    section = llc.per_example
    network = Component(
        options=collecting(chain_loss(problem, llc), chain_examples(problem.data.sampling, llc), section),
        identity=section and section.model_dump(mode="json"),
        attributes={"averages_over": problem.averages_over if is_likelihood else None, "thin": section.every if section else 1},
    )
    parts = {name: Component(predicate=predicate) for name, predicate in refined_components(problem, llc.refine).items()}
    tasks, files = job.specification["other_data"], job.specification.get("other_files")
    # Other data may be many more examples: the layout that was kept is not theirs.
    other = {
        f"data:{name}": Component(batch=batch, options={"layout": None}, identity=[tasks[name], files])
        for name, batch in other_data(job, problem, llc.batch_size or 0).items()
    }
    return {WHOLE_NETWORK: network, **parts, **other}


def collecting(loss: Loss, examples: Examples, section: config.PerExample | None) -> dict[str, Any]:
    """Return the options of `sample` that keep the losses which the config asks for.

    Raises:
        SpecificationError: more examples are asked for than there are.
    """
    if section is None:
        return {}
    n = leading_axis(examples, "data", "n examples")
    count = n if section.examples == "all" else section.examples
    if count > n:
        raise SpecificationError(f"llc.per_example.examples ({count}) is larger than n ({n}); all is allowed")
    first = jax.tree.map(lambda leaf: leaf[:count], examples)
    return {"collect": {"per_example_loss": per_example_losses(loss, first)}, "thin": section.every}


def refined_components(problem: Problem, refine: config.Refine | None) -> dict[str, Predicate]:
    """Return name -> predicate, of the components that the patterns name.

    Raises:
        SpecificationError: a pattern names none.
    """
    predicates = {}
    for pattern in refine.components if refine else []:
        named = fnmatch.filter(problem.components, pattern)
        if not named:
            there = ", ".join(problem.components) or "none"
            raise SpecificationError(f"llc.refine.components: {pattern!r} names no component of the model; it has {there}")
        predicates |= {name: problem.components[name] for name in named}
    return predicates


def other_data(job: Job, problem: Problem, batch_size: int) -> dict[str, Batch]:
    """Return name -> examples, of the other data sets of `llc.refine`.

    Raises:
        SpecificationError: a data set cannot be made, is smaller than a batch, or needs another network.
    """
    examples = {}
    for name, section in job.specification["other_data"].items():
        try:
            examples[name] = other_examples(as_task(section), problem.shape, job.base)
        except SpecificationError as fault:
            raise SpecificationError(f"llc.refine.data.{name}: {fault}") from fault
        if batch_size > (n := leading_axis(examples[name], "data", "n examples")):
            raise SpecificationError(f"llc.batch_size ({batch_size}) is larger than n of llc.refine.data.{name} ({n})")
    return examples


def sample_component(
    job: Job, setting: Setting, component: Component, name: str, seed: int, steps: Sequence[int], made_by: str
) -> None:
    """Add the draws around those checkpoints of a seed that there are none of yet, chunk by chunk."""
    group = open_for_writing(job.seed_folder(seed) / "draws", name, made_by, component.attributes)
    there = set(stored_steps(group))
    missing = [step for step in steps if step not in there]
    size = even_size(len(steps), CHUNK)
    with progress(f"{job.label} seed {seed} {name}".strip(), len(steps), "checkpoints") as show:
        show(done := len(steps) - len(missing))
        for chunk in consecutive(missing, size):
            append(group, sample_chunk(job, setting, component, seed, chunk, size))
            show(done := done + len(chunk))


def sample_chunk(job: Job, setting: Setting, component: Component, seed: int, steps: Sequence[int], size: int) -> Draws:
    """Return the draws around some checkpoints. The last checkpoint fills the chunk up, so that one program serves all."""
    _, params = blocks.read(job.seed_folder(seed) / "checkpoints", steps)
    places = np.minimum(np.arange(size), len(steps) - 1)
    params = {name: array[places] for name, array in params.items()}
    shapes = {name: jax.ShapeDtypeStruct(array.shape[1:], array.dtype) for name, array in params.items()}
    mask = None if component.predicate is None else mask_of(component.predicate, shapes)
    target, centers = build_target(setting.problem, setting.llc, params, mask=mask, batch=component.batch)
    options = {**setting.options, **component.options, "key": seed_keys([seed], SAMPLE)[0], "steps": np.asarray(steps)[places]}
    return sample(target, centers, **options).first(len(steps))


def write_profile(folder: Path, work: Callable[[], Any]) -> None:
    """Write a JAX trace of some work, for Perfetto or TensorBoard. The work is done once before, so that it is compiled."""
    work()
    with jax.profiler.trace(folder, create_perfetto_trace=True):
        work()
    print(f"a trace of one chunk is in {folder}; open its perfetto_trace.json.gz at ui.perfetto.dev")
