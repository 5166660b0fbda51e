"""Draw the picture of the README: the feature vectors of a run above its loss and λ̂.

    python -m benchmarks.readme_picture results/superposition/base/seed~0 docs/images/superposition.svg

The SVG follows the reader's light or dark theme.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd

from ontogeny.pipeline.files import write_text
from ontogeny.pipeline.pictures import read_recordings
from ontogeny.report.numbers import number, step
from ontogeny.report.pictures.drawing import COLOURS
from ontogeny.report.pictures.features import films
from ontogeny.report.pictures.film import Film, place_before, sides
from ontogeny.report.plots import BAND
from ontogeny.report.tables import LLC, curve, failed, finite, last_step, main_loss
from ontogeny.report.words import is_named
from ontogeny.results import load_run
from ontogeny.transitions.records import Candidate

WIDTH, HEIGHT, LEFT, RIGHT = 900, 470, 62, 30
FRAME, STRIP, LOSS, LLC_PLOT = 130, 16, (214, 310), (330, 440)
"""The width of a frame, and where strip, loss and λ̂ lie from the top."""
STYLE = """
svg { color: #1f2328; font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; }
@media (prefers-color-scheme: dark) { svg { color: #e3e7eb; } }
text { fill: currentColor; text-anchor: middle; }
.left { text-anchor: end; }
.cross, .axis { fill: none; stroke: currentColor; stroke-opacity: .2; }
.hull { fill: currentColor; fill-opacity: .05; stroke: currentColor; stroke-opacity: .7; stroke-dasharray: 3 3; }
.lead { stroke: currentColor; stroke-opacity: .35; stroke-dasharray: 2 3; }
.passage { fill: #c98a00; fill-opacity: .22; }
"""


def picture(folder: Path) -> str:
    """Return the SVG of a run of the toy model of superposition.

    Raises:
        ResultError: the run has no results, or they are damaged.
        SystemExit: no feature vectors were recorded of it.
    """
    run = load_run(folder)
    recordings = read_recordings(folder)
    if "features" not in recordings:
        raise SystemExit(f"{folder} has no feature vectors: the picture is of a run of the toy model of superposition")
    film, last = films(recordings["features"])[0], last_step(run.trajectory)
    candidates = tuple(one for one in run.transitions.candidates if is_named(one))
    middles = [place_before(film.steps, one.location) for one in candidates]
    places = sorted({side.place for side in sides(film.steps, replace(run.transitions, candidates=candidates))} | {*middles})
    parts = [
        *strip(film, places, last),
        *(passage(one, last) for one in candidates),
        *plot(main_loss(run.trajectory), LOSS, last, "loss", COLOURS[2]),
        *plot(finite(curve(run.trajectory, LLC)), LLC_PLOT, last, "λ̂", COLOURS[0]),
        *(
            f'<text x="{across(at, last):.1f}" y="{LLC_PLOT[1] + 20}">{step(at)}</text>'
            for at in np.linspace(0, last, 4).round(-3)
        ),
    ]
    title = f"Feature vectors, loss and local learning coefficient of {'/'.join(folder.resolve().parts[-3:])}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
    return f"{head}<style>{STYLE}</style>{''.join(parts)}</svg>\n"


def across(at: float, last: int) -> float:
    """Return where a step lies from the left."""
    return LEFT + (WIDTH - LEFT - RIGHT) * at / max(last, 1)


def strip(film: Film, places: Sequence[int], last: int) -> list[str]:
    """Return the frames in a row, each with its step and a line to where it lies on the axis."""
    room = (WIDTH - LEFT - RIGHT) / len(places)
    size, drawn = min(FRAME, room), []
    for index, place in enumerate(places):
        middle, at = LEFT + room * (index + 0.5), across(film.steps[place], last)
        frame = film.frames[place].replace(
            '<svg class="frame"', f'<svg x="{middle - size / 2:.1f}" y="{STRIP}" width="{size:.0f}" height="{size:.0f}"'
        )
        below = STRIP + size + 14
        drawn.append(f'{frame}<text x="{middle:.1f}" y="{below:.0f}">step {step(film.steps[place])}</text>')
        drawn.append(f'<path class="lead" fill="none" d="M{middle:.1f} {below + 6:.0f}L{at:.1f} {LOSS[0] - 16}V{LLC_PLOT[1]}"/>')
    return drawn


def passage(candidate: Candidate, last: int) -> str:
    """Return a named candidate as a shaded stretch with its name."""
    left, right = across(candidate.start, last), across(candidate.end, last)
    return (
        f'<rect class="passage" x="{left:.1f}" y="{LOSS[0]}" width="{right - left:.1f}" height="{LLC_PLOT[1] - LOSS[0]}"/>'
        f'<text x="{right + 6:.1f}" y="{LLC_PLOT[0] - 6}" style="text-anchor: start">{escape(candidate.name)}</text>'
    )


def plot(rows: pd.DataFrame, extent: tuple[int, int], last: int, name: str, colour: str) -> list[str]:
    """Return a curve with its band and the range of its values; checkpoints that fail a check are left out."""
    rows = pd.DataFrame(rows[~failed(rows)])
    values, errors = (rows[column].to_numpy(float) for column in ("value", "standard_error"))
    half = BAND * np.nan_to_num(errors)
    low, high = (values - half).min(), (values + half).max()
    top, bottom = extent

    def height(value: np.ndarray) -> np.ndarray:
        return bottom - (bottom - top) * (value - low) / max(high - low, 1e-12)

    xs = [across(at, last) for at in rows["step"]]
    line = points(xs, height(values))
    band = f"{points(xs, height(values + half))} {points(xs[::-1], height(values - half)[::-1])}"
    return [
        f'<path class="axis" d="M{LEFT} {top}V{bottom}H{WIDTH - RIGHT}"/>',
        f'<polygon points="{band}" fill="{colour}" fill-opacity=".2"/>',
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>',
        f'<text class="left" x="{LEFT - 8}" y="{(top + bottom) / 2 + 4:.0f}" font-weight="600">{name}</text>',
        *(f'<text class="left" x="{LEFT - 8}" y="{y + 4}">{number(value)}</text>' for y, value in ((top, high), (bottom, low))),
    ]


def points(xs: Sequence[float], ys: np.ndarray) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    write_text(Path(sys.argv[2]), picture(Path(sys.argv[1])))
