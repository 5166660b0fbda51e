"""When two intervals are the same transition, and which of them shows it more clearly."""

from typing import Protocol

import numpy as np

from ontogeny.trajectory import Axis

OVERLAP = 0.5
"""The share of the shorter of two intervals, along the axis, that both must cover to be one transition."""


class Interval(Protocol):
    """Anything with a start and an end in the unit of the axis."""

    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...


class Tested(Protocol):
    """Anything with a change, its standard error and a p-value."""

    @property
    def p_value(self) -> float: ...
    @property
    def change(self) -> float: ...
    @property
    def change_standard_error(self) -> float: ...


def coincide(first: Interval, second: Interval, axis: Axis) -> bool:
    """Return whether two intervals share half of the shorter one, on the scale of the axis."""
    start, end = max(first.start, second.start), min(first.end, second.end)
    shorter = min(length(interval.start, interval.end, axis) for interval in (first, second))
    return end > start and length(start, end, axis) >= OVERLAP * shorter


def length(start: float, end: float, axis: Axis) -> float:
    """Return the length of an interval on the scale of the axis."""
    return float(axis.position(end) - axis.position(start))


def clearness(passage: Tested) -> tuple[float, float]:
    """Return a key that sorts passages by p-value and, at equal p-values, by their change in standard errors."""
    return -passage.p_value, abs(passage.change) / max(passage.change_standard_error, np.finfo(float).tiny)
