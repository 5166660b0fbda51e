"""Train the seeds of a block and save their checkpoints. A run that was interrupted goes on after its last saved block.

Which steps are kept is no part of what a run is. When more steps are to be kept, only the blocks that lack some are trained
again, each from the optimiser's state at the end of the block before it.
"""

import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from ontogeny import config
from ontogeny.checkpoints import blocks
from ontogeny.errors import SpecificationError
from ontogeny.jobs.job import Job, Made, task_and_model
from ontogeny.pipeline import fingerprint
from ontogeny.pipeline.files import write_json, write_parquet
from ontogeny.pipeline.progress import progress
from ontogeny.problem.build import build_problem
from ontogeny.problem.keys import TRAIN, seed_keys
from ontogeny.problem.problem import Problem
from ontogeny.training.loop import Piece, State, compile_training, initial_state
from ontogeny.training.optimizers import build_optimizer, learning_rate
from ontogeny.training.schedule import checkpoint_steps, consecutive

AXIS = {"name": "step", "scale": "log1p", "unit": "training steps"}
SECONDS_OF = "wall-clock time of training, of all jobs that made the kept checkpoints; seeds trained together share it equally"


class Limits(NamedTuple):
    """How much is trained before something is done.

    Attributes:
        piece: checkpoints that one call of the compiled program makes; it bounds memory, and progress is shown after it.
        checkpoints, size, seconds: a block is saved when it holds so many checkpoints, so many bytes, or so much time.
    """

    piece: int = 16
    checkpoints: int = 256
    size: int = 2**24
    seconds: float = 60.0


class Segment(NamedTuple):
    """Steps to train through and keep, from the state at `start`; None for the state at step 0, which is kept too."""

    start: int | None
    steps: tuple[int, ...]


LIMITS = Limits()


def run(job: Job, limits: Limits = LIMITS) -> None:
    """Train what is missing of every seed; write `run.json` and `training.parquet`. No seed's numbers depend on the others."""
    section: config.Training = job.section("training", config.Training)
    task, model = task_and_model(job)
    problem = build_problem(task, model, batch_size=section.batch_size, base=job.base)
    kept = checkpoint_steps(job.section("checkpoints", config.Checkpoints), section.steps)
    digests = {seed: run_digest(job, seed) for seed in job.specification["seeds"]}
    whole = {seed: blocks.whole_blocks(folder(job, seed), digests[seed]) for seed in digests}
    missing: dict[tuple[Segment, ...], list[int]] = {}
    for seed in digests:
        missing.setdefault(segments(kept, whole[seed]), []).append(seed)
    for parts, seeds in missing.items():
        if parts:
            # What is there of a seed without whole blocks is damaged or of another specification.
            stale = [folder(job, seed) for seed in seeds if not whole[seed]]
            train(job, problem, section, parts, {seed: digests[seed] for seed in seeds}, limits, stale)
    remove_unlisted(job)
    rates = np.asarray(jax.vmap(learning_rate(section))(np.array(kept)))
    parameters = sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(problem.init, jax.random.key(0))))

    def write(seed: int) -> Made:
        own = job.seed_folder(seed)
        write_parquet(own / "training.parquet", training_table(folder(job, seed), kept, rates))
        write_json(own / "run.json", {"steps": kept, "digest": digests[seed], "axis": AXIS, "parameters": parameters})
        outputs = [own / "training.parquet", own / "run.json", folder(job, seed) / "index.json"]
        seconds = round(sum(block.seconds for block in blocks.read_index(folder(job, seed))), 3)
        return Made(outputs=outputs, details={"seconds": seconds, "seconds_of": SECONDS_OF})

    job.per_seed(write)


def run_digest(job: Job, seed: int) -> str:
    """Return the digest of all that makes a run what it is: task, model, training and seed, and not the kept steps."""
    return fingerprint.digest({"run": job.without("seeds", "checkpoints"), "seed": seed})


def folder(job: Job, seed: int) -> Path:
    return job.seed_folder(seed) / "checkpoints"


def segments(kept: Sequence[int], whole: Sequence[blocks.Block]) -> tuple[Segment, ...]:
    """Return what must be trained so that every kept step is in a block; nothing where each is.

    The state of the optimiser is known at the end of each whole block, so a segment reaches from one such end to the next, and
    the last one to the last kept step.
    """
    stored = {step for block in whole for step in block.steps}
    ends = sorted(block.steps[-1] for block in whole)
    parts = []
    for start, end in zip([None, *ends], [*ends, None], strict=True):
        after, until = -1 if start is None else start, np.inf if end is None else end
        inside = [step for step in kept if after < step <= until]
        if not stored.issuperset(inside):
            parts.append(Segment(start, tuple(sorted({*inside, *([] if end is None else [end])}))))
    return tuple(parts)


def train(
    job: Job,
    problem: Problem,
    section: config.Training,
    parts: Sequence[Segment],
    digests: Mapping[int, str],
    limits: Limits,
    stale: Sequence[Path] = (),
) -> None:
    """Train seeds through the same segments, in lanes that depend on the block alone, and save what they pass through.

    Args:
        stale: folders of checkpoints that are cleared once a training step is known to work.
    """
    lanes = job.specification["lanes"]
    optimizer = build_optimizer(section)
    fresh = initial_state(problem, optimizer, lanes)
    check_step(problem, optimizer, fresh, lanes)
    for checkpoints in stale:
        blocks.clear(checkpoints)
    folders = {folder(job, seed): digest for seed, digest in digests.items()}
    place = folder(job, next(iter(digests))) if len(digests) == 1 else shared_folder(job)
    rows = [lanes.index(seed) for seed in digests]
    began = time.monotonic()
    for part in parts:
        state = fresh if part.start is None else restore(fresh, lanes, {s: folder(job, s) for s in digests}, part.start)
        for block in trained_blocks(job.label, problem, optimizer, state, lanes, part, limits):
            ended = time.monotonic()
            save(place, folders, block, rows, ended - began)
            began = ended  # the time of saving counts with the next block


def check_step(problem: Problem, optimizer: Any, state: State, lanes: Sequence[int]) -> None:
    """Trace a training step, so that a network that does not fit is reported before earlier checkpoints are touched.

    Raises:
        SpecificationError: the loss of the network on the task's batches cannot be made.
    """
    bounds = jnp.zeros(1, jnp.int32)
    try:
        jax.eval_shape(compile_training(problem, optimizer), state, seed_keys(lanes, TRAIN), bounds, bounds)
    except Exception as fault:
        frames = [frame for frame in traceback.extract_tb(fault.__traceback__) if "site-packages" not in frame.filename]
        place = f"{frames[-1].filename} line {frames[-1].lineno}: {frames[-1].line}" if frames else ""
        reason = (str(fault).splitlines() or [""])[0]
        raise SpecificationError(f"a training step fails: {type(fault).__name__}: {reason} ({place})") from fault


def restore(fresh: State, lanes: Sequence[int], folders: Mapping[int, Path], step: int) -> State:
    """Return the state of every lane at a step where a block ends. A lane whose seed is not trained repeats another."""
    states = {}
    for seed, place in folders.items():
        block = next(block for block in blocks.read_index(place) if block.steps[-1] == step)
        saved = blocks.read_block(place, block)
        states[seed] = (
            {name: array[-1] for name, array in saved.params.items()},
            [saved.optimizer[str(n)] for n in range(len(saved.optimizer))],
        )
    filler = next(iter(states.values()))
    chosen = [states.get(lane, filler) for lane in lanes]
    params = {name: jnp.asarray(np.stack([state[0][name] for state in chosen])) for name in filler[0]}
    shapes = [leaf.shape for leaf in jax.tree.leaves(fresh.optimizer)]
    leaves = [np.stack([state[1][place] for state in chosen]).reshape(shape) for place, shape in enumerate(shapes)]
    return State(params, jax.tree.unflatten(jax.tree.structure(fresh.optimizer), leaves))


def trained_blocks(
    label: str, problem: Problem, optimizer: Any, state: State, lanes: Sequence[int], part: Segment, limits: Limits
) -> Iterator[tuple[tuple[int, ...], Piece, list[np.ndarray]]]:
    """Train to each step of a segment; yield blocks: their steps, checkpoints, and the optimiser's state at the end."""
    advance = compile_training(problem, optimizer)
    keys = seed_keys(lanes, TRAIN)
    pieces: list[Piece] = []
    steps: list[int] = []
    began, start, last = time.monotonic(), part.start or 0, part.steps[-1]
    with progress(label, last, "steps") as show:
        show(start)
        for stretch in consecutive(part.steps, limits.piece):
            stops = jnp.array(stretch + stretch[-1:] * (limits.piece - len(stretch)), jnp.int32)
            starts = jnp.concatenate([jnp.array([start], jnp.int32), stops[:-1]])
            state, piece = advance(state, keys, starts, stops)
            pieces.append(first_checkpoints(piece, len(stretch)))
            steps += stretch
            start = stretch[-1]
            show(start)
            if is_full(pieces, len(steps), time.monotonic() - began, limits) or start == last:
                together = jax.tree.map(lambda *leaves: np.concatenate(leaves, axis=1), *pieces)
                yield tuple(steps), together, jax.tree.map(np.asarray, jax.tree.leaves(state.optimizer))
                pieces, steps, began = [], [], time.monotonic()


def first_checkpoints(piece: Piece, count: int) -> Piece:
    return jax.tree.map(lambda leaf: np.asarray(leaf)[:, :count], piece)


def is_full(pieces: Sequence[Piece], count: int, seconds: float, limits: Limits) -> bool:
    size = sum(leaf.nbytes / leaf.shape[0] for piece in pieces for leaf in piece.params.values())
    return count >= limits.checkpoints or size >= limits.size or seconds >= limits.seconds


def save(place: Path, folders: Mapping[Path, str], block: Any, rows: Sequence[int], seconds: float) -> None:
    """Save the chosen lanes of a block, trained in so many seconds, under a name that no other block or attempt has."""
    steps, piece, optimizer = block
    chosen = np.asarray(rows)
    params = {name: array[chosen] for name, array in piece.params.items()}
    leaves = {str(number): leaf[chosen] for number, leaf in enumerate(optimizer)}
    measured = {"loss": piece.loss[chosen], "gradient_norm": piece.gradient_norm[chosen]}
    name = f"{steps[0]:09d}-{steps[-1]:09d}~{fingerprint.digest([*map(str, folders), *folders.values(), *steps])[:8]}"
    blocks.save_block(place / name, folders, steps, blocks.Saved(params, leaves, measured), seconds)


def shared_folder(job: Job) -> Path:
    """Return where the blocks of seeds that are trained together are."""
    return job.folder / "checkpoints" / job.block


def remove_unlisted(job: Job) -> None:
    """Remove the blocks that no run lists any more: of another specification, replaced, or found damaged."""
    runs = [folder(job, lane) for lane in job.specification["lanes"]]  # those that config.yaml no longer lists are kept
    for place in (shared_folder(job), *runs):
        blocks.remove_unlisted(place, runs)


def training_table(place: Path, kept: Sequence[int], rates: np.ndarray) -> pd.DataFrame:
    """Return a row for each kept step: mean minibatch loss since the kept step before, learning rate, norm of the gradient."""
    saved = [(block, blocks.read_block(place, block).training) for block in blocks.read_index(place)]
    stored = pd.concat([pd.DataFrame({"step": block.steps, **measured}) for block, measured in saved], ignore_index=True)
    rows = stored.set_index("step").loc[list(kept)].reset_index()
    if len(stored) > len(kept):
        losses = mean_losses(stored["step"].to_numpy(), stored["loss"].to_numpy(float), kept)
        rows["loss"] = losses.astype(stored["loss"].to_numpy().dtype)
    return rows.assign(learning_rate=rates).reindex(columns=["step", "loss", "learning_rate", "gradient_norm"])


def mean_losses(steps: np.ndarray, losses: np.ndarray, kept: Sequence[int]) -> np.ndarray:
    """Return the mean loss between kept steps, from the mean losses between all stored steps; NaN at the first."""
    gaps = np.diff(steps, prepend=steps[0])
    sums = np.cumsum(np.where(gaps > 0, np.nan_to_num(losses) * gaps, 0.0))[np.searchsorted(steps, kept)]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.diff(sums, prepend=np.nan) / np.diff(np.asarray(kept, float), prepend=np.nan)
