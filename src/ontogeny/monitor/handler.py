"""Follow Snakemake: its log, event by event, becomes `Progress`, and a display shows it."""

import logging
import threading
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

from ontogeny.config.job_names import KINDS
from ontogeny.monitor.progress import Progress
from ontogeny.pipeline.status import PlannedJob

NAME = "ontogeny"
EXPECTED = logging.getLogger("ontogeny.jobs")
"""The logger by which the Snakefile tells all jobs that will run, when the first starts."""
STOPPED = ("Terminating processes on user request", "Will exit after finishing currently running jobs")
"""What Snakemake says after an interrupt and after a request to terminate."""
OF_JOBS = ("RuleException", "CalledProcessError")
"""Errors of Snakemake that only repeat that a job failed."""
TRAITS = {
    "writes_to_stream": True,
    "writes_to_file": False,
    "has_filter": True,
    "has_formatter": True,
    "needs_rulegraph": False,
}
"""What Snakemake asks of a handler of its log: this one takes the place of all that Snakemake prints."""
ON_PLOTLY = "Warning: the following output files of rule index_page were not present when the DAG was created"
"""Leave this out: Snakemake says it of the plotly.js that earlier pages have written."""
AFTER_FAILURES = ("Exiting because a job execution failed", "WorkflowError:\nAt least one job did not complete")


class Display(Protocol):
    """What shows the progress of a study."""

    def started(self, progress: Progress) -> None: ...
    def changed(self, progress: Progress, job: PlannedJob, when: float) -> None: ...
    def say(self, text: str) -> None: ...
    def stop(self) -> None: ...


@dataclass
class Follower:
    """What is known of a run of Snakemake.

    Attributes:
        stopped: the user has interrupted it.
        errors: what Snakemake itself says is wrong.
        said: what it said of the last job that failed.
    """

    progress: Progress
    display: Display
    stopped: bool = False
    errors: list[str] = field(default_factory=list)
    said: str = ""
    ids: dict[int, PlannedJob] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def expect(self, jobs: Iterable[PlannedJob], cores: int | None) -> None:
        """Take note of all jobs that will run, before the first starts."""
        with self.lock:
            self.progress.expect(jobs)
            self.progress.cores = cores or len(self.progress.jobs)
            self.display.started(self.progress)

    def follow(self, record: logging.LogRecord) -> None:
        """Take note of a record of Snakemake's log."""
        with self.lock:
            event = getattr(record, "event", None)
            if event is None:
                self.message(record)
            elif event in EVENTS:
                EVENTS[event](self, record.__dict__)

    def message(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text.startswith(STOPPED) and not self.stopped:
            self.stopped = True
            self.display.say("Stopping. What the running jobs have kept stays; `ontogeny run` goes on from there.")
        elif record.levelno >= logging.ERROR and not text.startswith(AFTER_FAILURES):
            self.errors.append(text)
        elif record.levelno >= logging.WARNING and not text.startswith((*AFTER_FAILURES, ON_PLOTLY)):
            self.display.say(text)

    def job_info(self, record: Mapping[str, Any]) -> None:
        if record["rule_name"] not in KINDS:
            return
        named = record["wildcards"]
        job = PlannedJob(record["rule_name"], *(named.get(name, "") for name in ("family", "variant", "block")))
        self.ids[record["jobid"]] = job
        self.progress.start(job, record["created"], Path(record["log"][0]) if record["log"] else None)
        self.display.changed(self.progress, job, record["created"])

    def job_finished(self, record: Mapping[str, Any]) -> None:
        self.ended(record["job_id"], record["created"], failed=False)

    def job_error(self, record: Mapping[str, Any]) -> None:
        if not self.stopped:
            self.ended(record["jobid"], record["created"], failed=True)

    def ended(self, number: int, when: float, *, failed: bool) -> None:
        if number in self.ids:
            self.progress.end(self.ids[number], when, failed=failed)
            self.display.changed(self.progress, self.ids[number], when)

    def error(self, record: Mapping[str, Any]) -> None:
        text = record["message"]
        if record.get("exception") in OF_JOBS:
            self.said = text.splitlines()[-1]
        elif not text.startswith(AFTER_FAILURES) and text not in self.errors:
            self.errors.append(text)


EVENTS: Mapping[str, Callable[[Follower, Mapping[str, Any]], None]] = {
    LogEvent.JOB_INFO: Follower.job_info,
    LogEvent.JOB_FINISHED: Follower.job_finished,
    LogEvent.JOB_ERROR: Follower.job_error,
    LogEvent.ERROR: Follower.error,
}


def register(follower: Follower) -> None:
    """Let `snakemake --logger ontogeny` in this process tell a follower what happens, and print nothing itself."""

    def emit(_: LogHandlerBase, record: logging.LogRecord) -> None:
        follower.follow(record)

    class Expected(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            follower.expect((PlannedJob(*job) for job in record.__dict__["jobs"]), record.__dict__["cores"])

    plugin = types.ModuleType(f"snakemake_logger_plugin_{NAME}")
    plugin.__dict__["LogHandler"] = type("LogHandler", (LogHandlerBase,), {**TRAITS, "emit": emit})
    LoggerPluginRegistry().register_plugin(plugin.__name__, plugin)
    EXPECTED.addHandler(Expected())
    EXPECTED.setLevel(logging.INFO)
    EXPECTED.propagate = False
