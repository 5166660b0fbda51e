"""`python -m benchmarks.scaling`: how time and memory of sampling grow with checkpoints, chains and draws.

The toy model of superposition and a deep linear network (`speed_workloads`), one pinned core. Each count is a process of its own:
the CPU time of a second call, whose program is compiled already, and the peak of the whole process's memory. Growth is the time a
unit takes beside that at the largest count; draws themselves, four bytes each, are kept in memory.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.cores import pin

FACTORS = (1, 4, 16)
BASE = {"checkpoints": 20, "chains": 8, "draws": 200}
SMALLER = {"dln": {"checkpoints": 4, "chains": 4, "draws": 50}}


def measure(name: str, counts: dict[str, int]) -> dict[str, float]:
    """In this process: seconds of a call, and megabytes."""
    pin()
    import jax
    import numpy as np

    import ontogeny
    from benchmarks import speed_jax
    from benchmarks.speed_workloads import WORKLOADS, problem

    work, (checkpoints, data) = WORKLOADS[name], problem(name)
    places = np.arange(counts["checkpoints"]) % work.checkpoints
    several = {leaf: array[places] for leaf, array in checkpoints.items()}
    loss = speed_jax.loss_of(name)

    def call(seed: int) -> None:
        traces = ontogeny.sample(
            loss,
            several,
            data,
            key=jax.random.key(seed),
            draws=counts["draws"],
            burn_in=0,
            **{**speed_jax.settings(work), "chains": counts["chains"]},
        )
        jax.block_until_ready(traces.values)

    call(0)
    start = time.process_time()
    call(1)
    seconds = time.process_time() - start
    return {"seconds": seconds, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def in_a_process(name: str, counts: dict[str, int]) -> dict[str, float]:
    code = f"import json; from benchmarks.scaling import measure; print(json.dumps(measure({name!r}, {counts!r})))"
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    finished = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return json.loads(finished.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", nargs="+", default=["tms", "dln"], choices=["tms", "dln"])
    parser.add_argument("--output", type=Path, help="write the rows here as JSON")
    arguments = parser.parse_args()
    rows = []
    print("| work | grows | × | seconds | time a unit, × that at the largest | megabytes |\n|---|---|---|---|---|---|")
    for name in arguments.work:
        base = {**BASE, **SMALLER.get(name, {})}
        for axis in base:
            found = {factor: in_a_process(name, {**base, axis: factor * base[axis]}) for factor in FACTORS}
            unit = found[FACTORS[-1]]["seconds"] / FACTORS[-1]
            for factor, measured in found.items():
                rows.append(
                    {"work": name, "axis": axis, "factor": factor, **measured, "unit": measured["seconds"] / factor / unit}
                )
                print(
                    "| {work} | {axis} | {factor} | {seconds:.3f} | {unit:.2f} | {megabytes:.0f} |".format(**rows[-1]), flush=True
                )
    if arguments.output:
        arguments.output.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
