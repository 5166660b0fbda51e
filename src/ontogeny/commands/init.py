"""`ontogeny init`: start a study in a folder."""

import argparse
from importlib.resources import files
from pathlib import Path

IGNORED = ("/results/", ".snakemake/")
"""What git is told to ignore: everything that a run makes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="FOLDER", help="this folder by default")


def run(arguments: argparse.Namespace) -> int:
    from ontogeny.errors import SpecificationError

    folder = arguments.folder
    config = folder / "config.yaml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with config.open("x", encoding="utf-8") as file:
            file.write((files("ontogeny") / "commands" / "config.yaml").read_text(encoding="utf-8"))
        ignore(folder / ".gitignore")
    except FileExistsError:
        raise SpecificationError(f"{config if folder.is_dir() else folder} is there already; it is left as it is") from None
    except OSError as error:
        raise SpecificationError(f"{folder} cannot be written to: {error.strerror}") from None
    enter = "" if folder.resolve() == Path.cwd() else f"cd {folder} && "
    print(f"{config}: a study of about two minutes. Next: {enter}ontogeny run")
    return 0


def ignore(path: Path) -> None:
    """Add to a .gitignore what it does not have."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    new = [line for line in IGNORED if line not in text.splitlines()]
    if new:
        start = text if not text or text.endswith("\n") else f"{text}\n"
        path.write_text(start + "\n".join(new) + "\n", encoding="utf-8")
