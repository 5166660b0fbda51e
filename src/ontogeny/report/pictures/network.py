"""The pictures of the network on the page of a run and on the page of a family."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from ontogeny.config.pictures import PictureCard
from ontogeny.pipeline.files import read_parquet
from ontogeny.pipeline.pictures import Recording, read_recordings
from ontogeny.report.numbers import step
from ontogeny.report.pictures import attention, features, fourier, own, singular_values, token_losses
from ontogeny.report.pictures.film import Film, Picture, changed, framed, place_after, place_before, run_picture
from ontogeny.report.words import title_of
from ontogeny.transitions.records import UNNAMED, Agreement, Candidate, Consensus, Development

KINDS = {
    "features": features,
    "attention": attention,
    "token_losses": token_losses,
    "fourier": fourier,
    "singular_values": singular_values,
}
"""The built-in kinds, in the order in which a page shows them."""
MOST_EVENTS = 2
"""The most transitions of a variant whose two sides the page of the family shows."""


def network_pictures(
    folder: Path, development: Development | None = None, cards: Mapping[str, PictureCard] | None = None
) -> list[Picture]:
    """Return the pictures of a run; none where nothing was recorded.

    Args:
        folder: of the run, with `pictures.npz` and `trajectory.parquet`.
        development: the candidates whose two sides are shown; None where no transition was looked for.
        cards: name -> card of the user's own pictures.

    Raises:
        ResultError: a file is missing or damaged.
    """
    recordings = read_recordings(folder)
    if not recordings:
        return []
    trajectory = read_parquet(folder / "trajectory.parquet")
    pictures: list[Picture] = []
    for kind in ordered(recordings):
        pictures += [run_picture(film, development) for film in films_of(recordings[kind], cards or {})]
        if stills := getattr(KINDS.get(kind), "stills", None):
            pictures += stills(recordings[kind], trajectory, development)
    return pictures


def ordered(recordings: Mapping[str, Recording]) -> list[str]:
    """Return the kinds that were recorded: the built-in ones in the order of `KINDS`, then the user's own."""
    return [kind for kind in KINDS if kind in recordings] + [kind for kind in recordings if kind not in KINDS]


def films_of(recording: Recording, cards: Mapping[str, PictureCard]) -> list[Film]:
    return KINDS[recording.kind].films(recording) if recording.kind in KINDS else own.films(recording, cards)


def family_pictures(
    folder: Path,
    developments: Mapping[tuple[str, int], Development],
    consensus: Mapping[str, Consensus],
    cards: Mapping[str, PictureCard] | None = None,
) -> list[Picture]:
    """Return the pictures of the runs of a family, the seeds of a variant below each other at the same steps.

    Args:
        folder: of the family.
        developments: (variant, seed) -> the transitions of the run.
        consensus: variant -> what its seeds agree on.
        cards: name -> card of the user's own pictures.

    Raises:
        ResultError: a file is damaged.
    """
    films: dict[str, dict[tuple[str, int], Film]] = {}
    for run in developments:
        recordings = read_recordings(folder / run[0] / f"seed~{run[1]}")
        for kind in ordered(recordings):
            for film in films_of(recordings[kind], cards or {}):
                films.setdefault(film.title, {})[run] = film
    return [family_picture(of_runs, developments, consensus) for of_runs in films.values()]


def family_picture(
    films: Mapping[tuple[str, int], Film],
    developments: Mapping[tuple[str, int], Development],
    consensus: Mapping[str, Consensus],
) -> Picture:
    """Return a picture of all runs: a heading and rows of seeds for each variant."""
    variants = dict.fromkeys(variant for variant, _ in films)
    parts = []
    for variant in variants:
        own_films = {seed: film for (of, seed), film in sorted(films.items()) if of == variant}
        heading = f"<h4>{escape(variant)}</h4>" if len(variants) > 1 else ""
        parts.append(heading + seeds_side_by_side(own_films, events(variant, developments, consensus), variant))
    first = next(iter(films.values()))
    return Picture(title=first.title, caption=first.caption, html="".join(parts))


def seeds_side_by_side(films: Mapping[int, Film], passages: Sequence[tuple[str, float, float]], variant: str) -> str:
    """Return the rows of all seeds of a variant; text, which takes much room, is folded."""
    rows = "".join(seed_row(seed, film, passages) for seed, film in films.items())
    if any(film.change is not None for film in films.values()):
        return (
            f"<details><summary>{len(films)} seed{'s' if len(films) > 1 else ''} of {escape(variant)}</summary>{rows}</details>"
        )
    names = "; ".join(f"{title}, steps {step(low)} to {step(high)}" for title, low, high in passages)
    note = f"Between start and end: before and after {names}, from the first seed to the last." if names else ""
    return f'<div class="seeds-side">{rows}</div>' + (f'<p class="numbers">{escape(note)}</p>' if note else "")


def events(
    variant: str, developments: Mapping[tuple[str, int], Development], consensus: Mapping[str, Consensus]
) -> list[tuple[str, float, float]]:
    """Return the named transitions that most seeds of a variant make, as (title, first start, last end), in order of time."""
    agreed = [row for row in consensus[variant].transitions if row.name != UNNAMED] if variant in consensus else []
    most = sorted(agreed, key=lambda row: (-len(row.seeds), row.location_median))[:MOST_EVENTS]
    candidates = [one for (of, _), run in developments.items() if of == variant for one in run.candidates]
    return [(title_of(row), *extent(row, candidates)) for row in sorted(most, key=lambda row: row.location_median)]


def extent(row: Agreement, candidates: Sequence[Candidate]) -> tuple[float, float]:
    """Return from where to where the seeds pass a transition."""
    own = [one for one in candidates if one.name == row.name]
    return min([row.location_low, *(one.start for one in own)]), max([row.location_high, *(one.end for one in own)])


def seed_row(seed: int, film: Film, passages: Sequence[tuple[str, float, float]]) -> str:
    """Return the frames of a seed at the start, before and after each passage, and at the end; or its changes across them."""
    last = len(film.steps) - 1
    bounds = [(title, place_before(film.steps, low), place_after(film.steps, high)) for title, low, high in passages]
    name = f"<h5>seed {seed}</h5>"
    if film.change is not None:
        whole = [("all of training", 0, last)]
        return name + "".join(changed(film, film.change, title, low, high) for title, low, high in bounds or whole)
    places = sorted({0, last, *(place for _, *pair in bounds for place in pair)} | ({last // 2} if not bounds else set()))
    frames = "".join(framed(film, place) for place in places)
    label = escape(f"{film.title} of seed {seed}")
    strip = f'<div class="strip" style="--frame:{film.width}px">{frames}</div>'
    return f'<div class="seed" tabindex="0" role="region" aria-label="{label}">{name}{strip}</div>'
