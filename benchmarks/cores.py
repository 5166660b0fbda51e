"""One core for what is timed, so that seconds of work do not depend on how many cores there are."""

import os


def pin() -> None:
    """Keep this process on the last of the cores it may use, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
