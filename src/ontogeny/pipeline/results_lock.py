"""A lock on a results folder: two studies that run in different folders must not write the same results at once."""

import fcntl
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from ontogeny.errors import SpecificationError

FILE = ".lock"
UNKNOWN = {"folder": "another folder", "process": "?", "host": "?"}
"""What a lock says while its first line is being written."""


def hold(results: Path) -> None:
    """Lock a results folder until this process ends. The kernel releases the lock, however the process ends.

    Processes that run in the same folder share the lock, because Snakemake has a lock of its own there.

    Raises:
        SpecificationError: a process that runs in another folder, or on another machine, holds the lock.
    """
    results.mkdir(parents=True, exist_ok=True)
    file = os.open(results / FILE, os.O_RDWR | os.O_CREAT, 0o666)
    own = {"folder": str(Path.cwd()), "process": os.getpid(), "host": platform.node()}
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(own).encode(), 0)
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        share(file, results, own)
    except OSError as error:
        print(f"{results} cannot be locked ({error}): let no other study use it meanwhile", file=sys.stderr, flush=True)


def holder(results: Path) -> dict[str, Any] | None:
    """Return the folder, the process and the host of the study that writes into a results folder; None where none does."""
    try:
        with (results / FILE).open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        try:
            return json.loads((results / FILE).read_text())
        except ValueError:
            return dict(UNKNOWN)
    except OSError:
        pass
    return None


def share(file: int, results: Path, own: dict[str, Any]) -> None:
    """Join a lock that another process holds.

    Raises:
        SpecificationError: the other process runs in another folder, or on another machine.
    """
    try:
        other = json.loads(os.pread(file, 2**16, 0))
    except ValueError:  # its first line is being written
        other = UNKNOWN
    if (other["folder"], other["host"]) == (own["folder"], own["host"]):
        fcntl.flock(file, fcntl.LOCK_SH)
        return
    os.close(file)
    raise SpecificationError(
        f"{results} is in use by a study in {other['folder']} (process {other['process']} on {other['host']}); "
        "wait until it ends, or give this study another folder with results:"
    )
