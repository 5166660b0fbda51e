"""Print how λ̂ of networks that add modulo p grows with p, for sums and for random labels.

Run it as: python -m benchmarks.modular_addition studies/modular-addition.yaml

For the family `against_p` of a finished study, at the last checkpoint of every run: accuracies, λ̂ and its verdict. For each kind
of labels, over the runs that have learnt what they were given: the exponent of λ̂ in p and R² of a straight line through λ̂
against p, with 95% intervals from a bootstrap over the runs at each p.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import ontogeny
from ontogeny.config.reading import Variant, read_study

FAMILY = "against_p"
LEARNT = 0.95
"""A run has learnt when its accuracy is at least this: on held-out pairs for sums, on its own pairs for random labels."""
RESAMPLES = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    arguments = parser.parse_args()
    study, variants = read_study(arguments.config)
    table = measured(Path(study.results), [variant for variant in variants if variant.family_name == FAMILY])
    print_runs(table)
    print("\n| labels | runs that learnt | exponent in p | R² of a line | R² of a line, means over seeds |")
    print("|---|---|---|---|---|")
    for labels, runs in table[table["learnt"]].groupby("labels"):
        print(fit_row(str(labels), runs))
    print_ratios(table[table["learnt"]])


def measured(results: Path, variants: list[Variant]) -> pd.DataFrame:
    """Return a row for each run: p, labels, seed, accuracies, λ̂, its error and verdict at the last checkpoint."""
    rows = []
    for variant in variants:
        for seed in variant.seeds:
            run = ontogeny.load_run(results / variant.family_name / variant.name / f"seed~{seed}")
            found = run.llc[(run.llc["step"] == run.steps[-1]) & (run.llc["component"] == "")].iloc[0]
            seen = pd.read_parquet(run.folder / "observables.parquet")
            last = seen[seen["step"] == run.steps[-1]].set_index("observable")["value"]
            task = variant.family.task.model_dump()
            accuracy, held_out = float(last["accuracy"]), float(last["evaluation_accuracy"])
            rows.append(
                {
                    "p": task["modulus"],
                    "labels": task["labels"],
                    "seed": seed,
                    "accuracy": accuracy,
                    "held_out": held_out,
                    "learnt": (held_out if task["labels"] == "sums" else accuracy) >= LEARNT,
                    "llc": float(found["llc"]),
                    "error": float(found["standard_error"]),
                    "verdict": str(found["verdict"]),
                }
            )
    return pd.DataFrame(rows)


def print_runs(table: pd.DataFrame) -> None:
    print("| p | labels | accuracy | held-out accuracy | λ̂ of the seeds | verdicts |")
    print("|---|---|---|---|---|---|")
    for (p, labels), runs in table.groupby(["p", "labels"]):
        found = ", ".join(
            f"{row.llc:.1f} ± {row.error:.1f}" + ("" if row.learnt else " (not learnt)") for row in runs.itertuples()
        )
        accuracies = (", ".join(f"{value:.2f}" for value in runs[name]) for name in ("accuracy", "held_out"))
        print(f"| {p} | {labels} | {' | '.join(accuracies)} | {found} | {', '.join(runs['verdict'])} |")


def exponent(p: np.ndarray, llc: np.ndarray) -> np.ndarray:
    """Return the slope of log λ̂ on log p; `llc` is [..., runs]."""
    x = np.log(p) - np.log(p).mean()
    return np.log(llc) @ x / (x @ x)


def straightness(p: np.ndarray, llc: np.ndarray) -> np.ndarray:
    """Return R² of a straight line through λ̂ against p; `llc` is [..., runs]."""
    x, y = p - p.mean(), llc - llc.mean(axis=-1, keepdims=True)
    return (y @ x) ** 2 / ((x @ x) * np.sum(y**2, axis=-1))


def interval(statistic: Callable[[np.ndarray, np.ndarray], np.ndarray], p: np.ndarray, llc: np.ndarray) -> tuple[float, float]:
    """Return the 95% interval of a statistic by a bootstrap of log λ̂ over the runs at each p.

    k runs drawn from k have (k - 1) / k of their variance, so deviations from the mean at a p are drawn √(k / (k - 1)) as large.
    """
    generator = np.random.default_rng(0)
    drawn = np.empty((RESAMPLES, len(p)))
    for value in np.unique(p):
        group = np.flatnonzero(p == value)
        logs = np.log(llc[group])
        deviations = (logs - logs.mean()) * np.sqrt(len(group) / max(len(group) - 1, 1))
        drawn[:, group] = logs.mean() + generator.choice(deviations, (RESAMPLES, len(group)))
    low, high = np.quantile(statistic(p, np.exp(drawn)), [0.025, 0.975])
    return float(low), float(high)


def fit_row(labels: str, runs: pd.DataFrame) -> str:
    p, llc = (runs[name].to_numpy(float) for name in ("p", "llc"))
    means = runs.groupby("p")["llc"].mean()
    cells = []
    for statistic in (exponent, straightness):
        low, high = interval(statistic, p, llc)
        cells.append(f"{statistic(p, llc):.2f} [{low:.2f}, {high:.2f}]")
    cells.append(f"{straightness(means.index.to_numpy(float), means.to_numpy()):.3f}")
    return f"| {labels} | {len(runs)} | {' | '.join(cells)} |"


def print_ratios(runs: pd.DataFrame) -> None:
    """Print λ̂ of sums over that of random labels at each p, of means over seeds."""
    means = runs.pivot_table(index="p", columns="labels", values="llc")
    print("\n| p | " + " | ".join(map(str, means.index)) + " |")
    print("|---" * (len(means) + 1) + "|")
    print("| λ̂ of sums / random labels | " + " | ".join(f"{value:.2f}" for value in means["sums"] / means["random"]) + " |")


if __name__ == "__main__":
    main()
