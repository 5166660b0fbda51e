"""`ontogeny run`: Snakemake with the workflow of this package, a quiet view of its jobs, and what was found at the end."""

import argparse
import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ontogeny.commands.parser import CONFIG, did_you_mean

if TYPE_CHECKING:
    from ontogeny.monitor.handler import Follower
    from ontogeny.pipeline.plan import Plan

EPILOG = """\
Every option that is not named here goes to Snakemake; `--cores all` is the default. Some of them:
  --cores N           jobs at a time
  --dry-run, -n       what would run, and why
  --forcerun sample   run these jobs again, and what depends on them
  --until estimate    no further than these jobs
  --profile FOLDER    run on a cluster, as the profile says
  --unlock            after Snakemake was killed
The output of each job is in a log beside its results.
"""
INTERRUPTED = 130
"""The exit status after an interrupt from the keyboard, as shells have it."""


@dataclass(frozen=True)
class Given:
    """What is to run.

    Attributes:
        families: those that were named; all of the study where none was.
        options: the arguments for Snakemake, without the view.
        watched: jobs run, and are shown; else Snakemake speaks for itself.
    """

    plan: "Plan"
    families: tuple[str, ...]
    options: tuple[str, ...]
    watched: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument("file", nargs="?", metavar="FILE", help="the study, a .yaml file; config.yaml by default")
    parser.add_argument("families", nargs="*", metavar="FAMILY", help="families of the study; all by default")
    parser.add_argument("options", nargs="*", metavar="OPTION", help="options of Snakemake")


def run_with(arguments: Sequence[str]) -> int:
    """Run a study; `arguments` are a file, families, and options of Snakemake, in any order that Snakemake takes.

    Raises:
        SpecificationError: the study cannot be run, or has no such family.
    """
    given = read(arguments)
    if not given.watched:
        return call_snakemake(given.options)
    from ontogeny.monitor.handler import NAME, Follower, register

    began = time.monotonic()
    with own_streams() as (out, error, log):
        follower = Follower(progress_of(given.plan), display(out))
        register(follower)
        try:
            status = call_snakemake((*given.options, "--logger", NAME))
        except KeyboardInterrupt:
            follower.stopped, status = True, INTERRUPTED
        finally:
            follower.display.stop()
        return tell_end(given, follower, status, time.monotonic() - began, out, error, log)


def read(arguments: Sequence[str]) -> Given:
    """Return what is to run, as Snakemake itself reads the arguments."""
    from snakemake.cli import parse_args

    from ontogeny.commands.workflow import snakefile
    from ontogeny.config.reading import read_study
    from ontogeny.errors import SpecificationError
    from ontogeny.pipeline.plan import Plan

    options = list(arguments)
    if not {"--snakefile", "-s"} & set(options):
        options += ["--snakefile", str(snakefile())]
    with quiet_unless_wrong():
        parsed = parse_args(options)[1]
    file = next((target for target in sorted(parsed.targets) if target.endswith((".yaml", ".yml"))), None)
    if file:
        options.remove(file)
        options += ["--configfile", file, "--replace-workflow-config"]
    options.append("--rerun-incomplete")
    if parsed.cores is None and parsed.executor is None:
        options += ["--cores", "all"]
    config = Path(file) if file else parsed.configfile[-1] if parsed.configfile else CONFIG
    if parsed.directory:
        config = Path(parsed.directory, config)
    if config == CONFIG and not config.exists():
        raise SpecificationError("There is no config.yaml here. `ontogeny init` writes one; `ontogeny run FILE` takes another")
    plan = Plan(*read_study(config), config.parent)
    targets = [target for target in parsed.targets if target != file]
    families = tuple(family for family in plan.by_family if family in targets)
    check_targets(plan, targets)
    return Given(plan, families or tuple(plan.by_family), tuple(options), starts_jobs(parsed))


@contextmanager
def quiet_unless_wrong() -> Iterator[None]:
    """Print what Snakemake says of its arguments only where it refuses them, or is asked for help."""
    with redirect_stderr(StringIO()) as said:
        try:
            yield
        except SystemExit:
            print(said.getvalue(), end="", file=sys.__stderr__)
            raise


def check_targets(plan: "Plan", targets: Sequence[str]) -> None:
    """Raise a SpecificationError for a target that is no family, no job, and no file of the results."""
    from ontogeny.config.job_names import KINDS
    from ontogeny.errors import SpecificationError

    for target in targets:
        if target not in (*plan.by_family, *KINDS, "all") and "/" not in target:
            hint = did_you_mean(target, [*plan.by_family, "all"]) or f" It has {', '.join(plan.by_family)}."
            raise SpecificationError(f"The study has no family {target!r}.{hint}")


def starts_jobs(parsed: argparse.Namespace) -> bool:
    """Return whether Snakemake will run jobs and no logger of the user's own is asked for."""
    other = (
        "dryrun",
        "touch",
        "unlock",
        "report",
        "summary",
        "detailed_summary",
        "dag",
        "rulegraph",
        "filegraph",
        "lint",
        "list_rules",
    )
    other += (
        "list_input_changes",
        "list_params_changes",
        "delete_all_output",
        "archive",
        "cleanup_metadata",
        "containerize",
        "d3dag",
    )
    asked = any(getattr(parsed, name, None) not in (None, False, [], frozenset(), set()) for name in other)
    return not asked and not parsed.logger and not parsed.verbose


def call_snakemake(options: Sequence[str]) -> int:
    """Run Snakemake in this process and return its exit status."""
    from snakemake.cli import main

    try:
        main(list(options))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


@contextmanager
def own_streams() -> Iterator[tuple[TextIO, TextIO, Path]]:
    """Yield the terminal's two streams; what jobs and libraries print meanwhile goes into a file, which is yielded too."""
    folder = Path(".snakemake", "log")
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{time.strftime('%Y-%m-%dT%H%M%S')}.{os.getpid()}.output.log"
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(number) for number in (1, 2)]
    with log.open("wb") as file, open(saved[0], "w", closefd=False) as out, open(saved[1], "w", closefd=False) as error:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
        try:
            yield out, error, log
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, descriptor in zip((1, 2), saved, strict=True):
                os.dup2(descriptor, number)
                os.close(descriptor)


def display(out: TextIO) -> Any:
    """Return the live view on a terminal, plain lines elsewhere."""
    if out.isatty() and os.environ.get("TERM") != "dumb":
        from rich.console import Console

        from ontogeny.monitor.live import Live

        return Live(Console(file=out))
    from ontogeny.monitor.lines import Lines

    return Lines(out)


def progress_of(plan: "Plan") -> Any:
    from ontogeny.monitor.progress import Progress
    from ontogeny.pipeline.cost import job_seconds

    return Progress(job_seconds(plan))


def tell_end(given: Given, follower: "Follower", status: int, seconds: float, out: TextIO, error: TextIO, log: Path) -> int:
    """Say what was found, or why not, and return the exit status."""
    from ontogeny.monitor.failures import failures

    progress = follower.progress
    if follower.stopped:
        done, jobs = len(progress.of("done")), len(progress.jobs)
        print(f"Stopped after {done} of {jobs} jobs. `ontogeny run` goes on from there.", file=out, flush=True)
        return INTERRUPTED
    if status == 0 or progress.of("done"):
        for line in closing_lines(given, len(progress.of("done")), seconds):
            print(line, file=out, flush=True)
    told = [*follower.errors, *failures(progress.of("failed"), follower.said)]
    if status and not told:
        told = [f"Snakemake ended with status {status}. What it and the jobs printed is in {log}"]
    print(*told, sep="\n", file=error, end="\n" if told else "", flush=True)
    return status


def closing_lines(given: Given, ran: int, seconds: float) -> Iterator[str]:
    """Yield six lines for a study of up to three families."""
    from ontogeny.commands.status import folder_size
    from ontogeny.monitor.progress import duration
    from ontogeny.monitor.summary import checks, found, page

    yield from found(given.plan, given.families)
    yield checks(given.plan, given.families)
    yield f"page: {page(given.plan, given.families)}"
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    minutes = (children.ru_utime + children.ru_stime) / 60
    size = folder_size(Path(given.plan.study.results)) / 1e6
    what = f"{ran} jobs in {duration(seconds)}, {minutes:.1f} core minutes" if ran else "nothing to run: all results are there"
    yield f"cost: {what}; {given.plan.study.results}/ holds {size:,.0f} MB"
