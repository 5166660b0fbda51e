"""`python -m benchmarks.overhead`: what the jobs of a study cost beside their work: to start, to compile, and Snakemake's own.

Runs the study in a new folder with nothing compiled before (a compilation cache of its own), and reads what every job says of
itself at the end of its log. What is left of cores × wall time beyond the jobs is Snakemake's and that of cores without a job;
the share of the overhead is told without and with that.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent
LINE = re.compile(r"^(\w+) ?.*: done in ([\d.]+) s, of which ([\d.]+) s to start and ([\d.]+) s to compile$", re.MULTILINE)


def run(configfile: Path, folder: Path, cores: int) -> float:
    """Wall seconds of the study."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    arguments = ["--snakefile", ROOT / "Snakefile", "--configfile", configfile.absolute(), "--cores", str(cores)]
    start = time.perf_counter()
    program = [sys.executable, "-m", "snakemake", *map(str, arguments), "--replace-workflow-config"]
    subprocess.run(program, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configfile", type=Path, default=ROOT / "config.yaml")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--folder", type=Path, help="where to run it; a temporary one, removed at the end, if not given")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise SystemExit(f"--folder: {folder} is not empty")
        wall = run(arguments.configfile, folder, arguments.cores)
        logs = [log.read_text() for log in folder.rglob("*.log") if ".snakemake" not in log.parts]
    jobs = defaultdict(list)
    for stage, *numbers in (match for log in logs for match in LINE.findall(log)):
        jobs[stage].append([float(number) for number in numbers])
    print("| stage | jobs | seconds | to start | to compile |\n|---|---|---|---|---|")
    jobs["all"] = [numbers for of_stage in jobs.values() for numbers in of_stage]
    for stage, of_stage in jobs.items():
        total, start, compilation = (sum(column) for column in zip(*of_stage, strict=True))
        print(f"| {stage} | {len(of_stage)} | {total:.0f} | {start:.0f} | {compilation:.0f} |")
    total, start, compilation = (sum(column) for column in zip(*jobs["all"], strict=True))
    cores = arguments.cores * wall
    print(f"\n{wall:.0f} s of wall time on {arguments.cores} cores; jobs fill {100 * total / cores:.0f}% of them.")
    print(f"To start and to compile: {100 * (start + compilation) / total:.1f}% of the jobs' time.")
    print(f"With Snakemake and idle cores: {100 * (start + compilation + cores - total) / cores:.1f}% of the cores' time.")


if __name__ == "__main__":
    main()
