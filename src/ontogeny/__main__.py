"""The command line: `ontogeny KIND` runs a job of the workflow; `plan`, `schema` and `sweep` serve a study."""

import argparse
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ontogeny.config.job_names import KINDS
from ontogeny.pipeline import devices, overhead

BEGAN = time.perf_counter()


def parser() -> argparse.ArgumentParser:
    """The arguments of all commands."""
    top = argparse.ArgumentParser(prog="python -m ontogeny", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    plan = commands.add_parser("plan", help="list a study's runs, jobs, minutes and disk before anything runs")
    given = plan.add_mutually_exclusive_group()
    given.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the study; config.yaml by default")
    given.add_argument(
        "--configfile", type=Path, metavar="FILE", default=Path("config.yaml"), help="the same, as Snakemake spells it"
    )
    commands.add_parser("sweep", help="compare steps, nβ and γ at three checkpoints of a family, and recommend a set")
    commands.add_parser("schema", help="print the JSON schema of config.yaml, for editors")
    for kind in KINDS:
        job = commands.add_parser(kind, help=f"run a job of the workflow: {kind}")
        job.add_argument("--results", type=Path, required=True)
        job.add_argument("--base", type=Path, default=Path(), help="what paths in the config are relative to")
        job.add_argument("--family", default="")
        job.add_argument("--variant", default="")
        job.add_argument("--block", default="", help="the seeds of the job, such as seeds~0-7")
        job.add_argument("--threads", type=int, default=1)
        if kind == "sample":
            job.add_argument(
                "--profile-trace", type=Path, metavar="FOLDER", help="only write a JAX trace of one chunk, once compiled, there"
            )
        job.add_argument("--specification", type=read_specification, required=True, metavar="FILE", help="JSON from Snakemake")
    return top


def read_specification(file: str) -> dict[str, Any]:
    """Return the specification of a job.

    Raises:
        ArgumentTypeError: the file is missing or no JSON.
    """
    try:
        return json.loads(Path(file).read_text())
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{file} cannot be read: {error}. Snakemake writes it when it starts the job") from None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name, by default those of the process; return its exit status."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given[:1] == ["sweep"]:
        return show_sweep(given[1:])
    arguments = parser().parse_args(given)
    if arguments.command == "plan":
        return show_plan(arguments.file or arguments.configfile)
    if arguments.command == "schema":
        from ontogeny.config.study import json_schema

        print(json_schema(), end="")
        return 0
    return run_job(arguments)


def show_sweep(arguments: Sequence[str]) -> int:
    from ontogeny.commands.sweep import run_with
    from ontogeny.errors import SpecificationError

    try:
        return run_with(arguments)
    except SpecificationError as error:
        print(error, file=sys.stderr)
        return 1


def show_plan(configfile: Path) -> int:
    from ontogeny.config.reading import ConfigError
    from ontogeny.pipeline.cost import describe

    try:
        print(describe(configfile))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def run_job(arguments: argparse.Namespace) -> int:
    """Run a job and return its exit status. A fault of the user's files takes a line or two, any other fault a traceback."""
    devices.prepare(arguments.threads)
    hide_closed_loops()
    from ontogeny.errors import SpecificationError
    from ontogeny.jobs.job import Job

    job = Job(
        name=arguments.command,
        results=arguments.results,
        specification=arguments.specification,
        base=arguments.base,
        family=arguments.family,
        variant=arguments.variant,
        block=arguments.block,
        profile_trace=getattr(arguments, "profile_trace", None),
    )
    try:
        module = importlib.import_module(f"ontogeny.jobs.{arguments.command}")
        start, compilation = time.perf_counter() - BEGAN, overhead.compilation_seconds()
        module.run(job)
    except SpecificationError as error:
        print(f"{job.label} cannot go on: {error}", file=sys.stderr, flush=True)
        # Threads that still read would only add to this.
        os._exit(1)
    except SystemExit as fault:
        frame = traceback.extract_tb(fault.__traceback__)[-1]
        place = f"{frame.filename} line {frame.lineno}: {frame.line}"
        print(f"{job.label} cannot go on: the code exits with status {fault.code} ({place})", file=sys.stderr, flush=True)
        return 1
    print(overhead.closing_line(job.label, time.perf_counter() - BEGAN, start, compilation()), file=sys.stderr, flush=True)
    return 0


def hide_closed_loops() -> None:
    """Let threads that still read, when Orbax's event loop is closed by a read that failed, print no traceback of that."""
    show = sys.unraisablehook

    def show_others(fault: Any) -> None:
        if "Event loop is closed" not in str(fault.exc_value):
            show(fault)

    sys.unraisablehook = show_others


if __name__ == "__main__":
    sys.exit(main())
