"""`python -m benchmarks.detection_limit`: how small a transition λ̂ sees at a sampling budget, beside behavioural curves.

Every run (`detection_limit_runs`) has one transition of known size and time, or none. `ontogeny.detect_transitions` looks at
each curve alone, at alpha = .05: λ̂ with its chains, at each budget of draws; the exact total loss; the target's own loss. A
transition counts as found where a candidate's [start, end], one checkpoint wider, holds the known time. That is where the exact
curve is halfway: the loss of the target for losses, E λ̂ of the target by quadrature for λ̂. A false alarm is a candidate that
does not hold it, and any candidate of a null run. λ̂ is looked at as the pipeline does, without the checkpoints that fail a
check, and with all.

An exact total loss is also looked at with the target a given share of it: the share decides there, not the size of the block.
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import ontogeny
from benchmarks import detection_limit_runs as runs
from benchmarks.detection_limit_rows import Rows, chosen, exact_steps, recall
from benchmarks.detection_limit_runs import Run
from ontogeny.trajectory import tidy_observables
from ontogeny.transitions.detection.detect import CANDIDATE

SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12)
BUDGETS = (10, 30, 100, 300, 1000)
TRAINING_WEIGHTS_BUDGET = 300
FIRST_SEED = 1000
SHARES, SHARES_SIZE = (0.3, 0.1, 0.05, 0.03, 0.02, 0.01, 0.003), 6
"""Shares of the loss that the target's is, and the size of the target there."""


def llc_curve(draws: int, checks: bool) -> dict[str, Any]:
    return {"curve": "llc", "draws": draws, "checks": checks}


CURVES: dict[str, dict[str, Any]] = {
    **{f"λ̂, {draws} + {draws} draws": llc_curve(draws, False) for draws in BUDGETS},
    **{f"λ̂, {draws} + {draws} draws, checked": llc_curve(draws, True) for draws in BUDGETS},
    f"λ̂ on the weights of training, {TRAINING_WEIGHTS_BUDGET} + {TRAINING_WEIGHTS_BUDGET} draws": {
        "curve": "llc_training",
        "checks": False,
    },
    "total loss, exact": {"curve": "loss"},
    "loss of the block, exact": {"curve": "block_loss"},
}
"""The curves of the table, and what their rows have."""


def outcomes(run: Run) -> Iterator[dict[str, Any]]:
    """Yield what each curve of a run shows."""
    shared = {"size": run.size, "seed": run.seed, "null": run.is_null}
    table = runs.behaviour(run)
    for curve in ("loss", "block_loss"):
        known = None if run.is_null else runs.halfway(run.losses[:, 0])
        yield shared | {"curve": curve} | found(pd.DataFrame(table[table["observable"] == curve]), None, known)
    for draws, uniform in [*((draws, True) for draws in BUDGETS), (TRAINING_WEIGHTS_BUDGET, False)]:
        yield from of_llc(run, draws, uniform, shared)


def of_llc(run: Run, draws: int, uniform: bool, shared: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what λ̂ shows, with the checkpoints that fail a check left out, and with all of them."""
    exact = None if run.is_null else runs.exact_curve(run, 1.0 if uniform else run.weights[0])
    known = None if exact is None else runs.halfway(exact)
    estimate = runs.estimate(run, draws, uniform=uniform)
    table = estimate.to_trajectory()
    steps = estimate.per_chain[-5:].mean(axis=0) - estimate.per_chain[:5].mean(axis=0)
    measured = {
        "draws": draws,
        "ok": float(np.mean([verdict == "ok" for verdict in estimate.verdict])),
        "step": float(steps.mean()),
        "step_error": float(steps.std(ddof=1) / len(steps) ** 0.5),
        "exact_step": None if exact is None else float(exact[-1] - exact[0]),
    }
    name = "llc" if uniform else "llc_training"
    for checks, rows in ((True, table), (False, table.assign(verdict=""))):
        yield shared | {"curve": name, "checks": checks} | measured | found(rows, estimate.chains, known)


def found(table: pd.DataFrame, chains: Any, known: float | None) -> dict[str, Any]:
    """Return whether a candidate holds the known time, the number of those that do not, and the time."""
    rows = ontogeny.detect_transitions(table, chains=chains)
    rows = pd.DataFrame(rows[rows["decision"] == CANDIDATE])
    spacing = float(np.diff(np.log(runs.STEPS)).max())
    right = 0
    if known is not None:
        low, high = np.log(rows["start"].to_numpy(float)) - spacing, np.log(rows["end"].to_numpy(float)) + spacing
        right = int(np.sum((low <= np.log(known)) & (np.log(known) <= high)))
    return {"found": right > 0, "false": len(rows) - right, "known": known}


def recall_table(rows: Rows) -> str:
    """Return recall by size, and the share of null runs with a candidate, as Markdown."""
    positive, null = (chosen(rows, null=value) for value in (False, True))
    sizes = sorted({row["size"] for row in positive})
    exact = exact_steps(positive)
    head = ["curve", "checkpoints ok", "error of the step", *(f"d = {size}" for size in sizes)]
    lines = [
        f"| {' | '.join([*head, 'other candidates', 'null runs flagged'])} |\n|{'---|' * (len(head) + 2)}",
        f"| step of λ, (d - 1)/2 | | | {' | '.join(f'{(size - 1) / 2:g}' for size in sizes)} | | |",
        f"| step of E λ̂ here | | | {' | '.join(f'{exact[size]:.2f}' for size in sizes)} | | |",
    ]
    for name, which in CURVES.items():
        own, without = chosen(positive, **which), chosen(null, **which)
        sampled = "draws" in own[0]
        cells = [
            name,
            f"{np.mean([row['ok'] for row in own]):.0%}" if sampled else "",
            f"{np.median([row['step_error'] for row in own]):.2f}" if sampled else "",
            *(f"{recall(chosen(own, size=size)):.0%}" for size in sizes),
            f"{sum(row['false'] for row in own)} in {len(own)} runs",
            f"{np.mean([row['false'] > 0 for row in without]):.1%} of {len(without)}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def diluted(run: Run) -> Iterator[dict[str, Any]]:
    """Yield what a total loss shows of which the target's own is a given share at first, and the background the rest.

    λ̂ on uniform weights is the same for all shares. How much of the loss a block is follows from how often its examples occur.
    """
    own, background = run.losses[:, 0], run.losses[:, 1:] @ run.weights[1:]
    for share in SHARES:
        values = share * own / own[0] + (1 - share) * background / background[0]
        table = tidy_observables(runs.STEPS.tolist(), {"loss": values})
        shared = {"size": run.size, "seed": run.seed, "null": False, "curve": "diluted_loss", "share": share}
        yield shared | found(table, None, runs.halfway(own))


def share_table(rows: Rows) -> str:
    """Return the recall of an exact total loss by the share of it that is learnt, as Markdown."""
    recalls = [recall(chosen(rows, curve="diluted_loss", share=share)) for share in SHARES]
    lines = [
        f"| share of the loss | {' | '.join(f'{share:.1%}' for share in SHARES)} |",
        f"|{'---|' * (len(recalls) + 1)}",
        f"| total loss, exact | {' | '.join(f'{value:.0%}' for value in recalls)} |",
    ]
    return "\n".join(lines)


def leads(rows: Rows) -> str:
    """Return how much earlier E λ̂ is halfway than the loss of the block."""
    times = [
        {(row["size"], row["seed"]): row["known"] for row in chosen(rows, curve=curve, null=False)}
        for curve in ("llc", "block_loss")
    ]
    ratios = [
        np.median([own / times[1][size, seed] for (size, seed), own in times[0].items() if size == chosen_size])
        for chosen_size in SIZES
    ]
    return f"E λ̂ is halfway at {min(ratios):.2f} to {max(ratios):.2f} of the step at which the block's loss is (medians by size)"


def measure(first: int, count: int, nulls: int, output: Path) -> None:
    """Write a row for each curve of every run, as JSON Lines; runs that are there already are not run again."""
    kept = [json.loads(line) for line in output.read_text().splitlines()] if output.is_file() else []
    done = {(row["size"], row["null"], row["seed"]) for row in kept if row["curve"] == "block_loss"}
    for size in SIZES:
        for null, seeds in ((False, range(first, first + count)), (True, range(first, first + nulls))):
            missing = [seed for seed in seeds if (size, null, seed) not in done]
            for run in runs.train(size, missing, null) if missing else []:
                append(output, outcomes(run))
        print(f"size {size} done", flush=True)
    if not any(row["curve"] == "diluted_loss" for row in kept):
        for run in runs.train(SHARES_SIZE, range(first, first + count), False):
            append(output, diluted(run))


def append(output: Path, rows: Iterable[dict[str, Any]]) -> None:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    with output.open("a") as file:
        file.write(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="JSON Lines, a row for each curve of a run; made or continued")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED, help="seeds below 100 chose the settings")
    parser.add_argument("--runs", type=int, default=20, help="runs of each size")
    parser.add_argument("--nulls", type=int, default=10, help="null runs of each size")
    parser.add_argument("--figure", type=Path, help="write the figure here as SVG")
    arguments = parser.parse_args()
    measure(arguments.first_seed, arguments.runs, arguments.nulls, arguments.output)
    rows = [json.loads(line) for line in arguments.output.read_text().splitlines()]
    print(recall_table(rows), share_table(rows), leads(rows), sep="\n\n")
    if arguments.figure:
        from benchmarks.detection_limit_figure import draw

        draw(rows, arguments.figure)


if __name__ == "__main__":
    main()
