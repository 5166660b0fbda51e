"""Print how λ̂ of networks that add modulo p grows with p, for sums and for random labels.

Run it as: python -m benchmarks.modular_addition studies/modular-addition.yaml

For the family `against_p` of a finished study, at the last checkpoint of every run: accuracies, λ̂ and its verdict. For each kind
of labels, over the runs that have learnt what they were given: the exponent of λ̂ in p and R² of a straight line through λ̂
against p, with 95% intervals.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

import ontogeny
from ontogeny.config.reading import Variant, read_study

FAMILY = "against_p"
LEARNT = 0.95
"""A run has learnt when its accuracy is at least this: on held-out pairs for sums, on its own pairs for random labels."""


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


def exponent(p: np.ndarray, llc: np.ndarray) -> tuple[float, float, float]:
    """Return the slope of log λ̂ on log p by least squares, and its 95% interval by Student's t."""
    fit = stats.linregress(np.log(p), np.log(llc))
    margin = stats.t.ppf(0.975, len(p) - 2) * fit.stderr
    return float(fit.slope), float(fit.slope - margin), float(fit.slope + margin)


def straightness(p: np.ndarray, llc: np.ndarray) -> tuple[float, float, float]:
    """Return R² of a straight line through λ̂ against p, and its 95% interval by Fisher's z."""
    correlation = np.corrcoef(p, llc)[0, 1]
    margin = stats.norm.ppf(0.975) / np.sqrt(len(p) - 3)
    low, high = (np.tanh(np.arctanh(correlation) + sign * margin) for sign in (-1, 1))
    return float(correlation**2), float(max(low, 0) ** 2), float(high**2)


def fit_row(labels: str, runs: pd.DataFrame) -> str:
    p, llc = (runs[name].to_numpy(float) for name in ("p", "llc"))
    means = runs.groupby("p")["llc"].mean()
    fits = (exponent(p, llc), straightness(p, llc))
    cells = [f"{value:.2f} [{low:.2f}, {high:.2f}]" for value, low, high in fits]
    cells.append(f"{np.corrcoef(means.index, means)[0, 1] ** 2:.3f}")
    return f"| {labels} | {len(runs)} | {' | '.join(cells)} |"


def print_ratios(runs: pd.DataFrame) -> None:
    """Print λ̂ of sums over that of random labels at each p, of means over seeds."""
    means = runs.pivot_table(index="p", columns="labels", values="llc")
    print("\n| p | " + " | ".join(map(str, means.index)) + " |")
    print("|---" * (len(means) + 1) + "|")
    print("| λ̂ of sums / random labels | " + " | ".join(f"{value:.2f}" for value in means["sums"] / means["random"]) + " |")


if __name__ == "__main__":
    main()
