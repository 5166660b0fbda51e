"""The kinds of pictures of a network, and what a card says of a user's own: its title, its caption, its form."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from ontogeny.config.section import Section

ROOM = Path(__file__).parents[1] / "pictures"
PICTURES = tuple(sorted(path.stem for path in ROOM.glob("[!_]*.py")))
"""The built-in kinds of pictures."""


class PictureCard(Section):
    """The card says what the pages call a picture of the user's own, and how they draw it."""

    title: Annotated[str, Field(min_length=1, description="The pages give the picture this title.")]
    caption: Annotated[str, Field(description="This sentence says what is seen and how to read it.")] = ""
    form: Annotated[
        Literal["points", "cells", "bars"] | None,
        Field(
            description="The array is drawn as points in the plane (two columns), as cells of a table, or as bars; null means "
            "points for two columns, bars for one axis, cells otherwise."
        ),
    ] = None
