"""Plotly.js, which all pages of a results folder share. It takes 4.8 MB, ten times as much as a page."""

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from ontogeny.pipeline.files import replace_file

FOLDER = "report/assets"


def plotly_address() -> str:
    """Return where plotly.js lies, relative to the results."""
    return f"{FOLDER}/plotly-{version('plotly')}.min.js"


def plotly_source() -> Path:
    """Return the file of plotly.js in the package plotly, without importing it."""
    spec = find_spec("plotly")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"


def write_plotly(results: Path) -> str:
    """Write plotly.js into the results where it is missing or damaged, and make it as new as the pages.

    Returns:
        Its address relative to the results.
    """
    source, address = plotly_source(), plotly_address()
    target = results / address
    if not target.is_file() or target.stat().st_size != source.stat().st_size:
        replace_file(target, lambda unfinished: unfinished.write_bytes(source.read_bytes()))
    target.touch()
    return address
