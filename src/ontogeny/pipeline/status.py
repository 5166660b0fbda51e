"""What is done of a study and what would run: the jobs of a plan beside the files of its results.

A job is done where its declared output is there, is younger than the specification that the job began with, and this
specification is what the plan says now. Snakemake decides by the same text, and by the times of files besides.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ontogeny.config.job_names import JOBS, KINDS, ON_REQUEST
from ontogeny.config.reading import Variant
from ontogeny.pipeline.manifests import FAMILY_FILES, VARIANT_FILES, damaged_jobs
from ontogeny.pipeline.plan import Plan, blocks, first_block

State = Literal["done", "missing", "changed", "interrupted", "damaged", "follows"]
ON_FIRST_SEED = ("calibrate", "sensitivity")
"""Kinds of jobs of a variant that read the block of the first seed only."""
ALSO_NEEDS = {"detect": ("sensitivity",)}
"""Kinds of jobs that a job waits for although the digests of its results leave them out."""


class PlannedJob(NamedTuple):
    """A job of a study; what its kind has no use for is "", as `variant` for the page of a family."""

    kind: str
    family: str = ""
    variant: str = ""
    block: str = ""

    @property
    def label(self) -> str:
        return " ".join(part for part in (self.kind, f"{self.family}/{self.variant}".strip("/"), self.block) if part)


@dataclass(frozen=True)
class JobState:
    """What is known of a job.

    Attributes:
        state: "missing" where the job never ended, "changed" where its specification is another one now, "interrupted" where
            it began again and did not end, "follows" where a job that it needs will run.
        was, now: the specifications, where the state is "changed".
    """

    job: PlannedJob
    state: State
    was: Mapping[str, Any] = field(default_factory=dict)
    now: Mapping[str, Any] = field(default_factory=dict)


def states(plan: Plan) -> list[JobState]:
    """Return the state of every job of a study, in the order in which kinds of jobs need each other."""
    jobs = planned_jobs(plan)
    everything, damaged = set(jobs), damaged_jobs(plan)
    found: dict[PlannedJob, JobState] = {}
    for job in jobs:
        own = own_state(plan, job, damaged)
        waits = any(found[need].state != "done" for need in needs(plan, job) if need in everything)
        found[job] = JobState(job, "follows") if own.state == "done" and waits else own
    return [found[job] for job in jobs]


def planned_jobs(plan: Plan) -> list[PlannedJob]:
    """Return all jobs that a study runs, by kind; those that run on request only are left out."""
    return [job for kind in JOBS if kind.name not in ON_REQUEST for job in jobs_of_kind(plan, kind.name)]


def jobs_of_kind(plan: Plan, kind: str) -> Iterator[PlannedJob]:
    scope = KINDS[kind].scope
    if scope == "study":
        yield PlannedJob(kind)
    elif scope == "family":
        yield from (PlannedJob(kind, family) for family in plan.by_family if kind != "along" or plan.along(family))
    else:
        for variant in plan.variants:
            if is_asked_for(variant, kind):
                names = [block.name for block in blocks(variant)] if scope == "block" else [""]
                yield from (PlannedJob(kind, variant.family_name, variant.name, name) for name in names)


def is_asked_for(variant: Variant, kind: str) -> bool:
    """Return whether the family of a variant wants a kind of job; all but two kinds are always wanted."""
    family = variant.family
    return {"phases": family.phases is not None, "sensitivity": family.llc.sensitivity}.get(kind, True)


def needs(plan: Plan, job: PlannedJob) -> Iterator[PlannedJob]:
    """Yield the jobs whose results a job reads, and some that the study does not ask for."""
    for kind in (*KINDS[job.kind].needs, *ALSO_NEEDS.get(job.kind, ())):
        scope = KINDS[kind].scope
        if scope == "family":
            yield from (PlannedJob(kind, family) for family in ([job.family] if job.family else plan.by_family))
            continue
        variants = [plan.variant(job.family, job.variant)] if job.variant else plan.by_family[job.family]
        for variant in variants:
            names = block_names(variant, job) if scope == "block" else [""]
            yield from (PlannedJob(kind, variant.family_name, variant.name, name) for name in names)


def block_names(variant: Variant, job: PlannedJob) -> Sequence[str]:
    """Return the blocks of a variant that a job reads."""
    if job.block:
        return [job.block]
    return [first_block(variant).name] if job.kind in ON_FIRST_SEED else [block.name for block in blocks(variant)]


def output(plan: Plan, job: PlannedJob) -> Path:
    """Return the declared output of a job."""
    results = Path(plan.study.results)
    if not job.family:
        return results / "report" / "index.html"
    if not job.variant:
        return results / job.family / FAMILY_FILES[job.kind]
    folder = results / job.family / job.variant
    return folder / VARIANT_FILES.get(job.kind, Path("jobs", job.block, f"{job.kind}.json"))


def outputs_to_make_again(plan: Plan) -> list[str]:
    """Return the declared outputs of jobs that began and never ended, or that began with another specification.

    Snakemake removes the output of a job that was interrupted. It would not run the job again where what other jobs made of
    the earlier output is still there. Nor does it know what a job began with where its folder `.snakemake` was left behind.
    """
    results = Path(plan.study.results)
    recorded = {job: results / plan.specification_file(*job) for job in planned_jobs(plan)}
    return [
        str(output(plan, job))
        for job, path in recorded.items()
        if path.exists() and (not output(plan, job).exists() or read(path) != json.loads(plan.specification(*job)))
    ]


def own_state(plan: Plan, job: PlannedJob, damaged: Mapping[str, str]) -> JobState:
    """Return the state of a job without regard to the jobs that it needs."""
    made = output(plan, job)
    recorded = Path(plan.study.results) / plan.specification_file(*job)
    if not made.exists() or not recorded.exists():
        return JobState(job, "missing")
    if str(made) in damaged:
        return JobState(job, "damaged")
    if recorded.stat().st_mtime > made.stat().st_mtime:
        return JobState(job, "interrupted")
    was, now = read(recorded), json.loads(plan.specification(*job))
    return JobState(job, "done") if was == now else JobState(job, "changed", was, now)


def read(path: Path) -> dict[str, Any]:
    """Return a recorded specification; an empty one where it is damaged."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
