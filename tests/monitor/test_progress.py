"""What is shown while a study runs, without running one."""

import io
import logging
import time
from pathlib import Path

import pytest
from rich.console import Console
from snakemake_interface_logger_plugins.common import LogEvent

from ontogeny.monitor.failures import failures
from ontogeny.monitor.handler import Follower
from ontogeny.monitor.lines import MOST_LINES, Lines
from ontogeny.monitor.live import Live
from ontogeny.monitor.progress import Progress, clock, duration
from ontogeny.pipeline.status import PlannedJob

SAMPLE = PlannedJob("sample", "toy", "base", "seed~0")
DETECT = PlannedJob("detect", "toy", "base", "seed~0")
PAGE = PlannedJob("index_page")


def progress(cores=1, **seconds: float) -> Progress:
    made = Progress({(kind, "toy", "base"): value for kind, value in seconds.items()}, cores)
    made.expect([SAMPLE, DETECT])
    return made


def test_the_time_left_is_the_plan_scaled_by_what_has_run():
    watched = progress(sample=300.0, detect=100.0)
    assert watched.seconds_left(0.0) == 400.0
    watched.start(SAMPLE, 0.0, None)
    assert watched.seconds_left(60.0) == 340.0
    watched.end(SAMPLE, 630.0)  # twice as long as planned
    assert watched.seconds_left(630.0) == pytest.approx(200.0)
    watched.start(DETECT, 630.0, None)
    watched.end(DETECT, 700.0)
    assert watched.seconds_left(700.0) == 0.0


def test_jobs_beside_each_other_share_the_time_but_the_longest_stays():
    assert progress(cores=4, sample=300.0, detect=300.0).seconds_left(0.0) == 300.0
    watched = progress(cores=2, sample=300.0, detect=100.0)
    watched.start(SAMPLE, 0.0, None)
    assert watched.seconds_left(0.0) == 300.0


def test_a_job_that_says_how_long_it_takes_is_believed(tmp_path):
    log = tmp_path / "sample.log"
    log.write_text("sample toy/base seed~0 seed 0: 10 of 30 checkpoints, about 55 s left\n")
    watched = progress(sample=300.0, detect=10.0)
    watched.start(SAMPLE, 0.0, log)
    assert watched.seconds_left(200.0) == pytest.approx(65.0)


def test_a_log_of_the_largest_default_study_is_short():
    stream = io.StringIO()
    lines = Lines(stream)
    jobs = [PlannedJob("sample", "toy", "base", f"seed~{seed}") for seed in range(500)]
    watched = Progress({})
    watched.expect(jobs)
    lines.started(watched)
    for place, job in enumerate(jobs):
        watched.start(job, time.time(), None)
        watched.end(job, time.time(), failed=place == 3)
        lines.changed(watched, job, time.time())
    text = stream.getvalue().splitlines()
    assert MOST_LINES <= len(text) <= MOST_LINES + 2 and "sample toy/base seed~3 failed" in stream.getvalue()


def test_a_long_silence_is_broken():
    stream = io.StringIO()
    lines = Lines(stream)
    watched = Progress({})
    jobs = [PlannedJob("sample", "toy", "base", f"seed~{seed}") for seed in range(500)]
    watched.expect(jobs)
    watched.start(jobs[0], 0.0, None)
    watched.end(jobs[0], time.time())
    lines.changed(watched, jobs[0], time.time())
    assert stream.getvalue() == ""
    lines.changed(watched, jobs[0], time.time() + 700)
    assert "1 of 500 jobs" in stream.getvalue()


def drawn(view: Live, width=100, height=30) -> str:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=False)
    view.console = console
    console.print(view.draw())
    return console.file.getvalue()


def test_the_view_has_a_row_for_each_variant_and_a_line_for_each_running_job(tmp_path):
    log = tmp_path / "sample.log"
    log.write_text("sample toy/base seed~0 seed 0: 10 of 30 checkpoints, about 55 s left\n")
    watched = progress(sample=300.0, detect=10.0)
    watched.expect([PlannedJob("sample", "toy", "base", "seed~1"), PlannedJob("train", "heads", "layers~2", "seed~0"), PAGE])
    watched.start(SAMPLE, time.time() - 65, log)
    view = Live(Console(file=io.StringIO()))
    view.progress = watched
    text = drawn(view)
    lines = text.splitlines()
    assert lines[0].split() == ["train", "sample", "detect"]
    assert lines[1].split() == ["toy/base", "▶", "0/2", "·"] and lines[2].split() == ["heads/layers~2", "·"]
    assert "sample toy/base seed~0  1:05  10 of 30 checkpoints" in text
    assert lines[-1].startswith("0 of 5 jobs") and "left" in lines[-1]


def test_a_low_screen_shows_what_runs():
    watched = Progress({})
    watched.expect(PlannedJob("sample", "toy", f"variant~{place}", "seed~0") for place in range(100))
    watched.start(PlannedJob("sample", "toy", "variant~77", "seed~0"), time.time(), None)
    watched.end(PlannedJob("sample", "toy", "variant~5", "seed~0"), time.time())
    view = Live(Console(file=io.StringIO()))
    view.progress = watched
    text = drawn(view, height=20)
    assert len(text.splitlines()) < 20 and "toy/variant~77" in text and "more, 1 done" in text


@pytest.mark.parametrize(
    ("seconds", "short", "words"), [(5, "0:05", "5 s"), (3725, "1:02:05", "62 min"), (7300, "2:01:40", "2 h 2 min")]
)
def test_durations_are_spelt(seconds, short, words):
    assert clock(seconds) == short and duration(seconds) == words


def failed(folder: Path, job: PlannedJob, text: str) -> Progress:
    log = folder / f"{job.block}.log"
    log.write_text(text)
    made = Progress({})
    made.start(job, 0.0, log)
    made.end(job, 1.0, failed=True)
    return made


def test_a_reason_that_several_jobs_share_is_told_once(tmp_path):
    text = "sample: 3 of 9\nsample toy/base seed~0 cannot go on: mine.py:Net fails: 'hiddn'\n  did you mean hidden?\n"
    other = PlannedJob("sample", "toy", "base", "seed~1")
    both = [*failed(tmp_path, SAMPLE, text).of("failed"), *failed(tmp_path, other, text).of("failed")]
    told = failures(both)
    assert len(told) == 1
    assert told[0].startswith(
        "sample toy/base seed~0, sample toy/base seed~1 failed: mine.py:Net fails: 'hiddn'\n  did you mean hidden?"
    )
    assert told[0].endswith(f"Its log: {tmp_path / 'seed~0.log'}")


def test_a_traceback_is_told_by_its_last_line(tmp_path):
    watched = failed(tmp_path, SAMPLE, "Traceback (most recent call last):\n  File x\nMemoryError: out of memory\n").of("failed")
    assert "failed: MemoryError: out of memory" in failures(watched)[0]
    empty = failed(tmp_path, SAMPLE, "").of("failed")
    assert "failed: killed" in failures(empty, "killed")[0]


class Silent:
    """A display that keeps what it is told."""

    def __init__(self):
        self.told: list[str] = []

    def started(self, progress): ...
    def changed(self, progress, job, when):
        self.told.append(f"{job.kind} {progress.jobs[job].state}")

    def say(self, text):
        self.told.append(text)

    def stop(self): ...


def record(level=logging.INFO, text="", **extra) -> logging.LogRecord:
    return logging.makeLogRecord({"levelno": level, "msg": text, "message": text, **extra})


def test_the_log_of_snakemake_becomes_progress():
    follower = Follower(Progress({}), Silent())
    follower.expect([SAMPLE, DETECT], 2)
    named = {"family": "toy", "variant": "base", "block": "seed~0"}
    follower.follow(record(event=LogEvent.JOB_INFO, rule_name="sample", jobid=3, wildcards=named, log=["a.log"]))
    follower.follow(record(event=LogEvent.JOB_INFO, rule_name="all", jobid=4, wildcards={}, log=[]))
    follower.follow(record(event=LogEvent.JOB_FINISHED, job_id=3))
    follower.follow(record(event=LogEvent.JOB_FINISHED, job_id=4))
    follower.follow(record(event=LogEvent.JOB_INFO, rule_name="detect", jobid=5, wildcards=named, log=["b.log"]))
    follower.follow(record(logging.ERROR, "CalledProcessError", event=LogEvent.ERROR, exception="RuleException"))
    follower.follow(record(logging.ERROR, event=LogEvent.JOB_ERROR, jobid=5))
    follower.follow(record(logging.ERROR, "Exiting because a job execution failed."))
    follower.follow(record(logging.ERROR, "LockException: locked", event=LogEvent.ERROR, exception="LockException"))
    assert follower.display.told == ["sample running", "sample done", "detect running", "detect failed"]
    assert follower.errors == ["LockException: locked"] and follower.said == "CalledProcessError"
    assert follower.progress.cores == 2 and len(follower.progress.jobs) == 2


def test_jobs_that_end_by_an_interrupt_have_not_failed():
    follower = Follower(Progress({}), Silent())
    named = {"family": "toy", "variant": "base", "block": "seed~0"}
    follower.follow(record(event=LogEvent.JOB_INFO, rule_name="sample", jobid=3, wildcards=named, log=["a.log"]))
    follower.follow(record(text="Terminating processes on user request, this might take some time."))
    follower.follow(record(logging.ERROR, event=LogEvent.JOB_ERROR, jobid=3))
    assert follower.stopped and follower.progress.of("failed") == [] and follower.display.told[-1].startswith("Stopping.")
