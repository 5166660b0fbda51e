"""`ontogeny status`: which jobs are done, which would run, what the results take, and who writes them."""

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ontogeny.commands.parser import add_study, study_file

if TYPE_CHECKING:
    from ontogeny.pipeline.status import JobState

PAGES = {"along": "trajectories along a key", "family_page": "family pages", "index_page": "index page"}
SHORT = {"run_pages": "pages"}
"""Heads of columns that are shorter than the kinds of jobs."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_study(parser)
    parser.epilog = "Done and planned jobs are compared by what they depend on. `ontogeny run --dry-run` asks Snakemake."


def run(arguments: argparse.Namespace) -> int:
    from ontogeny.config.reading import read_study
    from ontogeny.pipeline.plan import Plan
    from ontogeny.pipeline.status import states

    file = study_file(arguments)
    plan = Plan(*read_study(file), file.parent)
    found = states(plan)
    waiting = sum(state.state != "done" for state in found)
    print(f"{file}: {len(found) - waiting} of {len(found)} jobs are done{f', {waiting} would run' if waiting else ''}.\n")
    print("\n".join(table(found)))
    print("\n" + "\n".join(remarks(Path(plan.study.results), found)))
    return 0


def table(found: Sequence["JobState"]) -> list[str]:
    """Return a line for each variant, with done and all jobs of each kind, and one for the pages of families and the index."""
    from ontogeny.pipeline.columns import columns

    variants = list(dict.fromkeys((state.job.family, state.job.variant) for state in found if state.job.variant))
    kinds = list(dict.fromkeys(state.job.kind for state in found if state.job.variant))
    rows = [("family", "variant", *(SHORT.get(kind, kind) for kind in kinds))]
    for family, variant in variants:
        own = [state for state in found if (state.job.family, state.job.variant) == (family, variant)]
        rows.append((family, variant, *(cell([state for state in own if state.job.kind == kind]) for kind in kinds)))
    pages = ", ".join(f"{name} {cell(jobs_of(found, kind))}" for kind, name in PAGES.items() if jobs_of(found, kind))
    return [*columns(rows), pages]


def jobs_of(found: Sequence["JobState"], kind: str) -> list["JobState"]:
    return [state for state in found if state.job.kind == kind]


def cell(own: Sequence["JobState"]) -> str:
    """Return how many jobs are done of how many: "-" where there is none, "done" where all are."""
    done = sum(state.state == "done" for state in own)
    return "-" if not own else "done" if done == len(own) else f"{done}/{len(own)}"


def remarks(results: Path, found: Sequence["JobState"]) -> Iterator[str]:
    from ontogeny.pipeline.results_lock import holder

    size = folder_size(results)
    yield f"{results}/ holds {size / 1e6:,.0f} MB." if size else f"{results}/ does not exist yet."
    other = holder(results)
    if other:
        yield f"A study in {other['folder']} writes there now (process {other['process']} on {other['host']})."
    failed = [state.job.label for state in found if state.state in ("interrupted", "damaged")]
    if failed:
        more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        yield f"Interrupted, failed or damaged: {', '.join(failed[:3])}{more}."
    changed = any(state.state == "changed" for state in found)
    if changed:
        yield "`ontogeny diff` says what has changed since these results were made."
    if any(state.state != "done" for state in found):
        yield "`ontogeny run` runs what is to do."


def folder_size(folder: Path) -> int:
    """Return the bytes of all files below a folder; 0 where there is no folder."""
    total, waiting = 0, [str(folder)] if folder.is_dir() else []
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    total += entry.stat(follow_symlinks=False).st_size
    return total
