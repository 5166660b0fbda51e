"""Record what the pictures of a network are drawn from, at some of its checkpoints, into `pictures.npz`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from ontogeny.errors import SpecificationError
from ontogeny.pipeline.pictures import FILE, Recording, write_recordings
from ontogeny.problem.problem import Problem
from ontogeny.training.schedule import sampled_steps

MOST_CHECKPOINTS = 60
LARGEST = 2**21
"""The most bytes of all arrays of a run; the file is compressed, to about half of them."""
LARGEST_SHARE = 2
"""A run has at least this many checkpoints, so that one may take at most this share of the bytes."""

Record = Callable[[Path, Sequence[int], Mapping[str, np.ndarray]], list[Path]]


def picture_recorder(problem: Problem) -> Record:
    """Return the function (folder of a run, its steps, parameters [C, ...]) -> the files that it wrote, at most one.

    The steps are spread evenly over the order of the checkpoints, the first and the last among them. One compiled program
    serves all runs and takes one checkpoint at a time, so that only the parameters of one are on the device.
    """
    along = {kind: {name: one for name, one in parts.items() if callable(one)} for kind, parts in problem.pictures.items()}

    @jax.jit
    def measure(params: Any) -> dict[str, dict[str, Any]]:
        return {kind: {name: function(params) for name, function in parts.items()} for kind, parts in along.items()}

    def record(folder: Path, steps: Sequence[int], params: Mapping[str, np.ndarray]) -> list[Path]:
        path = folder / FILE
        if not along:
            path.unlink(missing_ok=True)
            return []

        def at(place: int) -> dict[str, np.ndarray]:
            return {name: array[place] for name, array in params.items()}

        places = sampled_steps(range(len(steps)), count_for(jax.eval_shape(measure, at(0))))
        frames = [jax.tree.map(np.asarray, measure(at(place))) for place in places]
        stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *frames)
        write_recordings(path, recordings(problem, [int(steps[place]) for place in places], stacked))
        return [path]

    return record


def count_for(shapes: Mapping[str, Mapping[str, jax.ShapeDtypeStruct]]) -> int:
    """Return how many checkpoints are recorded, from the arrays of one.

    Raises:
        SpecificationError: an array of the user's is not one to draw, or those of one checkpoint are too large.
    """
    for kind, parts in shapes.items():
        for name, shape in parts.items():
            if ".py:" in kind and not 1 <= len(getattr(shape, "shape", ())) <= 2:
                axes = f"the shape {shape.shape}" if hasattr(shape, "shape") else f"the type {type(shape).__name__}"
                raise SpecificationError(f"pictures {kind}: {name} has {axes}; a picture is an array with one axis or two")
    size = sum(shape.size * shape.dtype.itemsize for parts in shapes.values() for shape in parts.values())
    if size > LARGEST // LARGEST_SHARE:
        kinds = ", ".join(shapes)
        raise SpecificationError(
            f"pictures {kinds}: a checkpoint takes {size:,} bytes; all together may take {LARGEST // LARGEST_SHARE:,}"
        )
    return min(MOST_CHECKPOINTS, LARGEST // max(size, 1))


def recordings(problem: Problem, steps: list[int], stacked: Mapping[str, Mapping[str, np.ndarray]]) -> list[Recording]:
    """Return what was recorded, by kind, with the arrays that are the same at every checkpoint."""
    return [
        Recording(
            kind=kind,
            steps=tuple(steps),
            along=stacked[kind],
            constant={name: np.asarray(one) for name, one in parts.items() if not callable(one)},
        )
        for kind, parts in problem.pictures.items()
    ]
