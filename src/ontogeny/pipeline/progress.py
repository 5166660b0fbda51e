"""Progress of long work: a bar on a terminal, a plain line every few seconds in a log."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def progress(label: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """Yield a function to call with how many units are done in all."""
    if sys.stderr.isatty():
        with tqdm(desc=label, total=total, unit=f" {unit}", file=sys.stderr) as bar:

            def show(done: int) -> None:
                bar.update(done - bar.n)

            yield show
    else:
        yield line_printer(label, total, unit)


def line_printer(label: str, total: int, unit: str) -> Callable[[int], None]:
    """Print a line, with the seconds left, when enough time has gone by and at the end."""
    began = time.monotonic()
    last = began
    first: int | None = None

    def show(done: int) -> None:
        nonlocal last, first
        now = time.monotonic()
        first = done if first is None else first
        if done < total and now - last < SECONDS_BETWEEN_LINES:
            return
        last = now
        left = (now - began) * (total - done) / max(done - first, 1)
        remaining = f", about {left:.0f} s left" if first < done < total else f", {now - began:.0f} s" if done == total else ""
        print(f"{label}: {done} of {total} {unit}{remaining}", file=sys.stderr, flush=True)

    return show
