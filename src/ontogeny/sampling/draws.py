"""Draws of the local posterior, and how they are kept: a Zarr group for each component, readable as an `xarray.DataTree`.

The arrays of a group have the axis of checkpoints first, and a chunk for each checkpoint. Rows are added as checkpoints are
sampled; the coordinate `step`, written last, says which rows are whole, so that an interrupted job goes on where it stopped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from jaxtyping import Float, Int

if TYPE_CHECKING:
    import zarr

WHOLE_NETWORK = ""
GROUP_OF_NETWORK = "network"
"""The group of the whole network, whose component has no name."""
ROWS = 1024
"""Rows in a chunk of an array that holds a number or a few for each checkpoint."""
DIMENSIONS = {
    "loss_difference": ("step", "chain", "draw"),
    "baseline": ("step",),
    "gradient_norm": ("step",),
    "first_order": ("step", "chain"),
    "per_example_loss": ("step", "chain", "kept_draw", "example"),
}
MEANINGS = {
    "loss_difference": "L_b(w) - L_b(w*) on the batch b of the draw; NaN where the chain is dead",
    "baseline": "L_n(w*)",
    "gradient_norm": "|∇L_n(w*)| in the directions that chains may move in",
    "first_order": "mean over the draws of ∇L_n(w*)·(w - w*)",
    "per_example_loss": "loss of each example at every `thin`-th draw",
}
STORED_AS = {
    "values": "loss_difference",
    "baseline": "baseline",
    "gradient_norm": "gradient_norm",
    "first_order": "first_order",
}
SETTINGS = ("inverse_temperature", "localization", "n", "batch_size", "dimension")


@dataclass(frozen=True, kw_only=True)
class Draws:
    """What the chains around K checkpoints saw.

    Attributes:
        values: L_b(w) - L_b(w*), read before the step that uses batch b; NaN where the chain is dead. Burn-in excluded.
        baseline: L_n(w*) on the full data.
        gradient_norm: |∇L_n(w*)| on the full data, within the mask: 0 at a minimum.
        first_order: mean of ∇L_n(w*)·(w - w*) over the draws of each chain: the part of E[L(w)] - L(w*) that there
            would not be at a minimum.
        inverse_temperature: nβ.
        localization: γ.
        n: the number of examples, None for a potential.
        batch_size: examples of one step, None for all.
        dimension: the number of directions that chains may move in.
        steps: the checkpoints' labels.
        collected: what each function of `collect` returned, with leading axes [K, chains, ⌈draws / thin⌉].
    """

    values: Float[np.ndarray, "checkpoints chains draws"]
    baseline: Float[np.ndarray, " checkpoints"]
    gradient_norm: Float[np.ndarray, " checkpoints"]
    first_order: Float[np.ndarray, "checkpoints chains"]
    inverse_temperature: float
    localization: float
    n: int | None
    batch_size: int | None = None
    dimension: int
    steps: Int[np.ndarray, " checkpoints"]
    collected: Mapping[str, Any] = field(default_factory=dict)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays with an axis of checkpoints, by their names on disk; those collected are among them."""
        own = {stored: getattr(self, name) for name, stored in STORED_AS.items()}
        return {name: np.asarray(array) for name, array in {**own, **self.collected}.items()}

    def first(self, count: int) -> "Draws":
        """Return the draws around the first `count` checkpoints, as NumPy arrays."""
        own = {name: np.asarray(getattr(self, name))[:count] for name in (*STORED_AS, "steps")}
        return replace(self, **own, collected={name: np.asarray(array)[:count] for name, array in self.collected.items()})


def group_name(component: str) -> str:
    return component or GROUP_OF_NETWORK


def open_root(folder: Path, mode: Literal["r", "a"]) -> "zarr.Group":
    """Open the group that holds those of all components."""
    import zarr  # calibration and the library draw without it

    return zarr.open_group(folder, mode=mode)


def open_for_writing(folder: Path, component: str, digest: str, attributes: Mapping[str, Any]) -> "zarr.Group":
    """Return the group of a component to add draws to; what was made by another digest is removed first.

    Args:
        digest: of all that the draws of one checkpoint depend on.
        attributes: written with the group, beside the settings of the draws.
    """
    root = open_root(folder, "a")
    name = group_name(component)
    if name in root and root[name].attrs.get("digest") != digest:
        del root[name]
    group = root.require_group(name)
    group.update_attributes({**attributes, "component": component, "digest": digest})
    return group


def remove_others(folder: Path, components: Sequence[str]) -> None:
    """Remove the groups of all components but these."""
    root = open_root(folder, "a")
    for name in set(root.group_keys()) - {group_name(component) for component in components}:
        del root[name]


def stored_steps(group: "zarr.Group") -> list[int]:
    """Return the steps whose draws are whole, in the order in which they were added."""
    return np.asarray(array_of(group, "step")[:]).tolist() if "step" in group else []


def array_of(group: "zarr.Group", name: str) -> "zarr.Array":
    """Return an array of a group."""
    return cast("zarr.Array", group[name])


def append(group: "zarr.Group", draws: Draws) -> None:
    """Add the draws around further checkpoints; `step` is written last."""
    rows, added = len(stored_steps(group)), len(draws.steps)
    group.update_attributes({name: getattr(draws, name) for name in SETTINGS})
    for name, array in {**draws.arrays, "step": np.asarray(draws.steps, np.int64)}.items():
        if name not in group:
            create(group, name, array)
        stored = array_of(group, name)
        stored.resize((rows + added, *array.shape[1:]))
        stored[rows:] = array


def create(group: "zarr.Group", name: str, array: np.ndarray) -> None:
    """Make an empty array of the group for rows like those of `array`."""
    is_large = array.ndim > 2
    group.create_array(
        name,
        shape=(0, *array.shape[1:]),
        chunks=(1 if is_large else ROWS, *array.shape[1:]),
        dtype=array.dtype,
        dimension_names=DIMENSIONS.get(name, ("step", *(f"{name}_{axis}" for axis in range(1, array.ndim)))),
        chunk_key_encoding={"name": "default", "separator": "."},
        fill_value=np.nan if array.dtype.kind == "f" else 0,
        attributes={"long_name": MEANINGS[name]} if name in MEANINGS else {},
    )


def components(folder: Path) -> list[str]:
    """Return the components of which there are draws, the whole network first."""
    root = open_root(folder, "r")
    return sorted(str(group.attrs["component"]) for _, group in root.groups())


def read(folder: Path, component: str, steps: Sequence[int]) -> tuple[Draws, Mapping[str, Any]]:
    """Return the draws of a component around some checkpoints, and the attributes of its group.

    Raises:
        KeyError: there are no draws of the component, or not around one of the checkpoints.
    """
    group = cast("zarr.Group", open_root(folder, "r")[group_name(component)])
    place = {step: row for row, step in enumerate(stored_steps(group))}
    rows = np.array([place[step] for step in steps])
    arrays = {name: np.asarray(array[:])[rows] for name, array in group.arrays() if name != "step"}
    attributes: dict[str, Any] = dict(group.attrs)
    settings: dict[str, Any] = {name: attributes.pop(name) for name in SETTINGS}
    own: dict[str, Any] = {name: arrays.pop(stored) for name, stored in STORED_AS.items()}
    return Draws(**own, **settings, steps=np.asarray(steps), collected=arrays), attributes
