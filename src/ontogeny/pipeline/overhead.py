"""Measure how long a job takes to start and to compile."""

import sys
from collections.abc import Callable


def compilation_seconds() -> Callable[[], float]:
    """Return a function that gives the seconds since now that JAX has traced, compiled and read programs from the cache."""
    if "jax" not in sys.modules:
        return lambda: 0.0
    from jax import monitoring

    seconds = [0.0]

    def listen(event: str, duration_secs: float, **kwargs: str | int) -> None:
        if event.startswith("/jax/core/compile/"):
            seconds[0] += duration_secs

    monitoring.register_event_duration_secs_listener(listen)
    return lambda: seconds[0]


def closing_line(label: str, total: float, start: float, compilation: float) -> str:
    """Return the last line of a job's log, in wall seconds; `benchmarks.overhead` reads it."""
    return f"{label}: done in {total:.1f} s, of which {start:.1f} s to start and {compilation:.1f} s to compile"
