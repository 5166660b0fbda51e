"""The arguments of all commands. Only the module of the command that is called is imported."""

import argparse
import difflib
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from ontogeny.commands.registry import COMMANDS

DESCRIPTION = "Train, sample the local learning coefficient along training, find phase transitions, report."
EPILOG = "A study is a config.yaml in a folder. `ontogeny COMMAND --help` says more."
CONFIG = Path("config.yaml")


class Version(argparse.Action):
    """Print the version. It is looked up when it is asked for, since that takes a tenth of a second."""

    def __call__(self, parser: argparse.ArgumentParser, *arguments: Any) -> None:
        import ontogeny

        print(f"ontogeny {ontogeny.__version__}")
        parser.exit()


def parser(commands: Iterable[str] = COMMANDS) -> argparse.ArgumentParser:
    """Return the parser of the command line; of the commands that `commands` names, with their arguments."""
    top = argparse.ArgumentParser(prog="ontogeny", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False)
    top.add_argument("--version", action=Version, nargs=0, help="show the version and exit")
    parsers = top.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    wanted = set(commands)
    for name, summary in COMMANDS.items():
        description = f"{summary[0].upper()}{summary[1:]}."
        command = parsers.add_parser(name, help=summary, description=description, allow_abbrev=False)
        if name in wanted:
            module(name).add_arguments(command)
    return top


def module(command: str) -> ModuleType:
    return import_module(f"ontogeny.commands.{command}")


def add_study(command: argparse.ArgumentParser) -> None:
    """Let a command take the file of the study, as an argument or as Snakemake spells it."""
    given = command.add_mutually_exclusive_group()
    given.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the study; config.yaml by default")
    given.add_argument("--configfile", type=Path, metavar="FILE", default=CONFIG, help="the same, as Snakemake spells it")


def study_file(arguments: argparse.Namespace) -> Path:
    """Return the file of the study that the arguments name.

    Raises:
        SpecificationError: there is no such file, and none was named.
    """
    from ontogeny.errors import SpecificationError

    file = getattr(arguments, "file", None) or arguments.configfile
    if file == CONFIG and not file.exists():
        raise SpecificationError(
            "There is no config.yaml here. `ontogeny init` writes one; `ontogeny COMMAND FILE` takes another"
        )
    return file


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return the question that names the known words nearest to one that is not known; "" where none is near."""
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(near)}?" if near else ""
