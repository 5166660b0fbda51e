"""`ontogeny KIND`: run one job, as the rules of the workflow call it. It is no command for people and is listed nowhere."""

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


def parser(kind: str) -> argparse.ArgumentParser:
    """Return the arguments of a job of a kind."""
    job = argparse.ArgumentParser(prog=f"ontogeny {kind}", description=f"Run a job of the workflow: {kind}.")
    job.add_argument("--results", type=Path, required=True)
    job.add_argument("--base", type=Path, default=Path(), help="what paths in the config are relative to")
    job.add_argument("--family", default="")
    job.add_argument("--variant", default="")
    job.add_argument("--block", default="", help="the seeds of the job, such as seeds~0-7")
    job.add_argument("--threads", type=int, default=1)
    if kind == "sample":
        text = "only write a JAX trace of one chunk, once compiled, there"
        job.add_argument("--profile-trace", type=Path, metavar="FOLDER", help=text)
    job.add_argument("--specification", type=read_specification, required=True, metavar="FILE", help="JSON from Snakemake")
    return job


def read_specification(file: str) -> dict[str, Any]:
    """Return the specification of a job.

    Raises:
        ArgumentTypeError: the file is missing or no JSON.
    """
    try:
        return json.loads(Path(file).read_text())
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{file} cannot be read: {error}. Snakemake writes it when it starts the job") from None


def main(given: Sequence[str], began: float) -> int:
    """Run a job and return its exit status. A fault of the user's files takes a line or two, any other fault a traceback.

    Args:
        given: the kind of the job and its options.
        began: `time.perf_counter()` when the process began.

    Raises:
        KeyError: there is no such kind.
    """
    kind = KINDS[given[0]].name
    arguments = parser(kind).parse_args(given[1:])
    devices.prepare(arguments.threads)
    hide_closed_loops()
    from ontogeny.errors import SpecificationError
    from ontogeny.jobs.job import Job

    job = Job(
        name=kind,
        results=arguments.results,
        specification=arguments.specification,
        base=arguments.base,
        family=arguments.family,
        variant=arguments.variant,
        block=arguments.block,
        profile_trace=getattr(arguments, "profile_trace", None),
    )
    try:
        module = importlib.import_module(f"ontogeny.jobs.{kind}")
        start, compilation = time.perf_counter() - began, overhead.compilation_seconds()
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
    print(overhead.closing_line(job.label, time.perf_counter() - began, start, compilation()), file=sys.stderr, flush=True)
    return 0


def hide_closed_loops() -> None:
    """Let threads that still read, when Orbax's event loop is closed by a read that failed, print no traceback of that."""
    show = sys.unraisablehook

    def show_others(fault: Any) -> None:
        if "Event loop is closed" not in str(fault.exc_value):
            show(fault)

    sys.unraisablehook = show_others
