"""Train the seeds of a block, save their checkpoints, go on where an earlier job stopped."""

import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from ontogeny import checkpoints, config, fingerprint, training
from ontogeny.errors import SpecificationError
from ontogeny.families import build_problem
from ontogeny.files import write_parquet
from ontogeny.problem import Problem
from ontogeny.progress import progress
from ontogeny.schedule import blocks, checkpoint_steps
from ontogeny.stages.job import Job, task_and_model

PIECE = 16
"""Checkpoints that one call of the compiled program makes: progress is shown and memory bounded by it."""
BLOCK_CHECKPOINTS, BLOCK_BYTES, BLOCK_SECONDS = 256, 2**24, 60.0
"""A block is saved when it holds this many checkpoints or bytes, or this much time went into it."""
SECONDS_OF = "wall-clock time of training, of all jobs that made the kept checkpoints; seeds trained together share it equally"


def run(job: Job) -> None:
    """Train what is not yet trained, seed by seed resumable; a seed's numbers do not depend on the others."""
    section: config.Training = job.section("training", config.Training)
    task, model = task_and_model(job)
    problem = build_problem(task, model, batch_size=section.batch_size, base=job.base)
    kept = checkpoint_steps(job.section("checkpoints", config.Checkpoints), section.steps)
    digests = {seed: job.seed_digest(seed) for seed in job.specification["seeds"]}
    whole = {seed: checkpoints.whole_blocks(folder(job, seed), digests[seed]) for seed in digests}
    waiting = [seed for seed in digests if not (whole[seed] and whole[seed][-1].steps[-1] == kept[-1])]
    # Seeds that have begun go on together; those that have not start by themselves.
    for group in ([seed for seed in waiting if whole[seed]], [seed for seed in waiting if not whole[seed]]):
        if group:
            train(job, problem, section, kept, group, digests, whole)
    remove_unlisted(job)
    for seed, digest in digests.items():
        if seed in waiting or not job.is_done(seed, digest, job.seed_folder(seed) / "training.parquet"):
            with job.recorded(seed, digest) as details:
                rates = training.learning_rate(section)
                write_parquet(
                    job.seed_folder(seed) / "training.parquet",
                    training_table(folder(job, seed), np.asarray(jax.vmap(rates)(np.array(kept)))),
                )
                details["steps"] = list(kept)
                details["seconds"] = round(sum(block.seconds for block in checkpoints.read_index(folder(job, seed))), 3)
                details["seconds_of"] = SECONDS_OF
    job.finish(digests)


def folder(job: Job, seed: int) -> Path:
    return job.seed_folder(seed) / "checkpoints"


def train(
    job: Job, problem, section: config.Training, kept: Sequence[int], waiting: Sequence[int], digests: Mapping[int, str], whole
) -> None:
    """Train the waiting seeds from the last checkpoint that all of them have, in lanes that depend on the block alone."""
    began = time.monotonic()
    lanes = job.specification["lanes"]
    optimizer = training.build_optimizer(section)
    state = training.initial_state(problem, optimizer, lanes)
    check_step(problem, optimizer, state, lanes)
    done = resume_point(whole, waiting)
    for seed in waiting:
        keep_until(folder(job, seed), digests[seed], whole[seed], done)
    if done is not None:
        state = restore(state, lanes, {seed: folder(job, seed) for seed in waiting}, done)
    left = [step for step in kept if done is None or step > done]
    folders = {folder(job, seed): digests[seed] for seed in waiting}
    place = folder(job, waiting[0]) if len(waiting) == 1 else shared_folder(job)
    chosen = [lanes.index(seed) for seed in waiting]
    for block in trained_blocks(job.label, problem, optimizer, state, lanes, left, done or 0):
        ended = time.monotonic()
        save(place, folders, block, chosen, ended - began)
        began = ended  # the time of saving counts with the next block


def check_step(problem: Problem, optimizer, state: training.State, lanes: Sequence[int]) -> None:
    """Trace a training step, so that a network that does not fit is told before earlier checkpoints are touched.

    Raises:
        SpecificationError: the loss of the network on the task's batches cannot be made.
    """
    bounds = jnp.zeros(1, jnp.int32)
    try:
        jax.eval_shape(training.compile_training(problem, optimizer), state, training.seed_keys(lanes, 1), bounds, bounds)
    except Exception as fault:
        frames = [frame for frame in traceback.extract_tb(fault.__traceback__) if "site-packages" not in frame.filename]
        place = f"{frames[-1].filename} line {frames[-1].lineno}: {frames[-1].line}" if frames else ""
        told = (str(fault).splitlines() or [""])[0]
        raise SpecificationError(f"a training step fails: {type(fault).__name__}: {told} ({place})") from fault


def resume_point(whole: Mapping[int, Sequence[checkpoints.Block]], seeds: Sequence[int]) -> int | None:
    """The last step at which every seed has a block's end, and so the optimiser's state; None for none."""
    ends = [{block.steps[-1] for block in whole[seed]} for seed in seeds]
    return max(set.intersection(*ends), default=None)


def keep_until(place: Path, digest: str, whole: Sequence[checkpoints.Block], done: int | None) -> None:
    """Forget what lies behind the step to go on from, and the checkpoints of another specification."""
    if done is None:
        checkpoints.clear(place)
    else:
        checkpoints.write_index(place, digest, [block for block in whole if block.steps[-1] <= done])


def restore(fresh: training.State, lanes: Sequence[int], folders: Mapping[int, Path], done: int) -> training.State:
    """The state of every lane at a step; a lane that nobody waits for repeats another and is thrown away."""
    states = {}
    for seed, place in folders.items():
        block = next(block for block in checkpoints.read_index(place) if block.steps[-1] == done)
        saved = checkpoints.read_block(place, block)
        states[seed] = (
            {name: array[-1] for name, array in saved.params.items()},
            [saved.optimizer[str(n)] for n in range(len(saved.optimizer))],
        )
    filler = next(iter(states.values()))
    chosen = [states.get(lane, filler) for lane in lanes]
    params = {name: jnp.asarray(np.stack([state[0][name] for state in chosen])) for name in filler[0]}
    shapes = [leaf.shape for leaf in jax.tree.leaves(fresh.optimizer)]
    leaves = [np.stack([state[1][place] for state in chosen]).reshape(shape) for place, shape in enumerate(shapes)]
    return training.State(params, jax.tree.unflatten(jax.tree.structure(fresh.optimizer), leaves))


def trained_blocks(
    label: str, problem: Problem, optimizer, state: training.State, lanes: Sequence[int], left: Sequence[int], done: int
):
    """Train to each of the steps left, and yield blocks of checkpoints with the optimiser's state at their ends."""
    advance = training.compile_training(problem, optimizer)
    keys = training.seed_keys(lanes, 1)
    pieces: list[training.Piece] = []
    steps: list[int] = []
    began = time.monotonic()
    start = done
    with progress(label, left[-1], "steps") as show:
        show(start)
        for some in blocks(left, PIECE):
            stops = jnp.array(some + some[-1:] * (PIECE - len(some)), jnp.int32)
            starts = jnp.concatenate([jnp.array([start], jnp.int32), stops[:-1]])
            state, piece = advance(state, keys, starts, stops)
            pieces.append(first_checkpoints(piece, len(some)))
            steps += some
            start = some[-1]
            show(start)
            if is_full(pieces, len(steps), time.monotonic() - began) or start == left[-1]:
                joined = jax.tree.map(lambda *leaves: np.concatenate(leaves, axis=1), *pieces)
                yield tuple(steps), joined, jax.tree.map(np.asarray, jax.tree.leaves(state.optimizer))
                pieces, steps, began = [], [], time.monotonic()


def first_checkpoints(piece: training.Piece, count: int) -> training.Piece:
    return jax.tree.map(lambda leaf: np.asarray(leaf)[:, :count], piece)


def is_full(pieces: Sequence[training.Piece], count: int, seconds: float) -> bool:
    size = sum(leaf.nbytes / leaf.shape[0] for piece in pieces for leaf in piece.params.values())
    return count >= BLOCK_CHECKPOINTS or size >= BLOCK_BYTES or seconds >= BLOCK_SECONDS


def save(place: Path, folders: Mapping[Path, str], block, lanes: Sequence[int], seconds: float) -> None:
    """Save the chosen lanes of a block, trained in so many seconds; its name differs from those that other seeds or an earlier
    attempt left there."""
    steps, piece, optimizer = block
    rows = np.asarray(lanes)
    params = {name: array[rows] for name, array in piece.params.items()}
    leaves = {str(number): leaf[rows] for number, leaf in enumerate(optimizer)}
    measured = {"loss": piece.loss[rows], "gradient_norm": piece.gradient_norm[rows]}
    name = f"{steps[0]:09d}-{steps[-1]:09d}~{fingerprint.digest([*map(str, folders), *folders.values()])[:8]}"
    checkpoints.save_block(place / name, folders, steps, checkpoints.Saved(params, leaves, measured), seconds)


def shared_folder(job: Job) -> Path:
    """Where the blocks of seeds that are trained together are."""
    return job.folder / "checkpoints" / job.block


def remove_unlisted(job: Job) -> None:
    """Remove what no run of the block lists any more: blocks of another specification, or that were found damaged."""
    runs = [folder(job, lane) for lane in job.specification["lanes"]]  # those that config.yaml no longer lists are kept
    for place in (shared_folder(job), *runs):
        checkpoints.remove_unlisted(place, runs)


def training_table(place: Path, rates: np.ndarray) -> pd.DataFrame:
    """A row a checkpoint: step, mean minibatch loss since the one before, learning rate, norm of the gradient."""
    saved = [(block, checkpoints.read_block(place, block).training) for block in checkpoints.read_index(place)]
    frame = pd.concat([pd.DataFrame({"step": block.steps, **measured}) for block, measured in saved], ignore_index=True)
    return frame.assign(learning_rate=rates).reindex(columns=["step", "loss", "learning_rate", "gradient_norm"])
