"""Read the results of a run in Python: its tables, its draws, the parameters at its checkpoints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ontogeny.pipeline.files import ResultError, read_json, read_parquet, read_result
from ontogeny.pipeline.pictures import Recording, read_recordings
from ontogeny.transitions.records import Development, read_record

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True)
class Run:
    """The results of one run; each is read when it is first asked for.

    Attributes:
        folder: `results/FAMILY/VARIANT/seed~N`.

    Raises:
        ResultError: when something is read that is missing or damaged; the text names the file.
    """

    folder: Path

    @cached_property
    def about(self) -> Mapping[str, Any]:
        """The content of run.json: the kept steps, the axis, the number of parameters, the digest of the run."""
        return read_json(self.folder / "run.json")

    @property
    def steps(self) -> list[int]:
        """The steps at which parameters are kept."""
        return list(self.about["steps"])

    @cached_property
    def trajectory(self) -> pd.DataFrame:
        """A row for each checkpoint, observable and component (`ontogeny.trajectory.schema`)."""
        return read_parquet(self.folder / "trajectory.parquet")

    @cached_property
    def training(self) -> pd.DataFrame:
        """A row for each kept step: step, loss, learning_rate, gradient_norm."""
        return read_parquet(self.folder / "training.parquet")

    @cached_property
    def llc(self) -> pd.DataFrame:
        """A row for each sampled step and component: λ̂, its standard error, the checks of its chains."""
        return read_parquet(self.folder / "health.parquet")

    @cached_property
    def transitions(self) -> Development:
        """The content of transitions.json: candidates with their evidence, stages, boundaries."""
        return read_record(Development, self.folder / "transitions.json")

    @cached_property
    def draws(self) -> "xarray.DataTree":
        """The draws of each component, `draws["network"]` those of the whole network, in the order of the steps."""
        import xarray

        def read(folder: Path) -> "xarray.DataTree":
            with xarray.open_datatree(folder, engine="zarr", consolidated=False) as tree:
                return tree.map_over_datasets(lambda group: group.sortby("step") if "step" in group else group).load()

        return read_result(self.folder / "draws", read)

    @cached_property
    def pictures(self) -> Mapping[str, Recording]:
        """What the pictures of the network are drawn from, by their kind: arrays at some of the kept steps."""
        return read_recordings(self.folder)

    def params(self, steps: int | Sequence[int]) -> dict[str, np.ndarray]:
        """Return the parameters at a step, by dotted path; at several steps, with a leading axis of checkpoints.

        Raises:
            CheckpointError: there is no checkpoint at one of the steps.
        """
        from ontogeny.checkpoints.blocks import read

        wanted = [steps] if isinstance(steps, int) else sorted(steps)
        arrays = read(self.folder / "checkpoints", wanted)[1]
        return {name: array[0] if isinstance(steps, int) else array for name, array in arrays.items()}


def load_run(folder: str | Path) -> Run:
    """Return the results of a run.

    Args:
        folder: `results/FAMILY/VARIANT/seed~N`.

    Raises:
        ResultError: there is no run in the folder.
    """
    path = Path(folder)
    if not (path / "run.json").is_file():
        raise ResultError(f"{path} holds no run: it has no run.json. A run's folder is results/FAMILY/VARIANT/seed~N")
    return Run(path)
