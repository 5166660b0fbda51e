"""Parts of SVG and HTML that several pictures are made of. Their text is as legible on a dark page as on a light one."""

import base64
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from jaxtyping import Float, UInt8

from ontogeny.report.numbers import step

COLOURS = ("#2f7fc1", "#d9661f", "#1a9e77", "#b9559d", "#c98a00", "#4aa3d8", "#7a68c9", "#7d8590")
"""Colours of middling lightness: each has a contrast of 3 or more with a white and with a dark page."""
CELL = COLOURS[0]
NEAR = 6
"""Points nearer to the middle of their square, in its units, have no name there: the names would overlap."""
LEVELS = 15
"""Shades of a cell beside 0. With 16 in all, two cells share a byte."""


def colours(count: int) -> list[str]:
    """Return a colour for each of `count` things: eight distinct ones, or all around the circle of hues for more."""
    if count <= len(COLOURS):
        return list(COLOURS[:count])
    return [f"hsl({360 * place / count:.0f} 60% 50%)" for place in range(count)]


def svg(width: float, height: float, content: str) -> str:
    """Return a frame. What it shows is said by the element around it."""
    return f'<svg class="frame" viewBox="0 0 {width:g} {height:g}" aria-hidden="true">{content}</svg>'


def cells_png(shares: Float[np.ndarray, "rows columns"]) -> str:
    """Return the address of an image of cells, transparent at 0 and in full colour at 1.

    It is a PNG with a palette of 16 colours, four bits a cell.
    """
    levels = np.rint(LEVELS * np.clip(np.nan_to_num(shares), 0, 1)).astype(np.uint8)
    red, green, blue = (int(CELL[place : place + 2], 16) for place in (1, 3, 5))
    palette = bytes([red, green, blue] * (LEVELS + 1))
    opacity = bytes(round(255 * level / LEVELS) for level in range(LEVELS + 1))
    rows, columns = levels.shape
    parts = [
        chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 4, 3, 0, 0, 0)),
        chunk(b"PLTE", palette),
        chunk(b"tRNS", opacity),
        chunk(b"IDAT", zlib.compress(packed(levels), 9)),
        chunk(b"IEND", b""),
    ]
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(parts)).decode()


def packed(levels: UInt8[np.ndarray, "rows columns"]) -> bytes:
    """Return the rows of an image with four bits a cell, each after a zero byte: no filter."""
    even = np.pad(levels, ((0, 0), (0, levels.shape[1] % 2)))
    pairs = (even[:, ::2] << 4) | even[:, 1::2]
    return np.pad(pairs, ((0, 0), (1, 0))).tobytes()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@dataclass(frozen=True, kw_only=True)
class Span:
    """A passage over the columns of a table: its name, its first and its last column."""

    name: str
    first: int
    last: int


def heat_map(
    shares: Float[np.ndarray, "rows checkpoints"], names: Sequence[str], steps: Sequence[int], spans: Sequence[Span], words: str
) -> str:
    """Return a table of cells, a row for each name, a column for each checkpoint, whichever the distances of their steps.

    Args:
        shares: 0 is transparent, 1 the full colour.
        spans: passages to mark above the table.
        words: for those who do not see it.
    """
    count = len(steps)
    ticks = "".join(
        f'<span style="left:{100 * (place + 0.5) / count:.2f}%">{step(steps[place])}</span>'
        for place in dict.fromkeys(round(share * (count - 1)) for share in (0, 0.25, 0.5, 0.75, 1))
    )
    rows = "".join(f"<span>{escape(name)}</span>" for name in names)
    return (
        f'<div class="heat" data-steps="{" ".join(map(str, steps))}" style="--rows:{len(names)}">{span_marks(spans, count)}'
        f'<div class="rows">{rows}</div>'
        f'<div class="cells" role="img" aria-label="{escape(words)}"><img src="{cells_png(shares)}" alt="">'
        f'<i class="here" hidden></i></div><div class="ticks" aria-hidden="true">{ticks}</div></div>'
    )


def span_marks(spans: Sequence[Span], count: int) -> str:
    """Return bars above a table of `count` columns, in as many rows as keep them from overlapping; "" without spans."""
    ends: list[int] = []
    bars = []
    for span in spans:
        row = next((row for row, end in enumerate(ends) if end < span.first), len(ends))
        ends[row : row + 1] = [span.last]
        left, width = 100 * span.first / count, 100 * (span.last + 1 - span.first) / count
        bars.append(f'<i style="left:{left:.2f}%;width:{width:.2f}%;--lane:{row}">{escape(span.name)}</i>')
    return f'<div class="spans" aria-hidden="true" style="--lanes:{len(ends)}">{"".join(bars)}</div>' if spans else ""


def points(
    places: Float[np.ndarray, "points 2"],
    tints: Sequence[str],
    names: Sequence[str],
    largest: float,
    *,
    from_origin: bool = False,
) -> str:
    """Return the content of a square of 160 units: points around its middle, `largest` being three quarters of the way out."""
    across, upward = (80 + 58 * sign * column / largest for sign, column in zip((1, -1), places.T, strict=True))
    cross = '<path class="cross" d="M80 4V156M4 80H156"/>'
    spokes = "".join(
        f'<path d="M80 80L{x:.1f} {y:.1f}" stroke="{tint}" stroke-width="2.4"/>'
        for x, y, tint in zip(across, upward, tints, strict=True)
        if from_origin
    )
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.6" fill="{tint}"/>' for x, y, tint in zip(across, upward, tints, strict=True)
    )
    texts = "".join(
        f'<text x="{x:.1f}" y="{y:.1f}">{escape(name)}</text>'
        for name, (x, y), out in zip(names, beside(across, upward), np.hypot(across - 80, upward - 80), strict=False)
        if out >= NEAR
    )
    return cross + spokes + dots + texts


def beside(across: Float[np.ndarray, " points"], upward: Float[np.ndarray, " points"]) -> list[tuple[float, float]]:
    """Return the middles of names just beyond the points, seen from the middle of the square."""
    outward = np.stack([across - 80, upward - 80])
    length = np.maximum(np.linalg.norm(outward, axis=0), 1e-9)
    x, y = np.stack([across, upward]) + 12 * outward / length
    return list(zip(x, y + 3.6, strict=True))


def bars(values: Float[np.ndarray, " bars"], largest: float, marks: Sequence[float] = ()) -> str:
    """Return the content of 160 × 100 units: bars from the left, and a dash across each at the height of its mark."""
    wide = 150 / max(len(values), 1)
    heights = np.maximum(84 * np.asarray(values, float) / largest, 0)
    drawn = "".join(
        f'<rect x="{5 + wide * place + 0.1 * wide:.1f}" y="{92 - height:.1f}" width="{0.8 * wide:.1f}" height="{height:.1f}" '
        f'fill="{CELL}"/>'
        for place, height in enumerate(heights)
    )
    dashes = "".join(
        f'<path d="M{5 + wide * place:.1f} {92 - 84 * mark / largest:.1f}h{wide:.1f}" stroke="{COLOURS[1]}" stroke-width="2"/>'
        for place, mark in enumerate(marks)
    )
    return f'<path class="cross" d="M4 92H156"/>{drawn}{dashes}'
