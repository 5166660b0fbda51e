"""The platform, the threads and the compilation cache of a process. Call `prepare` before JAX is imported."""

import os
import sys
from hashlib import blake2b
from pathlib import Path


def prepare(threads: int = 1) -> None:
    """Give JAX `threads` cores, and let every job reuse what earlier ones compiled.

    On the processor each core is a device of its own, and sampling spreads over devices.

    Settings that the user made in the environment stand.

    Raises:
        RuntimeError: JAX is already imported, so that the settings would come too late.
    """
    if "jax" in sys.modules:
        raise RuntimeError("devices.prepare must be called before JAX is imported")
    # Threads within an operation gain nothing on models of this size.
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    os.environ.setdefault("JAX_NUM_CPU_DEVICES", str(threads))
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(compilation_cache()))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
    # Several jobs may share a GPU; each would otherwise take three quarters of its memory at once.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def prepare_jobs() -> None:
    """Let `python` in the jobs of a workflow be the one that runs Snakemake, also where its environment is not activated."""
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    keep_bytecode()


def keep_bytecode() -> None:
    """Keep bytecode files of child processes in the cache folder where the environment forbids them (many containers do).

    A job would otherwise compile a thousand modules of its libraries anew, 2-3 seconds each time.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        os.environ.setdefault("PYTHONPYCACHEPREFIX", str(cache_folder() / "bytecode"))


def cache_folder() -> Path:
    """Return the folder of what ontogeny can make again."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ontogeny"


def compilation_cache() -> Path:
    """Return the folder of compiled programs for this kind of processor. Machine code of another may not run here."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    features = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    kind = blake2b(features.encode(), digest_size=4).hexdigest()
    return cache_folder() / f"jax-{os.uname().machine}-{kind}"
