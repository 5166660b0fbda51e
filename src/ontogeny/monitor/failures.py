"""Why jobs failed, from their logs: each reason once."""

from collections.abc import Sequence
from pathlib import Path

from ontogeny.monitor.progress import Watched

CANNOT_GO_ON = " cannot go on: "
MOST_NAMED = 4


def failures(failed: Sequence[Watched], said: str = "") -> list[str]:
    """Return a text for each reason: the jobs, what they say, and the log to read.

    Args:
        failed: the jobs that failed.
        said: what Snakemake said last, for jobs whose log says nothing.
    """
    by_reason: dict[str, list[Watched]] = {}
    for watched in failed:
        by_reason.setdefault(reason(watched.log) or said or "it says nothing", []).append(watched)
    return [f"{names(jobs)} failed: {why}{place(jobs)}" for why, jobs in by_reason.items()]


def names(jobs: Sequence[Watched]) -> str:
    labels = [watched.job.label for watched in jobs]
    more = f" and {len(labels) - MOST_NAMED} more" if len(labels) > MOST_NAMED else ""
    return ", ".join(labels[:MOST_NAMED]) + more


def place(jobs: Sequence[Watched]) -> str:
    logs = [watched.log for watched in jobs if watched.log]
    return f"\n  Its log: {logs[0]}" if logs else ""


def reason(log: Path | None) -> str:
    """Return what a log says of a failure: the fault that was told in a line, else the last line, which ends a traceback."""
    try:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()] if log else []
    except OSError:
        return ""
    told = [place for place, line in enumerate(lines) if CANNOT_GO_ON in line]
    if told:
        first, *more = lines[told[-1] :]
        return "\n".join([first.partition(CANNOT_GO_ON)[2], *more])
    return lines[-1] if lines else ""
