"""Progress in plain lines, for logs: a line where a fortieth of the jobs has ended, and one after a long silence."""

import time
from typing import TextIO

from ontogeny.monitor.progress import Progress, clock, duration
from ontogeny.pipeline.status import PlannedJob

MOST_LINES = 40
SILENCE = 600.0
"""Seconds after which a line comes although no fortieth has ended."""


class Lines:
    """Write lines to a stream."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.began = self.last = time.time()
        self.told = 0

    def started(self, progress: Progress) -> None:
        left = duration(progress.seconds_left(time.time()))
        self.say(
            f"{len(progress.jobs)} jobs to run, about {left} on {progress.cores} at a time. Each writes a log beside its results."
        )

    def changed(self, progress: Progress, job: PlannedJob, when: float) -> None:
        watched = progress.jobs[job]
        if watched.state == "failed":
            self.say(f"[{clock(when - self.began)}] {job.label} failed")
        elif watched.state == "done":
            ended, jobs = len(progress.of("done")), len(progress.jobs)
            due = (ended * MOST_LINES) // jobs > (self.told * MOST_LINES) // jobs or when - self.last > SILENCE
            if due or ended == jobs:
                self.told, self.last = ended, when
                left = f", about {duration(progress.seconds_left(when))} left" if ended < jobs else ""
                took = duration(watched.elapsed(when))
                self.say(f"[{clock(when - self.began)}] {ended} of {jobs} jobs{left}: {job.label} took {took}")

    def say(self, text: str) -> None:
        print(text, file=self.stream, flush=True)

    def stop(self) -> None:
        """Nothing is left on the screen."""
