"""A film: a picture of the network at every recorded checkpoint, and the checkpoints that a page shows of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from ontogeny.report.numbers import step
from ontogeny.report.pictures.drawing import Span
from ontogeny.report.words import is_named, title_of
from ontogeny.transitions.records import Candidate, Development

MOST_CANDIDATES = 5
"""The most candidates whose two sides a strip shows; those with a name and then the clearest are taken first."""

NARROW = 200
"""Frames up to this width leave room for the strip beside the slider, on a wide page."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture of a page: its title, a sentence on what is seen and how to read it, and its HTML."""

    title: str
    caption: str
    html: str


@dataclass(frozen=True, kw_only=True)
class Film:
    """A picture of the network at every recorded checkpoint.

    Attributes:
        steps: the recorded checkpoints, increasing.
        frames: SVG or HTML of each.
        words: what each frame shows, for its caption and for those who do not see it.
        width: of a frame in the strip, in pixels of the page.
        change: (place, later place) -> HTML of what changed between two frames; where given, strips show it in place of frames.
        more: HTML below the slider that is the same at every step.
    """

    title: str
    caption: str
    steps: Sequence[int]
    frames: Sequence[str]
    words: Sequence[str]
    width: int
    change: Callable[[int, int], str] | None = None
    more: str = ""


@dataclass(frozen=True, kw_only=True)
class Side:
    """A frame of a strip: its place among the recorded checkpoints, and its caption, such as "before 4-gon → 5-gon"."""

    place: int
    caption: str


def place_before(steps: Sequence[int], at: float) -> int:
    """Return the place of the last recorded checkpoint that is not after `at`; 0 where there is none."""
    return max((place for place, one in enumerate(steps) if one <= at), default=0)


def place_after(steps: Sequence[int], at: float) -> int:
    """Return the place of the first recorded checkpoint that is not before `at`; the last place where there is none."""
    return min((place for place, one in enumerate(steps) if one >= at), default=len(steps) - 1)


def shown_candidates(development: Development | None) -> list[tuple[int, Candidate]]:
    """Return at most `MOST_CANDIDATES` candidates with their numbers on the page, in order: the named, then the clearest."""
    numbered = list(enumerate(development.candidates if development else (), 1))
    best = sorted(numbered, key=lambda pair: (not is_named(pair[1]), pair[1].q_value, pair[1].start))
    return sorted(best[:MOST_CANDIDATES], key=lambda pair: pair[0])


def spans(steps: Sequence[int], development: Development | None) -> list[Span]:
    """Return the checkpoints within each candidate that is shown."""
    inside = [
        (number, [place for place, one in enumerate(steps) if candidate.start <= one <= candidate.end])
        for number, candidate in shown_candidates(development)
    ]
    return [Span(name=str(number), first=places[0], last=places[-1]) for number, places in inside if places]


def sides(steps: Sequence[int], development: Development | None) -> list[Side]:
    """Return the frames of a strip: the first, those on either side of every candidate that is shown, and the last."""
    captions: dict[int, list[str]] = {0: ["start"]}
    for number, candidate in shown_candidates(development):
        captions.setdefault(place_before(steps, candidate.start), []).append(f"before {number}")
        captions.setdefault(place_after(steps, candidate.end), []).append(f"after {number}")
    captions.setdefault(len(steps) - 1, []).append("end")
    return [Side(place=place, caption=", ".join(captions[place])) for place in sorted(captions)]


def run_picture(film: Film, development: Development | None) -> Picture:
    """Return a film as it stands on the page of a run: the slider, and below it the strip."""
    html = slider(film) + f'<div class="beside">{strip(film, development)}</div>'
    narrow = " narrow" if film.width <= NARROW else ""
    return Picture(
        title=film.title, caption=film.caption, html=f'<div class="both{narrow}" style="--of:{film.width}px">{html}</div>'
    )


def slider(film: Film) -> str:
    """Return the last frame with a slider that `templates/pictures.js` moves; without JavaScript the frame stands alone."""
    last = len(film.steps) - 1
    templates = "".join(
        f'<template data-step="{one}" data-words="{escape(words)}">{frame}</template>'
        for one, frame, words in zip(film.steps, film.frames, film.words, strict=True)
    )
    title = escape(film.title)
    return (
        f'<div class="film" style="--frame:{film.width}px">'
        f'<div class="stage" role="img" aria-label="{title} at step {step(film.steps[last])}: {escape(film.words[last])}">'
        f"{film.frames[last]}</div>"
        f'<p class="scrub"><button type="button" class="play" aria-label="Play {title}">▶</button>'
        f'<input type="range" min="0" max="{last}" value="{last}" aria-label="Step of {title}" '
        f'aria-valuetext="step {step(film.steps[last])}">'
        f"<output><b>step {step(film.steps[last])}</b> <span>{escape(film.words[last])}</span></output></p>"
        f"{film.more}{templates}</div>"
    )


def strip(film: Film, development: Development | None) -> str:
    """Return small multiples around the candidates, with their names where they have any."""
    if film.change is not None:
        return changes(film, film.change, development)
    frames = "".join(framed(film, side.place, side.caption) for side in sides(film.steps, development))
    return f'<div class="strip" style="--frame:{film.width}px">{frames}</div>{numbers_in_words(development)}'


def framed(film: Film, place: int, caption: str = "") -> str:
    """Return a frame with its step and words below it."""
    at, words = step(film.steps[place]), escape(film.words[place])
    label = escape(f"{film.title} at step {at}: ") + words
    note = f'<span class="side">{escape(caption)}</span>' if caption else ""
    return (
        f'<figure><div role="img" aria-label="{label}">{film.frames[place]}</div>'
        f"<figcaption><b>step {at}</b>{note}<span>{words}</span></figcaption></figure>"
    )


def changes(film: Film, change: Callable[[int, int], str], development: Development | None) -> str:
    """Return what changed across every candidate that is shown; across all of training where there is none."""
    rows = [
        (f"{number} · {title_of(candidate)}", place_before(film.steps, candidate.start), place_after(film.steps, candidate.end))
        for number, candidate in shown_candidates(development)
    ] or [("all of training", 0, len(film.steps) - 1)]
    return "".join(changed(film, change, name, before, after) for name, before, after in rows)


def changed(film: Film, change: Callable[[int, int], str], name: str, before: int, after: int) -> str:
    heading = f"Change across {name}, steps {step(film.steps[before])} to {step(film.steps[after])}"
    return f'<div class="change"><h4>{escape(heading)}</h4>{change(before, after)}</div>'


def numbers_in_words(development: Development | None) -> str:
    """Return what the numbers of the strip stand for; "" without candidates."""
    shown = shown_candidates(development)
    if not shown:
        return ""
    names = "; ".join(f"{number}: {title_of(candidate)}" for number, candidate in shown)
    more = len(development.candidates if development else ()) - len(shown)
    rest = f"; {more} less clear candidate{'s' if more > 1 else ''} left out" if more else ""
    return f'<p class="numbers">{escape(names + rest)}.</p>'
