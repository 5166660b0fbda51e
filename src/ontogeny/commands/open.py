"""`ontogeny open`: open the index page of the results in a browser."""

import argparse
import os
import sys
import webbrowser
from pathlib import Path

from ontogeny.commands.parser import add_study


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_study(parser)


def run(arguments: argparse.Namespace) -> int:
    from ontogeny.errors import SpecificationError

    results = results_folder(arguments)
    index = results / "report" / "index.html"
    if not index.is_file():
        raise SpecificationError(f"There is no {index} yet. `ontogeny run` makes it; `ontogeny status` says what is done")
    show(index)
    return 0


def results_folder(arguments: argparse.Namespace) -> Path:
    """Return the results folder that the study names; its faults elsewhere do not matter."""
    from ontogeny.commands.parser import study_file
    from ontogeny.config.reading import load

    return Path(str(load(study_file(arguments)).get("results", "results")))


def show(page: Path) -> None:
    """Print the path of a page, and open it where there is a screen and a browser."""
    print(page)
    if has_screen():
        webbrowser.open(page.resolve().as_uri())


def has_screen() -> bool:
    """Return whether a browser can be seen: on Linux a display is needed, and someone at the terminal everywhere."""
    if not sys.stdout.isatty():
        return False
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
