"""Pictures of the user's own: arrays drawn as points, cells or bars, as their card says."""

from collections.abc import Mapping

import numpy as np

from ontogeny.config.pictures import PictureCard
from ontogeny.pipeline.pictures import Recording
from ontogeny.report.numbers import number
from ontogeny.report.pictures.drawing import bars, cells_png, colours, points, svg
from ontogeny.report.pictures.film import Film

MOST_NAMED = 30


def films(recording: Recording, cards: Mapping[str, PictureCard]) -> list[Film]:
    """Return a film of each array."""
    return [film(recording, name, cards.get(name)) for name in recording.along]


def film(recording: Recording, name: str, card: PictureCard | None) -> Film:
    """Return the film of an array; without a card its name is its title and its shape decides the form."""
    values = np.nan_to_num(recording.along[name].astype(float))
    form = fitting(card.form if card else None, values.shape[1:])
    size = max(float(np.abs(values).max()), 1e-9)
    draw = {"points": point_frame, "cells": cell_frame, "bars": bar_frame}[form]
    scale = {
        "points": f"A point is a row of the array; the outermost is {number(size)} from the axes.",
        "cells": f"A cell is an entry; its colour is the size of the entry, in full colour {number(size)}.",
        "bars": f"A bar is an entry; the highest is {number(size)}.",
    }[form]
    return Film(
        title=card.title if card else name.replace("_", " "),
        caption=f"{card.caption if card else ''} {scale}".strip(),
        steps=recording.steps,
        frames=[draw(one, size) for one in values],
        words=[f"largest {number(float(np.abs(one).max()))}" for one in values],
        width=160,
    )


def fitting(form: str | None, shape: tuple[int, ...]) -> str:
    """Return the form that a card asks for, where the shape allows it, else the one that the shape suggests."""
    suits = {"points": shape[1:] == (2,), "bars": len(shape) == 1, "cells": len(shape) == 2}
    return form if form and suits[form] else next(name for name, suit in suits.items() if suit)


def point_frame(values: np.ndarray, size: float) -> str:
    count = len(values)
    names = [str(place) for place in range(count)] if count <= MOST_NAMED else []
    return svg(160, 160, points(values, colours(count), names, size))


def cell_frame(values: np.ndarray, size: float) -> str:
    rows, columns = values.shape
    edge = f'<rect class="edge" width="{columns}" height="{rows}"/>'
    return svg(columns, rows, f'<image width="{columns}" height="{rows}" href="{cells_png(np.abs(values) / size)}"/>{edge}')


def bar_frame(values: np.ndarray, size: float) -> str:
    return svg(160, 100, bars(np.abs(values), size))
