"""`ontogeny diff`: what an edit of the config changed since the results were made, and which jobs it reruns."""

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ontogeny.commands.parser import add_study, study_file

if TYPE_CHECKING:
    from ontogeny.pipeline.plan import Plan
    from ontogeny.pipeline.status import JobState

WORDS = {
    "missing": "runs",
    "changed": "reruns",
    "interrupted": "goes on with",
    "damaged": "makes again",
    "follows": "then",
}
"""How the jobs of each state are told, in this order."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_study(parser)


def run(arguments: argparse.Namespace) -> int:
    from ontogeny.config.reading import read_study
    from ontogeny.pipeline.plan import Plan
    from ontogeny.pipeline.status import states

    file = study_file(arguments)
    plan = Plan(*read_study(file), file.parent)
    found = states(plan)
    to_run = [state for state in found if state.state != "done"]
    for line in paragraphs(to_run):
        print(line)
    print(closing(plan, found, to_run))
    return 0


def paragraphs(to_run: Sequence["JobState"]) -> Iterator[str]:
    """Yield the lines on every family, and on the index; variants that change alike share a paragraph."""
    alike: dict[tuple[str, tuple[str, ...]], list[tuple[str, list[JobState]]]] = {}
    for family, variant in dict.fromkeys((state.job.family, state.job.variant) for state in to_run if state.job.variant):
        own = [state for state in to_run if (state.job.family, state.job.variant) == (family, variant)]
        alike.setdefault((family, tuple(described(own))), []).append((variant, own))
    for (family, changes), members in alike.items():
        jobs = [state for _, own in members for state in own]
        yield from paragraph(f"{family}: {', '.join(variant for variant, _ in members)}", changes, jobs)
    pages = [state for state in to_run if not state.job.variant]
    if pages:
        yield from paragraph("pages", described(pages), pages)


def described(own: Sequence["JobState"]) -> list[str]:
    """Return what changed, a line for each key; of the program's own code, with the jobs that run it."""
    from ontogeny.pipeline.changes import PART_OF, WHOLE, changes

    lines: dict[str, list[str]] = {}
    for state in own:
        for line in changes(state.was, state.now):
            lines.setdefault(line, []).append(state.job.kind)
    if len(lines) > 1:
        lines.pop(PART_OF, None)
    code = f"{WHOLE['code']} has changed"
    return [f"{line}: {', '.join(dict.fromkeys(kinds))}" if line == code else line for line, kinds in lines.items()]


def paragraph(head: str, changes: Sequence[str], jobs: Sequence["JobState"]) -> Iterator[str]:
    yield head
    yield from (f"  {line}" for line in changes)
    for state, word in WORDS.items():
        kinds = Counter(job.job.kind for job in jobs if job.state == state)
        if kinds:
            yield f"  {word} {counted(kinds)}"


def counted(kinds: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} ×{count}" if count > 1 else kind for kind, count in kinds.items())


def closing(plan: "Plan", found: Sequence["JobState"], to_run: Sequence["JobState"]) -> str:
    """Return the last line: how much runs, and what it costs."""
    if not to_run:
        return "Nothing has changed: all results are those of this config and this code."
    from ontogeny.pipeline.cost import SECONDS_PER_JOB, job_seconds

    seconds = job_seconds(plan)
    total = sum(seconds.get((state.job.kind, state.job.family, state.job.variant), SECONDS_PER_JOB) for state in to_run)
    cost = f"{len(to_run)} of {len(found)} jobs run, at most {total / 60:.1f} core minutes"
    return f"{cost}: a job of several seeds skips those that are done."
