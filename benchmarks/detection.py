"""`python -m benchmarks.detection`: how often transitions are found where there are some, and where there are none.

Curves of 100 checkpoints with noise of standard deviation 1 (`detection_curves`), looked at by `ontogeny.detect_transitions` at
alpha = .05 and by what the field uses today (`detection_methods`). Flagged: the share of curves with any transition. A planted
one is found where a location lies within 1.5 checkpoint spacings of it, and recall is the share of them (a staircase has eight);
precision is the share of all locations on curves with a transition that are right; the error of localisation is the median over
those found, in spacings. `--time` has the seconds for one whole run.
"""

import argparse
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.detection_curves import Case, draw
from benchmarks.detection_methods import METHODS
from ontogeny.transitions.candidates import candidates
from ontogeny.transitions.detection.detect import detect_transitions

TOLERANCE = 1.5
SIZES = (1, 2, 3, 5, 10, 20)
NOISES = ("white", "ar1")


def cases(null_curves: int, curves: int) -> list[tuple[Case, int]]:
    """Every case with its number of curves."""
    without = [Case("flat", noise, "log") for noise in NOISES]
    without_steps = [Case(shape, noise, "log", 20) for shape in ("ramp", "slow rise", "kink") for noise in NOISES]
    steps = [Case("step", noise, "log", size) for noise in NOISES for size in SIZES]
    others = [Case("passage", noise, "log", size) for noise in NOISES for size in (5, 10)]
    staircases = [Case("staircase", noise, "log", size) for noise in (*NOISES, "chains") for size in (5, 10, 30)]
    chains = [Case("step", "chains", "log", size) for size in (3, 5, 10)]
    irregular = [Case("flat", "white", "irregular"), *(Case("step", "white", "irregular", size) for size in (5, 10))]
    null = [(case, null_curves) for case in (*without, Case("flat", "chains", "log"))]
    return null + [(case, curves) for case in (*without_steps, *steps, *chains, *others, *irregular, *staircases)]


def outcome(method: str, case: Case, seed: int) -> dict[str, Any]:
    """What one method says of one curve: the number of locations, those that are right, the share of the planted ones that are
    found, and the median error of these."""
    table, places = draw(case, seed)
    start = time.process_time()
    found = np.array(METHODS[method](table))
    seconds = time.process_time() - start
    spacing = float(np.median(np.diff(np.log1p(table["step"].to_numpy()))))
    errors = np.abs(found[:, None] - places) / spacing if case.has_transition else np.full((len(found), 1), np.inf)
    right, closest = int(np.sum((errors <= TOLERANCE).any(axis=1))), errors.min(axis=0, initial=np.inf)
    seen = closest <= TOLERANCE
    error = float(np.median(closest[seen])) if right else np.nan
    return {"found": len(found), "right": right, "recall": float(seen.mean()), "error": error, "seconds": seconds}


def row(method: str, case: Case, outcomes: list[dict[str, Any]]) -> dict[str, Any]:
    found, right = (np.array([one[name] for one in outcomes]) for name in ("found", "right"))
    errors = np.array([one["error"] for one in outcomes])
    measured: dict[str, Any] = {
        "flagged": float(np.mean(found > 0)),
        "seconds": float(np.mean([one["seconds"] for one in outcomes])),
    }
    if case.has_transition:
        measured["recall"] = float(np.mean([one["recall"] for one in outcomes]))
        measured["precision"] = float(right.sum() / found.sum()) if found.sum() else None
        measured["localisation"] = float(np.nanmedian(errors)) if np.any(right) else None
    return {"method": method, **asdict(case), "curves": len(outcomes), **measured}


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| curve | size | noise | checkpoints | method | curves | flagged | recall | precision | error of location, spacings |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in rows:
        share = [f"{100 * one[name]:.1f}%" if one.get(name) is not None else "" for name in ("flagged", "recall", "precision")]
        where = f"{one['localisation']:.2f}" if one.get("localisation") is not None else ""
        size = f"{one['size']:g}" if one["size"] else ""
        lines.append(
            f"| {one['shape']} | {size} | {one['noise']} | {one['spacing']} | {one['method']} | {one['curves']} "
            f"| {' | '.join(share)} | {where} |"
        )
    return "\n".join(lines)


def run_to_time(seed: int = 0) -> pd.DataFrame:
    """The table of a run of 100 checkpoints: λ̂ with chains, 19 other observables of the network and 16 heads, some with steps."""
    table, _ = draw(Case("step", "chains", "log", 10), seed)
    chains, table.attrs = table.attrs["chains"], {}  # pandas cannot compare arrays there when it puts tables together
    generator, count = np.random.default_rng(seed), len(table)
    parts = [table]
    names = [
        *((f"observable {i}", "", i % 3 > 0) for i in range(19)),
        *(("head score", f"heads.{i}", i % 4 == 0) for i in range(16)),
    ]
    for name, component, steps in names:
        values = 5 * steps * (np.arange(count) > generator.integers(20, 80)) + 0.2 * generator.standard_normal(count)
        parts.append(table.assign(observable=name, component=component, value=10 + values, standard_error=np.nan, verdict=""))
    run = pd.concat(parts, ignore_index=True)
    run.attrs["chains"] = chains
    return run


def seconds_of_a_run() -> float:
    """Processor time of finding the transitions of such a run and of putting them together."""
    run = run_to_time()
    chains, start = run.attrs["chains"], time.process_time()
    candidates(run, detect_transitions(run, chains=chains), chains=chains)
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--null-curves", type=int, default=1000, help="flat curves per noise")
    parser.add_argument("--curves", type=int, default=200, help="curves of every other case")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--first-seed", type=int, default=0, help="where the seeds of the curves start")
    parser.add_argument("--only", default="", help="shapes whose name contains this")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--time", action="store_true", help="only the seconds for a run of 100 checkpoints and 36 curves")
    parser.add_argument("--output", type=Path, help="write the rows here as JSON")
    arguments = parser.parse_args()
    if arguments.time:
        print(f"{min(seconds_of_a_run() for _ in range(3)):.1f} s of processor time")
        return
    rows = []
    with ProcessPoolExecutor(arguments.processes) as pool:
        for case, count in cases(arguments.null_curves, arguments.curves):
            if arguments.only not in case.shape:
                continue
            for method in arguments.methods:
                seeds = range(arguments.first_seed, arguments.first_seed + count)
                outcomes = list(pool.map(partial(outcome, method, case), seeds, chunksize=10))
                rows.append(row(method, case, outcomes))
                print(rows[-1], flush=True)
                if arguments.output:
                    arguments.output.write_text(json.dumps(rows, indent=1) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
