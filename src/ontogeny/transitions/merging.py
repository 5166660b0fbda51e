"""Join events that are one transition although their intervals differ."""

from collections.abc import Sequence

from ontogeny.trajectory import Axis
from ontogeny.transitions.events import Event, Intervals
from ontogeny.transitions.levels import Curves, changes_across
from ontogeny.transitions.matching import clearness, coincide
from ontogeny.transitions.naming import Rule, name_with_reasons
from ontogeny.transitions.records import UNNAMED


def merged(events: Sequence[Event], curves: Curves, rules: Sequence[Rule], passages: Intervals, axis: Axis) -> list[Event]:
    """Return the events in order, with those that belong together joined.

    Events of one name that overlap are joined: two heads may form a little apart. An event without a name joins the event that
    it coincides with, as its precursor or aftermath. So does one that overlaps a named event in which the same curves move: λ̂
    may dip at a passage before it rises.
    """
    changes = {event: changes_across(event, events, curves, passages) for event in events}
    names = {event: name_with_reasons(changes[event], curves, event.observables, rules)[0] for event in events}
    homes: list[tuple[str, Event]] = []
    for event in sorted(events, key=lambda event: (names[event] != UNNAMED, clearness(event.passages[0])), reverse=True):
        matches = (number for number, (name, home) in enumerate(homes) if belongs(event, names[event], home, name, axis))
        index = next(matches, None)
        if index is None:
            homes.append((names[event], event))
        else:
            name, home = homes[index]
            homes[index] = (name, Event((*home.passages, *event.passages)))
    return sorted((event for _, event in homes), key=lambda event: event.location)


def belongs(event: Event, name: str, home: Event, home_name: str, axis: Axis) -> bool:
    """Return whether an event is part of one that is at least as clear."""
    if name != UNNAMED:
        return name == home_name and event.start <= home.end and home.start <= event.end
    moves_again = home_name != UNNAMED and event.curves <= home.curves
    return coincide(event, home, axis) or (moves_again and event.start < home.end and home.start < event.end)
