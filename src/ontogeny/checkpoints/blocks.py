"""Checkpoints of runs, saved by Orbax in blocks: many stacked checkpoints and the optimiser's state once per block.

One save per checkpoint costs more than the training of a small model; a block of a few hundred costs what one does
(see docs/performance.md), and so does one of several runs that are trained together: they share its file, a *lane* each.
A run's `index.json` lists the blocks that are whole, with the digest of the specification that made them and a checksum
of the run's own arrays. A block that is not in the index does not exist: a run that was interrupted goes on after its
last whole block.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ontogeny.errors import SpecificationError
from ontogeny.pipeline.files import write_json

Arrays = Mapping[str, np.ndarray]


class Saved(NamedTuple):
    """What a block of C checkpoints holds of one run; in its file every array has a leading axis of lanes."""

    params: Arrays  # every array [C, ...]
    optimizer: Arrays  # the leaves of the optimiser's state at the last of them, numbered
    training: Arrays  # measurements of training, each [C]


class CheckpointError(SpecificationError):
    """Checkpoints that are missing, cut short or changed; the text says which and where."""


@dataclass(frozen=True)
class Block:
    """The checkpoints of some consecutive kept steps of one run: where they are, relative to its folder, and which lane.

    Attributes:
        seconds: the run's share of the wall-clock time in which they were trained.
    """

    path: str
    lane: int
    steps: tuple[int, ...]
    checksum: str
    seconds: float = 0.0


def read_index(folder: Path, digest: str | None = None) -> list[Block]:
    """The whole blocks in a folder; none if they were made by another specification than `digest`."""
    try:
        index = json.loads((folder / "index.json").read_text())
        if digest is not None and index["digest"] != digest:
            return []
        return [Block(**{**block, "steps": tuple(block["steps"])}) for block in index["blocks"]]
    except FileNotFoundError:
        return []
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise CheckpointError(f"{folder / 'index.json'} is damaged ({error}). {REMEDY}") from None


def checkpoints_by_orbax() -> Any:
    """Return what reads and writes the arrays of a block. Orbax takes long to import, and an index is read without it."""
    from orbax.checkpoint import PyTreeCheckpointer

    return PyTreeCheckpointer()


def clear(folder: Path) -> None:
    """Remove the checkpoints of another specification."""
    shutil.rmtree(folder, ignore_errors=True)


def save_block(file: Path, folders: Mapping[Path, str], steps: Sequence[int], lanes: Saved, seconds: float = 0.0) -> None:
    """Save the checkpoints of some consecutive steps, of one run or several, in place of blocks that hold some of these steps.

    Args:
        file: folder of the block, for Orbax; what is there is replaced.
        folders: of the runs, each with the digest of its specification, in the order of the lanes.
        lanes: every array with a leading axis of lanes.
        seconds: the wall-clock time in which they were trained; the runs share it equally.
    """
    shutil.rmtree(file, ignore_errors=True)
    with checkpoints_by_orbax() as checkpointer:
        checkpointer.save(file.absolute(), {part: dict(tree) for part, tree in lanes._asdict().items()})
    for lane, (folder, digest) in enumerate(folders.items()):
        own = checksum(*of_lane(lanes, lane))
        block = Block(os.path.relpath(file, folder), lane, tuple(map(int, steps)), own, seconds / len(folders))
        others = [other for other in read_index(folder, digest) if other.steps[-1] < steps[0] or other.steps[0] > steps[-1]]
        write_index(folder, digest, sorted([*others, block], key=lambda block: block.steps))


def of_lane(lanes: Saved, lane: int) -> Saved:
    return Saved(*({name: np.atleast_1d(array[lane]) for name, array in tree.items()} for tree in lanes))


def write_index(folder: Path, digest: str, blocks: Sequence[Block]) -> None:
    write_json(folder / "index.json", {"digest": digest, "blocks": [asdict(block) for block in blocks]})


def read_block(folder: Path, block: Block) -> Saved:
    """What a block holds.

    Raises:
        CheckpointError: files of the block are missing or damaged.
    """
    try:
        with checkpoints_by_orbax() as checkpointer:
            tree = checkpointer.restore(location(folder, block))
    except Exception as error:  # Orbax and TensorStore raise many kinds for files that are missing or cut short
        raise CheckpointError(broken(folder, block, str(error).split(" [tensorstore")[0].rstrip("."))) from error
    saved = of_lane(Saved(*(as_numpy(tree.get(part) or {}) for part in Saved._fields)), block.lane)
    if checksum(*saved) != block.checksum:
        raise CheckpointError(broken(folder, block, "its checksum differs from the one written with it"))
    return saved


def whole_blocks(folder: Path, digest: str) -> list[Block]:
    """Return the blocks made by a specification, up to the first that cannot be read; none where the index is damaged."""
    whole: list[Block] = []
    try:
        for block in read_index(folder, digest):
            read_block(folder, block)
            whole.append(block)
    except CheckpointError:
        pass
    return whole


def remove_unlisted(folder: Path, runs: Sequence[Path]) -> None:
    """Remove the blocks in a folder that the index of none of the runs lists; none if an index cannot be read."""
    try:
        listed = {location(run, block) for run in runs for block in read_index(run)}
    except CheckpointError:
        return
    for path in folder.absolute().glob("*/"):
        if path not in listed:
            shutil.rmtree(path)


def location(folder: Path, block: Block) -> Path:
    """The absolute path of a block, found as it was written: by names alone, also where a run's folder is a link."""
    return Path(os.path.normpath(folder.absolute() / block.path))


REMEDY = "`snakemake --cores all --forcerun train` trains again what is missing and leaves the rest as it is."


def broken(folder: Path, block: Block, why: str) -> str:
    place = os.path.normpath(folder / block.path)
    return f"the checkpoints of steps {block.steps[0]} to {block.steps[-1]} in {place} cannot be read: {why}. {REMEDY}"


def read(folder: Path, steps: Sequence[int] | None = None) -> tuple[np.ndarray, Arrays]:
    """The kept steps (all, or those asked for) and the parameters at them: every array has a leading axis of checkpoints.

    Raises:
        CheckpointError: there is no checkpoint at one of the steps, or its block cannot be read.
    """
    blocks = read_index(folder)
    wanted = {step for block in blocks for step in block.steps} if steps is None else set(steps)
    missing = sorted(wanted - {step for block in blocks for step in block.steps})
    if missing or not blocks:
        listed = ", ".join(map(str, missing[:5])) + (", …" if len(missing) > 5 else "")
        raise CheckpointError(f"no checkpoint {f'of step {listed} ' if missing else ''}in {folder}. {REMEDY}")
    parts = []
    for block in blocks:
        rows = [row for row, step in enumerate(block.steps) if step in wanted]
        if rows:
            parts.append({name: array[rows] for name, array in read_block(folder, block).params.items()})
    return np.array(sorted(wanted)), {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def as_numpy(tree: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {name: np.asarray(leaf) for name, leaf in tree.items()}


def checksum(*trees: Arrays) -> str:
    """A digest of names, shapes and bytes of arrays."""
    state = blake2b(digest_size=16)
    for tree in trees:
        for name in sorted(tree):
            array = np.ascontiguousarray(tree[name])
            state.update(f"{name}{array.dtype}{array.shape}".encode())
            state.update(array.tobytes())
    return state.hexdigest()
