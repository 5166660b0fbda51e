"""Words for places on the axis that a page shows: training steps, or the values of a key that a family sweeps.

The tables of a page hold these places in the column `step`, whatever the axis is called.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pandas as pd

from ontogeny.report.numbers import number, step
from ontogeny.trajectory import STEPS, Axis, axis_of

SHOWN: ContextVar[Axis] = ContextVar("SHOWN", default=STEPS)
LOG_TITLE = "logarithmic"


@contextmanager
def given_axis(axis: Axis) -> Iterator[None]:
    """Let the words of a page be those of an axis."""
    token = SHOWN.set(axis)
    try:
        yield
    finally:
        SHOWN.reset(token)


def axis_shown(trajectory: pd.DataFrame) -> Axis:
    """Return the axis of a trajectory; steps where nothing was measured."""
    return STEPS if trajectory.empty else axis_of(trajectory)


def in_steps(frame: pd.DataFrame, axis: Axis) -> pd.DataFrame:
    """Return a table with the places on its axis in the column `step`, as the plots and the words read it."""
    return frame if axis == STEPS else frame.rename(columns={axis.name: STEPS.name})


def is_steps() -> bool:
    return SHOWN.get() == STEPS


def spelt(value: Any) -> str:
    """Return a place as text: 12,500; 0.45 on an axis that is not that of steps."""
    return step(value) if is_steps() else number(value)


def at(value: Any) -> str:
    """Return a place with the name of the axis: 'step 700' or 'points = 700'."""
    return called(spelt(value))


def called(text: str) -> str:
    """Return places that are text already, with the name of the axis: 'step 700', 'points = 40 and 100'."""
    return f"step {text}" if is_steps() else f"{SHOWN.get().unit} = {text}"


def noun() -> str:
    """Return what the axis counts: 'step' or 'points'."""
    return "step" if is_steps() else SHOWN.get().unit


def plural() -> str:
    return "steps" if is_steps() else SHOWN.get().unit


def between(start: Any, end: Any) -> str:
    """Return two places: 'Between steps 600 and 800' or 'Between points = 20 and 40'."""
    return f"Between {'steps ' if is_steps() else called('')}{spelt(start)} and {spelt(end)}"


def extent(places: Any) -> str:
    """Return how far a trajectory goes: '2,000 steps' or 'points = 3 to 3,000'."""
    low, high = (min(places), max(places)) if len(places) else (0, 0)
    return f"{step(high)} steps" if is_steps() else called(f"{spelt(low)} to {spelt(high)}")


def for_scripts(places: Any) -> dict[str, Any]:
    """Return what the scripts of a page say of the axis and add to its values before the logarithm."""
    axis, shift = SHOWN.get(), 0 if SHOWN.get().scale == "log" else 1
    title = f"{noun()}{' + 1' if shift else ''} ({LOG_TITLE})"
    equals = "step " if is_steps() else f"{axis.unit} = "
    return {"name": noun(), "title": title, "equals": equals, "shift": shift, "first": float(min(places)) if len(places) else 0}
