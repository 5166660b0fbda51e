"""The jobs of a running study: which wait, run, are done or failed, and how long the rest takes."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from ontogeny.pipeline.cost import SECONDS_PER_JOB
from ontogeny.pipeline.status import PlannedJob

PRIOR_SECONDS = 30.0
"""Seconds of work for which the plan is trusted before what has run says more."""
TOLD = re.compile(r"(?P<done>\d+ of \d+ \w+), about (?P<left>\d+) s left$")
"""The last line of a job that says how far it is."""


@dataclass(frozen=True)
class Watched:
    """A job of the study that runs.

    Attributes:
        planned: seconds of one core, by the plan.
        began, ended: Unix times; None where that is to come.
        log: the file that the job's output goes to.
    """

    job: PlannedJob
    planned: float = SECONDS_PER_JOB
    state: Literal["waiting", "running", "done", "failed"] = "waiting"
    began: float | None = None
    ended: float | None = None
    log: Path | None = None

    def elapsed(self, now: float) -> float:
        """Return the seconds that the job has run."""
        return 0.0 if self.began is None else (now if self.ended is None else self.ended) - self.began

    def told(self) -> re.Match[str] | None:
        """Return how far a running job says it is, from the last line of its log."""
        return TOLD.search(last_line(self.log)) if self.log else None


@dataclass
class Progress:
    """All jobs of a run of Snakemake, kept current by its log.

    Attributes:
        seconds: (kind, family, variant) -> seconds of one core that a job takes, by the plan.
        cores: how many jobs run at a time.
    """

    seconds: Mapping[tuple[str, str, str], float]
    cores: int = 1
    jobs: dict[PlannedJob, Watched] = field(default_factory=dict)

    def expect(self, jobs: Iterable[PlannedJob]) -> None:
        """Take note of all jobs that will run."""
        for job in jobs:
            self.jobs.setdefault(job, Watched(job, self.seconds.get(job[:3], SECONDS_PER_JOB)))

    def start(self, job: PlannedJob, when: float, log: Path | None) -> None:
        self.expect([job])
        self.jobs[job] = replace(self.jobs[job], state="running", began=when, ended=None, log=log)

    def end(self, job: PlannedJob, when: float, *, failed: bool = False) -> None:
        self.expect([job])
        self.jobs[job] = replace(self.jobs[job], state="failed" if failed else "done", ended=when)

    def of(self, state: str) -> list[Watched]:
        return [watched for watched in self.jobs.values() if watched.state == state]

    def seconds_left(self, now: float) -> float:
        """Return the wall seconds until all jobs have run.

        The plan's seconds are scaled by what the jobs that have ended took. A running job that says how long it still takes
        is believed.
        """
        done = self.of("done")
        took = PRIOR_SECONDS + sum(watched.elapsed(now) for watched in done)
        scale = took / (PRIOR_SECONDS + sum(watched.planned for watched in done))
        running = [left_of(watched, scale, now) for watched in self.of("running")]
        waiting = [scale * watched.planned for watched in self.of("waiting")]
        at_once = max(1, min(self.cores, len(running) + len(waiting)))
        return max([(sum(running) + sum(waiting)) / at_once, *running, 0.0])


def left_of(watched: Watched, scale: float, now: float) -> float:
    """Return the seconds that a running job still takes."""
    told = watched.told()
    return float(told["left"]) if told else max(scale * watched.planned - watched.elapsed(now), 1.0)


def last_line(file: Path, size: int = 400) -> str:
    """Return the last line of a file that may not be there yet."""
    try:
        with file.open("rb") as opened:
            opened.seek(max(0, file.stat().st_size - size))
            text = opened.read().decode(errors="replace")
    except OSError:
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def duration(seconds: float) -> str:
    """Return a duration in words: 40 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def clock(seconds: float) -> str:
    """Return a duration as 1:05 or 2:01:05."""
    hours, rest = divmod(int(seconds), 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
