"""`python -m benchmarks.speed`: steps a second of sampling and the time of a whole process, beside the alternatives.

The work (`speed_workloads`) is the same for every program: float32, batches drawn anew at every step, the same ε, nβ, γ. A step
is one gradient of a minibatch in one chain. Every measurement is a process of its own with an empty compilation cache, on one
pinned core; programs alternate (A B A B), and medians are compared, in CPU seconds. The ceiling is a product of two 1024 × 1024
matrices, measured by every JAX process right after its work.

`--cores all` then runs every program on all cores as well, and compares wall time: ontogeny with a device for each core, the
other JAX programs and PyTorch with threads within operations.

devinterp 2.0.1 and canonical-interp 0.2.7 live in an environment of their own (Python 3.12 or later), made once by

    UV_PROJECT_ENVIRONMENT=.peers uv sync -p 3.12 --only-group peers
"""

import argparse
import hashlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import regression
from benchmarks.cores import pin
from benchmarks.speed_workloads import WORKLOADS, problem

TORCH = ("devinterp", "devinterp, attention written out", "canonical-interp", "canonical-interp, compiled")
JAX = ("ontogeny", "straightforward", "blackjax")
IMPORTS = {
    **dict.fromkeys(JAX, "jax, ontogeny.estimates.llc, blackjax, benchmarks.speed_jax"),
    **dict.fromkeys(TORCH[:2], "torch, devinterp.slt.llc"),
    **dict.fromkeys(TORCH[2:], "torch, canonical_interp.slt"),
}
"""What a program imports, once before it is timed, so that the bytecode is there."""
Result = dict[str, float]


def measure(program: str, name: str, repetitions: int, pinned: bool) -> Result:
    """In this process: seconds up to the first result, and steps a second after compilation."""
    if pinned:
        pin()
    if program in TORCH:
        return measure_torch(program, name, 1 if pinned else os.cpu_count() or 1)
    return measure_jax(program, name, repetitions)


def measure_jax(program: str, name: str, repetitions: int) -> Result:
    """The whole workload, and then once more for every repetition."""
    import jax

    from benchmarks import speed_jax

    work, (checkpoints, data) = WORKLOADS[name], problem(name)
    function = speed_jax.PROGRAMS[program](speed_jax.loss_of(name), work)
    mean = float(jax.block_until_ready(function(checkpoints, data, jax.random.key(0)))[0])
    first = time.process_time()
    used, wall = [], []
    for seed in range(1, repetitions + 1):
        start = time.process_time(), time.perf_counter()
        jax.block_until_ready(function(checkpoints, data, jax.random.key(seed)))
        used.append(time.process_time() - start[0])
        wall.append(time.perf_counter() - start[1])
    rate = work.steps / statistics.median(used)
    ceiling = speed_jax.ceiling()
    share = rate * work.product_flops / ceiling
    rates = {"steps_per_second": rate, "steps_per_wall_second": work.steps / statistics.median(wall)}
    return {"whole_process": first, **rates, "ceiling": ceiling, "share_of_ceiling": share, "llc": mean}


def measure_torch(program: str, name: str, threads: int) -> Result:
    """The whole workload, a checkpoint after another; steps a second of those after the first."""
    from benchmarks import speed_torch

    work, (checkpoints, data) = WORKLOADS[name], problem(name)
    taken = speed_torch.run(program, name, checkpoints, data, threads)
    steps = work.steps / work.checkpoints
    rates = {
        "steps_per_second": steps / statistics.median(taken.used[1:]),
        "steps_per_wall_second": steps / statistics.median(taken.wall[1:]),
    }
    return {"whole_process": taken.whole, **rates, "llc": taken.llc[0]}


def in_a_process(program: str, name: str, repetitions: int, peers: Path, cores: str = "one") -> Result:
    """`measure` in a fresh process without a compilation cache."""
    python = peers.absolute() / "bin" / "python" if program in TORCH else Path(sys.executable)
    environment = {**os.environ, "JAX_ENABLE_COMPILATION_CACHE": "false", "JAX_PLATFORMS": os.environ.get("JAX_PLATFORMS", "cpu")}
    # This clone's own code, also where the environment was installed from another.
    root = Path(__file__).parent.parent
    environment |= {"PYTHONPATH": f"{root}{os.pathsep}{root / 'src'}", "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
    # Bytecode is kept, as it is by default: where it is not, every process compiles its libraries anew, a second or two.
    environment |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "speed-bytecode")}
    if cores == "all" and program == "ontogeny":
        environment["JAX_NUM_CPU_DEVICES"] = str(os.cpu_count())
    run(python, f"import {IMPORTS[program]}", environment)
    arguments = f"{program!r}, {name!r}, {repetitions}, {cores == 'one'}"
    code = f"import json; from benchmarks.speed import measure; print(json.dumps(measure({arguments})))"
    return json.loads(run(python, code, environment).splitlines()[-1])


def run(python: Path, code: str, environment: dict[str, str]) -> str:
    """What a program prints.

    Raises:
        SystemExit: it fails; with the end of what it wrote.
    """
    finished = subprocess.run([str(python), "-c", code], env=environment, capture_output=True, text=True)
    if finished.returncode:
        raise SystemExit(f"{code} failed:\n{finished.stderr[-2000:]}")
    return finished.stdout


def fits(program: str, name: str) -> bool:
    """Whether a program differs from the others on a work."""
    return "attention" not in program or "vocabulary" in WORKLOADS[name].shape


def medians(results: list[Result]) -> Result:
    return {name: statistics.median(result[name] for result in results) for name in results[0]}


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown: every program beside ontogeny on the same work; a ratio above 1 is how much faster ontogeny is."""
    lines = [
        "| work | program | whole process, CPU s | × ontogeny's | steps/s | ontogeny's × | share of ceiling | λ̂ |",
        "|---|---|---|---|---|---|---|---|",
    ]
    ours = {row["work"]: row for row in rows if row["program"] == "ontogeny" and row["cores"] == "one"}
    for row in (row for row in rows if row["cores"] == "one"):
        beside, share = ours.get(row["work"], row), row.get("share_of_ceiling")
        whole = row["whole_process"]
        lines.append(
            f"| {row['work']} | {row['program']} | {whole:.1f} | {whole / beside['whole_process']:.2f} "
            f"| {row['steps_per_second']:,.4g} | {beside['steps_per_second'] / row['steps_per_second']:.3g} "
            f"| {'' if share is None else f'{100 * share:.0f}%'} | {row['llc']:.2f} |"
        )
    ceilings = [row["ceiling"] / 1e9 for row in rows if row["cores"] == "one" and "ceiling" in row]
    lines += ["", f"The ceiling: {min(ceilings):.0f} to {max(ceilings):.0f} GF/s."] if ceilings else []
    everywhere = [row for row in rows if row["cores"] == "all"]
    if everywhere:
        lines += [
            "",
            "| work | program | steps per wall second, all cores | ontogeny's × | × its own on one core |",
            "|---|---|---|---|---|",
        ]
    alone = {(row["work"], row["program"]): row["steps_per_wall_second"] for row in rows if row["cores"] == "one"}
    first = {row["work"]: row["steps_per_wall_second"] for row in everywhere if row["program"] == "ontogeny"}
    for row in everywhere:
        rate = row["steps_per_wall_second"]
        lines.append(
            f"| {row['work']} | {row['program']} | {rate:,.4g} | {first.get(row['work'], math.nan) / rate:.3g} "
            f"| {rate / alone[row['work'], row['program']]:.2f} |"
        )
    return "\n".join(lines)


def code() -> str:
    """A digest of the code that is measured: what was measured of other code is not averaged with it."""
    root = Path(__file__).parent.parent
    files = [*sorted((root / "src" / "ontogeny").rglob("*.py")), *sorted((root / "benchmarks").glob("speed*.py"))]
    return hashlib.blake2b(b"".join(file.read_bytes() for file in files), digest_size=6).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", nargs="+", default=["ontogeny", "straightforward"], choices=[*JAX, *TORCH])
    parser.add_argument("--work", nargs="+", default=["tms", "tms, examples first"], choices=list(WORKLOADS))
    parser.add_argument("--rounds", type=int, default=3, help="processes per program and work")
    parser.add_argument("--repetitions", type=int, default=3, help="timed runs after compilation, per JAX process")
    parser.add_argument("--cores", default="one", choices=["one", "all"], help="all: on all cores as well")
    parser.add_argument("--peers", type=Path, default=Path(".peers"), help="the virtual environment of the PyTorch peers")
    parser.add_argument(
        "--output", type=Path, help="keep every measurement here as JSON; rounds are added to those of the same code"
    )
    parser.add_argument("--store", action="store_true", help="keep the ratios of both JAX programs in benchmarks/regression.json")
    arguments = parser.parse_args()
    digest = code()
    kept = json.loads(arguments.output.read_text()) if arguments.output and arguments.output.exists() else []
    cases = [(name, program, "one") for name in arguments.work for program in arguments.programs if fits(program, name)]
    cases += [(name, program, "all") for name, program, _ in cases if arguments.cores == "all"]
    for _ in range(arguments.rounds):
        for name, program, cores in cases:
            measured = in_a_process(program, name, arguments.repetitions, arguments.peers, cores)
            kept.append({"code": digest, "work": name, "program": program, "cores": cores, **measured})
            print(f"{name}, {program}, {cores}: {measured}", file=sys.stderr, flush=True)
            if arguments.output:
                arguments.output.write_text(json.dumps(kept, indent=1) + "\n")
    measured = [row for row in kept if row["code"] == digest]
    print(table(summary(measured)))
    if arguments.store:
        regression.store(regression.ratios(measured), digest)
    elif ratios := regression.ratios(measured):
        print("", regression.comparison(ratios, digest, json.loads(regression.STORED.read_text())), sep="\n")


def summary(kept: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row per work, program and cores: the medians over processes."""
    groups: dict[tuple[str, ...], list[Result]] = {}
    names = ("work", "program", "cores")
    for one in kept:
        measured = {name: value for name, value in one.items() if name not in (*names, "code")}
        groups.setdefault(tuple(one[name] for name in names), []).append(measured)
    return [{**dict(zip(names, key, strict=True)), **medians(results)} for key, results in groups.items()]


if __name__ == "__main__":
    main()
