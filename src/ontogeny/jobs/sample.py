"""Sample the local posterior at the checkpoints of every seed of a block; λ̂ with its error, traces, health.

Checkpoints are sampled in chunks of one shape, so that one program is compiled for all of them. A finished chunk is
kept until its seed is done: an interrupted job goes on with the next.
"""

import fnmatch
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd

from ontogeny import config
from ontogeny.checkpoints import blocks as checkpoints
from ontogeny.errors import SpecificationError
from ontogeny.estimates.llc import Estimate, summarise
from ontogeny.jobs.job import Job, as_task, task_and_model
from ontogeny.jobs.losses import collecting, criteria_table, has_criteria, write_losses
from ontogeny.jobs.target import Target, build_target
from ontogeny.pipeline.files import read_json, replace_file, write_parquet
from ontogeny.pipeline.progress import progress
from ontogeny.problem.build import build_problem, other_examples
from ontogeny.problem.keys import SAMPLE, seed_keys
from ontogeny.problem.masks import mask_of
from ontogeny.problem.network import parameter_shapes
from ontogeny.problem.problem import Batch, Problem
from ontogeny.sampling.chains import Traces, sample
from ontogeny.sampling.checks import leading_axis
from ontogeny.sampling.kernels.build import build_sampler
from ontogeny.sampling.layout import CHUNK, Layout, even_size
from ontogeny.training.schedule import blocks, sampled_steps

WHOLE_NETWORK = ""


def run(job: Job) -> None:
    """Write the results of each seed that does not have them, see `write_results`."""
    llc: config.LocalLearningCoefficient = job.section("llc", config.LocalLearningCoefficient)
    calibration = read_json(job.folder / "calibration.json")
    problem = build_problem(*task_and_model(job), base=job.base)
    target = build_target(problem, llc)
    sampled: dict[str, tuple[Target, Any, Mapping[str, Any]]] = {
        WHOLE_NETWORK: (target, None, collecting(target, llc.per_example)),
        **{name: (target, mask, {}) for name, mask in refined_masks(problem, llc.refine).items()},
        # Other data may be many more examples: the layout that was kept is not theirs.
        **{
            name: (target.on(examples), None, {"layout": None})
            for name, examples in other_data(job, problem, llc.batch_size or 0).items()
        },
    }
    files = [*(f"{name}.parquet" for name in ("llc", "health", "traces")), *(["per_example.npz"] if llc.per_example else [])]
    named = ("inverse_temperature", "localization", "chains", "draws", "burn_in", "batch_size")
    chain_settings = {
        "sampler": build_sampler(calibration["sampler"]),
        "projection": llc.projection,
        "control_variates": llc.control_variates,
        **{name: calibration[name] for name in named},
        "layout": Layout(**calibration["layout"]),
    }
    if job.profile_trace:
        seed = job.specification["seeds"][0]
        steps = sampled_steps(job.manifest(seed, "train")["steps"], llc.checkpoints)
        chunk = even_size(len(steps), CHUNK)
        options = {**chain_settings, **sampled[WHOLE_NETWORK][2]}
        write_profile(job.profile_trace, lambda: sample_chunk(job, target, seed, steps[:chunk], chunk, None, **options))
        return
    digests = {}
    for seed in job.specification["seeds"]:
        train = job.manifest(seed, "train")
        digests[seed] = job.seed_digest(seed, train["digest"], calibration["digest"])
        if not job.is_done(seed, digests[seed], *(job.seed_folder(seed) / name for name in files)):
            with job.recorded(seed, digests[seed]):
                steps = sampled_steps(train["steps"], llc.checkpoints)
                traces = {
                    name: sample_seed(job, on, seed, steps, digests[seed], name, mask, **{**chain_settings, **more})
                    for name, (on, mask, more) in sampled.items()
                }
                write_results(job.seed_folder(seed), traces, problem, llc)
                shutil.rmtree(job.seed_folder(seed) / "sampling")
    job.finish(digests)


def refined_masks(problem: Problem, refine: config.Refine | None) -> dict[str, Any]:
    """Component -> mask, of the components that the patterns name.

    Raises:
        SpecificationError: a pattern names none.
    """
    if refine is None:
        return {}
    masks, shapes = {}, parameter_shapes(problem)
    for pattern in refine.components:
        named = fnmatch.filter(problem.components, pattern)
        if not named:
            there = ", ".join(problem.components) or "none"
            raise SpecificationError(f"llc.refine.components: {pattern!r} names no component of the model; it has {there}")
        masks |= {name: mask_of(problem.components[name], shapes) for name in named}
    return masks


def other_data(job: Job, problem: Problem, batch_size: int) -> dict[str, Batch]:
    """Component -> examples, of the other data sets of `llc.refine`: `data:NAME`.

    Raises:
        SpecificationError: a data set cannot be made, is smaller than a batch, or needs another network.
    """
    found = {}
    for name, section in job.specification["other_data"].items():
        try:
            found[f"data:{name}"] = other_examples(as_task(section), problem.shape, job.base)
        except SpecificationError as fault:
            raise SpecificationError(f"llc.refine.data.{name}: {fault}") from fault
        if batch_size > (n := leading_axis(found[f"data:{name}"], "data", "n examples")):
            raise SpecificationError(f"llc.batch_size ({batch_size}) is larger than n of llc.refine.data.{name} ({n})")
    return found


def sample_seed(
    job: Job, target: Target, seed: int, steps: Sequence[int], digest: str, component: str, mask: Any, **settings: Any
) -> Traces:
    """The traces of a seed with a component free to move, or on other data, chunk by chunk.

    Chunks that an interrupted job left are read.
    """
    unfinished = job.seed_folder(seed) / "sampling"
    for stale in (path for path in unfinished.glob("*") if path.name != digest):
        shutil.rmtree(stale)
    folder = unfinished / digest / (component or "network")

    chunk = even_size(len(steps), CHUNK)

    def sampled(some: tuple[int, ...]) -> Traces:
        return sample_chunk(job, target, seed, some, chunk, mask, **settings)

    with progress(f"{job.label} seed {seed} {component}".strip(), len(steps), "checkpoints") as show:
        show(0)
        parts = []
        for some in blocks(steps, chunk):
            parts.append(kept(folder / f"{some[0]}.npz", some, sampled))
            show(sum(len(part.steps) for part in parts))
    return joined(parts)


def sample_chunk(job: Job, target: Target, seed: int, steps: Sequence[int], chunk: int, mask: Any, **settings: Any) -> Traces:
    """The traces of some checkpoints, filled up to a chunk with the last, so that one program serves all chunks."""
    _, params = checkpoints.read(job.seed_folder(seed) / "checkpoints", steps)
    params = {name: np.concatenate([array, np.repeat(array[-1:], chunk - len(steps), axis=0)]) for name, array in params.items()}
    labels = [*steps, *[steps[-1]] * (chunk - len(steps))]
    options = {"mask": target.mask(params, mask), "key": seed_keys([seed], SAMPLE)[0], "steps": labels, **settings}
    return cut(sample(target.loss, target.checkpoints(params), target.data, **options), steps)


def write_profile(folder: Path, work: Callable[[], Any]) -> None:
    """A JAX trace of some work, for Perfetto or TensorBoard; it is done once before, to be compiled."""
    work()
    with jax.profiler.trace(folder, create_perfetto_trace=True):
        work()
    print(f"a trace of one chunk is in {folder}; open its perfetto_trace.json.gz at ui.perfetto.dev")


MEASURED = ("values", "baseline", "gradient_norm", "first_order", "steps", "collected")
"""The fields of `Traces` with a leading axis of checkpoints; the rest are settings. `collected` may be None."""
SETTINGS = ("inverse_temperature", "localization", "n", "dimension")


def measured(traces: Traces) -> dict[str, Any]:
    """What there is of the fields in `MEASURED`."""
    return {name: value for name in MEASURED if (value := getattr(traces, name)) is not None}


def cut(traces: Traces, steps: Sequence[int]) -> Traces:
    """The traces of the first checkpoints of a padded chunk, as NumPy arrays."""
    arrays = {name: np.asarray(jax.device_get(value))[: len(steps)] for name, value in measured(traces).items()}
    return replace(traces, **{**arrays, "steps": np.asarray(steps)})


def kept(path: Path, steps: tuple[int, ...], make: Callable[[tuple[int, ...]], Traces]) -> Traces:
    """A chunk from its file, or made and written there."""
    if path.is_file():
        with np.load(path) as saved:
            numbers = {name: saved[name].item() for name in SETTINGS}
            return Traces(**{name: saved[name] for name in MEASURED if name in saved}, **numbers)
    traces = make(steps)

    def write(unfinished: Path) -> None:
        with unfinished.open("wb") as file:
            np.savez(file, **measured(traces), **{name: getattr(traces, name) for name in SETTINGS})

    replace_file(path, write)
    return traces


def joined(parts: Sequence[Traces]) -> Traces:
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in measured(parts[0])}
    return replace(parts[0], **arrays)


def write_results(
    folder: Path, by_component: Mapping[str, Traces], problem: Problem, llc: config.LocalLearningCoefficient
) -> None:
    """The files of a seed: λ̂ by chain, λ̂ with its health by checkpoint, and of the whole network what its draws say.

    That is every draw (`traces.parquet`), and where the config and the loss give them the losses of single examples
    (`per_example.npz`) and the information criteria (`information.parquet`); else these two are removed.
    """
    estimates = {name: summarise(traces) for name, traces in by_component.items()}
    tables = [by_chain(estimate, name) for name, estimate in estimates.items()]
    write_parquet(folder / "llc.parquet", pd.concat(tables, ignore_index=True))
    refined = {name: estimate for name, estimate in estimates.items() if name != WHOLE_NETWORK}
    write_parquet(folder / "health.parquet", replace(estimates[WHOLE_NETWORK], refined=refined).to_frame())
    traces = by_component[WHOLE_NETWORK]
    write_draws(folder / "traces.parquet", traces)
    write_losses(folder / "per_example.npz", traces, llc.per_example.every if llc.per_example else 1)
    if has_criteria(problem, llc, traces):
        criteria = criteria_table(traces, problem.averages_over, estimates[WHOLE_NETWORK].verdict)
        write_parquet(folder / "information.parquet", criteria)
    else:
        (folder / "information.parquet").unlink(missing_ok=True)


def write_draws(path: Path, traces: Traces) -> None:
    """A row per checkpoint, chain and draw."""
    checkpoints_, chains, draws = traces.values.shape
    write_parquet(
        path,
        pd.DataFrame(
            {
                "step": np.repeat(np.asarray(traces.steps, np.int64), chains * draws),
                "chain": np.tile(np.repeat(np.arange(chains, dtype=np.int16), draws), checkpoints_),
                "draw": np.tile(np.arange(draws, dtype=np.int32), checkpoints_ * chains),
                "value": np.asarray(traces.values, np.float32).ravel(),
            }
        ),
    )


def by_chain(estimate: Estimate, component: str) -> pd.DataFrame:
    """A row a step and chain of a component."""
    count, chains = estimate.per_chain.shape
    values = np.asarray(estimate.per_chain, float).ravel()
    return pd.DataFrame(
        {
            "step": np.repeat(np.asarray(estimate.steps, np.int64), chains),
            "component": component,
            "chain": np.tile(np.arange(chains), count),
            "llc": values,
            "dead": ~np.isfinite(values),
        }
    )
