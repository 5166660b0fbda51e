"""`pictures.npz` of a run: the arrays that its pictures are drawn from, at some of its checkpoints."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ontogeny.pipeline.files import read_result, replace_file

FILE = "pictures.npz"
STEPS = "steps"
ALONG, CONSTANT = "along", "constant"
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What was recorded for one kind of picture.

    Attributes:
        kind: a module of `pictures/`, or `path/to/file.py:name`.
        steps: the C recorded checkpoints, increasing.
        along: name -> array [C, ...].
        constant: name -> array that is the same at every checkpoint.
    """

    kind: str
    steps: tuple[int, ...]
    along: Arrays
    constant: Arrays


def write_recordings(path: Path, recordings: list[Recording]) -> None:
    """Write what was recorded of a run; all recordings have the same steps."""
    arrays = {
        f"{recording.kind}/{part}/{name}": array
        for recording in recordings
        for part, group in ((ALONG, recording.along), (CONSTANT, recording.constant))
        for name, array in group.items()
    }

    def write(unfinished: Path) -> None:
        with unfinished.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **{STEPS: np.asarray(recordings[0].steps), **arrays})

    replace_file(path, write)


def read_recordings(folder: Path) -> dict[str, Recording]:
    """Return kind -> what was recorded of the run in `folder`; nothing where it has no pictures.

    Raises:
        ResultError: the file is damaged.
    """
    path = folder / FILE
    return read_result(path, recordings_in) if path.is_file() else {}


def recordings_in(path: Path) -> dict[str, Recording]:
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    steps = tuple(arrays.pop(STEPS).tolist())
    named = {tuple(key.rsplit("/", 2)): array for key, array in arrays.items()}

    def group(kind: str, part: str) -> dict[str, np.ndarray]:
        return {name: array for (of, which, name), array in named.items() if (of, which) == (kind, part)}

    kinds = dict.fromkeys(kind for kind, _, _ in named)
    return {kind: Recording(kind=kind, steps=steps, along=group(kind, ALONG), constant=group(kind, CONSTANT)) for kind in kinds}
