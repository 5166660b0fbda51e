"""Progress on a terminal: a table of variants and kinds of jobs that changes in place, the running jobs, and the time left."""

import time
from collections.abc import Sequence

from rich.console import Console, Group
from rich.live import Live as Screen
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ontogeny.config.job_names import JOBS
from ontogeny.monitor.progress import Progress, Watched, clock, duration
from ontogeny.pipeline.status import PlannedJob

HEADS = {"calibrate": "calib.", "estimate": "estim.", "sensitivity": "sensit.", "consensus": "consen.", "run_pages": "pages"}
MOST_RUNNING = 6
LINES_BESIDE = 8
"""Lines of the screen that the rows of variants leave free."""
MARKS = {"waiting": ("·", "dim"), "running": ("▶", "bold cyan"), "done": ("✓", "green"), "failed": ("✗", "bold red")}


class Live:
    """A view that is drawn twice a second."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.began = time.time()
        self.progress: Progress | None = None
        self.screen = Screen(console=console, get_renderable=self.draw, refresh_per_second=2, transient=True)

    def started(self, progress: Progress) -> None:
        self.progress = progress
        self.screen.start()

    def changed(self, progress: Progress, job: PlannedJob, when: float) -> None:
        """The next drawing shows it; a failure stays on the terminal."""
        if progress.jobs[job].state == "failed":
            self.say(f"{job.label} failed")

    def say(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False)

    def stop(self) -> None:
        self.screen.stop()

    def draw(self) -> Group:
        """Return what the terminal shows."""
        if self.progress is None:
            return Group()
        now = time.time()
        return Group(table(self.progress, self.console.size.height), *running(self.progress, now), self.bar(now))

    def bar(self, now: float) -> Table:
        assert self.progress is not None
        done, jobs = len(self.progress.of("done")), len(self.progress.jobs)
        elapsed, left = now - self.began, self.progress.seconds_left(now)
        row = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=max(elapsed + left, 1), completed=elapsed, width=24)
        row.add_row(f"{done} of {jobs} jobs", bar, f"{clock(elapsed)}, about {duration(left)} left")
        return row


def table(progress: Progress, height: int) -> Table:
    """Return a row for each variant; where the screen is low, those that run come first and the others are counted."""
    jobs = [watched for watched in progress.jobs.values() if watched.job.variant]
    kinds = [kind.name for kind in JOBS if any(watched.job.kind == kind.name for watched in jobs)]
    names = list(dict.fromkeys(f"{watched.job.family}/{watched.job.variant}" for watched in jobs))
    rows = {name: [watched for watched in jobs if f"{watched.job.family}/{watched.job.variant}" == name] for name in names}
    most = max(3, height - LINES_BESIDE - min(len(progress.of("running")), MOST_RUNNING))
    shown = sorted(names, key=lambda name: urgency(rows[name]))[:most] if len(names) > most else names
    grid = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    grid.add_column("", no_wrap=True, overflow="ellipsis", min_width=12)
    for kind in kinds:
        grid.add_column(HEADS.get(kind, kind), no_wrap=True)
    for name in shown:
        grid.add_row(name, *(cell([watched for watched in rows[name] if watched.job.kind == kind]) for kind in kinds))
    if len(shown) < len(names):
        rest = [name for name in names if name not in shown]
        finished = sum(all(watched.state == "done" for watched in rows[name]) for name in rest)
        grid.add_row(Text(f"and {len(rest)} more, {finished} done", style="dim"))
    return grid


def urgency(jobs: Sequence[Watched]) -> int:
    """Return what puts the rows in order: failures, rows that run, rows that wait, rows that are done."""
    states = {watched.state for watched in jobs}
    return next((place for place, state in enumerate(("failed", "running", "waiting")) if state in states), 3)


def cell(jobs: Sequence[Watched]) -> Text:
    """Return a mark for one job, and how many of several are done."""
    if not jobs:
        return Text()
    states = [watched.state for watched in jobs]
    state = next(name for name in ("failed", "running", "waiting", "done") if name in states)
    mark, style = MARKS[state]
    done = states.count("done")
    return Text(mark if len(jobs) == 1 or done == len(jobs) else f"{mark} {done}/{len(jobs)}", style=style)


def running(progress: Progress, now: float) -> list[Text]:
    """Return a line for each running job, with how far it says it is."""
    lines = []
    for watched in progress.of("running")[:MOST_RUNNING]:
        told = watched.told()
        how_far = f"  {told['done']}" if told else ""
        lines.append(
            Text(
                f"  {watched.job.label}  {clock(watched.elapsed(now))}{how_far}", style="cyan", no_wrap=True, overflow="ellipsis"
            )
        )
    return lines
