"""Fill in the templates of the pages. No page requests anything over the network.

A page carries its data as JSON. Plotly.js, 4.8 MB, lies once in the results; a page without its address carries a copy.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ontogeny.report.assets import plotly_source
from ontogeny.report.places import for_scripts, noun, plural
from ontogeny.report.plots import Panel

NAVIGATION = ("index", "family", "previous", "next", "plotly")
"""Keys of `links` that lead to other pages or to plotly.js. Every other key is the name of a file."""


@cache
def environment() -> Environment:
    """Return the templates. They escape text, and an unknown name is an error."""
    return Environment(
        loader=PackageLoader("ontogeny.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


@cache
def plotly_script() -> Markup:
    """Return plotly.js for a script element."""
    return Markup(plotly_source().read_text(encoding="utf-8"))


def embedded(data: Any) -> Markup:
    """Return JSON for a script element. No text in it can end the element, and no number in it is NaN."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))


def page_data(panels: Sequence[Panel], *, name: str, logarithmic: bool, places: Sequence[float] = (), **more: Any) -> Markup:
    """Return the JSON that the scripts of a page read.

    Args:
        name: begins the names of the files that figures are exported to.
        places: on the axis, in increasing order.
    """
    figures = {
        panel.identifier: {**panel.figure, "title": panel.heading, "height": panel.height, "names": panel.names}
        for panel in panels
    }
    data = {
        "name": name,
        "axis": for_scripts(places),
        "figures": figures,
        "logarithmic": logarithmic,
        "last": max(places, default=0),
        "transitions": [],
        "traces": [],
    }
    return embedded({**data, **more})


def render(template: str, links: Mapping[str, str], **context: Any) -> str:
    """Return a page.

    Args:
        links: name -> address relative to the page, see `NAVIGATION`.
    """
    own = {name: links.get(name, "") for name in NAVIGATION}
    files = {name: address for name, address in links.items() if name not in NAVIGATION}
    words = {"noun": noun(), "plural": plural()}
    return environment().get_template(template).render(axis=words, links=own, files=files, plotly_script=plotly_script, **context)
