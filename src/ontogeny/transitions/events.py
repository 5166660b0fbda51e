"""Group the passages of several curves that coincide: each group is one transition of the run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ontogeny.trajectory import Axis
from ontogeny.transitions.matching import clearness, coincide
from ontogeny.transitions.records import Evidence

CurveName = tuple[str, str]
Intervals = Mapping[CurveName, Sequence[tuple[float, float]]]
"""Start and end, in units of the axis, of the passages that were detected in each curve."""


@dataclass(frozen=True, eq=False)
class Event:
    """Passages that are one transition, the clearest first.

    The event lies at the median of the passages. Its start and end are medians, rounded outwards to a checkpoint.
    """

    passages: tuple[Evidence, ...]

    @property
    def start(self) -> float:
        return float(np.quantile([passage.start for passage in self.passages], 0.5, method="lower"))

    @property
    def location(self) -> float:
        return float(np.median([passage.location for passage in self.passages]))

    @property
    def end(self) -> float:
        return float(np.quantile([passage.end for passage in self.passages], 0.5, method="higher"))

    @property
    def located_within(self) -> tuple[float, float]:
        """The medians of the ends of the 95% intervals of the passages' locations; the location lies between them."""
        low, high = ([getattr(passage, f"location_{end}") for passage in self.passages] for end in ("low", "high"))
        return float(np.median(low)), float(np.median(high))

    @property
    def observables(self) -> set[str]:
        return {passage.observable for passage in self.passages}

    @property
    def curves(self) -> set[CurveName]:
        return {passage.curve for passage in self.passages}

    def interval(self, curve: CurveName) -> tuple[float, float]:
        """Return the event's interval, widened to the passages that the curve itself makes in it."""
        own = [passage for passage in self.passages if passage.curve == curve]
        return min([self.start, *(passage.start for passage in own)]), max([self.end, *(passage.end for passage in own)])


def group(passages: Sequence[Evidence], axis: Axis) -> list[Event]:
    """Return the transitions of a run in order: the clearest passage gathers those that coincide with it, then the next clearest.

    A passage is compared with the clearest one of a group alone, so that a chain of overlaps does not join a whole run.
    """
    groups: list[list[Evidence]] = []
    for passage in sorted(passages, key=clearness, reverse=True):
        home = next((members for members in groups if coincide(members[0], passage, axis)), None)
        if home is None:
            groups.append([passage])
        else:
            home.append(passage)
    return sorted((Event(tuple(members)) for members in groups), key=lambda event: event.location)


def intervals_of(passages: Sequence[Evidence]) -> Intervals:
    """Return the passages of each curve."""
    intervals: dict[CurveName, list[tuple[float, float]]] = {}
    for passage in passages:
        intervals.setdefault(passage.curve, []).append((passage.start, passage.end))
    return intervals


def window(event: Event, events: Sequence[Event], curve: CurveName, passages: Intervals) -> tuple[float, float, float, float]:
    """Return a curve's interval of an event, and how far before and after it the curve's levels may be read.

    Levels are read up to the next event, and up to the next passage of the curve itself, whether or not that is an event. A
    curve's own interval may begin before an event that ends within it, so the neighbours are those of the curve's own interval.
    """
    start, end = event.interval(curve)
    others = [*((other.start, other.end) for other in events), *passages.get(curve, ())]
    earliest = max([last for _, last in others if last <= start], default=-np.inf)
    latest = min([first for first, _ in others if first >= end], default=np.inf)
    return start, end, earliest, latest
