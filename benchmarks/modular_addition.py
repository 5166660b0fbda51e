"""Print how λ̂ of networks that add modulo p grows with p, for sums and for random labels.

Run it as: python -m benchmarks.modular_addition studies/modular-addition.yaml

The networks of the study's family `against_p` are trained and sampled in this process, with the study's own settings; it takes a
few minutes and needs no results. For each variant: accuracies and λ̂ of every seed after training. For each kind of labels, over
the networks that have learnt what they were given: the exponent of λ̂ in p and R² of a straight line through λ̂ against p, with
95% intervals.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from scipy import stats

import ontogeny
from ontogeny.config.reading import Variant, read_study
from ontogeny.problem.build import build_problem
from ontogeny.problem.keys import TRAIN, seed_keys
from ontogeny.sampling.kernels.build import build_sampler
from ontogeny.training.loop import compile_training, initial_state
from ontogeny.training.optimizers import build_optimizer

FAMILY = "against_p"
LEARNT = 0.95
"""A run has learnt when its accuracy is at least this: on held-out pairs for sums, on its own pairs for random labels."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    arguments = parser.parse_args()
    _, variants = read_study(arguments.config)
    print("| p | labels | accuracy | held-out accuracy | λ̂ of the seeds | verdicts |")
    print("|---|---|---|---|---|---|")
    tables = []
    for variant in variants:
        if variant.family_name == FAMILY:
            tables.append(pd.DataFrame(measured(variant)))
            print(line(tables[-1]), flush=True)
    table: Any = pd.concat(tables)
    print("\n| labels | networks that learnt | exponent in p | R² of a line | R² of a line, means over seeds |")
    print("|---|---|---|---|---|")
    for labels, runs in table[table["learnt"]].groupby("labels"):
        print(fit_row(str(labels), runs))
    print_ratios(table[table["learnt"]])


def measured(variant: Variant) -> Iterator[dict[str, Any]]:
    """Train all seeds of a variant together; yield p, labels, accuracies, λ̂, its error and verdict of each at the end."""
    family, seeds = variant.family, variant.seeds
    problem = build_problem(
        family.task, family.model, base=Path(), batch_size=family.training.batch_size, observables=["accuracy"]
    )
    params = trained(problem, family.training, seeds)
    seen = jax.jit(jax.vmap(lambda one: {name: measure(one) for name, measure in problem.observables.items()}))(params)
    llc = family.llc
    found = ontogeny.estimate_llc(
        problem.loss,
        params,
        problem.data.sampling,
        key=jax.random.key(0),
        sampler=build_sampler(llc.sampler.model_dump()),
        inverse_temperature=llc.inverse_temperature,
        localization=llc.localization,
        projection=llc.projection,
        batch_size=llc.batch_size,
        chains=llc.chains,
        draws=llc.draws,
        burn_in=llc.burn_in,
    )
    task = family.task.model_dump()
    for place in range(len(seeds)):
        accuracy, held_out = (float(seen[name][place]) for name in ("accuracy", "evaluation_accuracy"))
        yield {
            "p": task["modulus"],
            "labels": task["labels"],
            "accuracy": accuracy,
            "held_out": held_out,
            "learnt": (held_out if task["labels"] == "sums" else accuracy) >= LEARNT,
            "llc": float(found.mean[place]),
            "error": float(found.standard_error[place]),
            "verdict": found.verdict[place],
        }


def trained(problem: Any, training: Any, seeds: tuple[int, ...]) -> Any:
    """Return the parameters of all seeds after the last step."""
    optimizer = build_optimizer(training)
    state = initial_state(problem, optimizer, seeds)
    bounds = jnp.array([0], jnp.int32), jnp.array([training.steps], jnp.int32)
    return compile_training(problem, optimizer)(state, seed_keys(seeds, TRAIN), *bounds)[0].params


def line(runs: Any) -> str:
    first = runs.iloc[0]
    found = ", ".join(f"{run.llc:.1f} ± {run.error:.1f}" + ("" if run.learnt else " (not learnt)") for run in runs.itertuples())
    accuracies = (", ".join(f"{value:.2f}" for value in runs[name]) for name in ("accuracy", "held_out"))
    return f"| {first['p']} | {first['labels']} | {' | '.join(accuracies)} | {found} | {', '.join(runs['verdict'])} |"


def exponent(p: np.ndarray, llc: np.ndarray) -> tuple[float, float, float]:
    """Return the slope of log λ̂ on log p by least squares, and its 95% interval by Student's t."""
    fit: Any = stats.linregress(np.log(p), np.log(llc))
    margin = stats.t.ppf(0.975, len(p) - 2) * fit.stderr
    return float(fit.slope), float(fit.slope - margin), float(fit.slope + margin)


def straightness(p: np.ndarray, llc: np.ndarray) -> tuple[float, float, float]:
    """Return R² of a straight line through λ̂ against p, and its 95% interval by Fisher's z."""
    correlation = np.corrcoef(p, llc)[0, 1]
    margin = stats.norm.ppf(0.975) / np.sqrt(len(p) - 3)
    low, high = (np.tanh(np.arctanh(correlation) + sign * margin) for sign in (-1, 1))
    return float(correlation**2), float(max(low, 0) ** 2), float(high**2)


def fit_row(labels: str, runs: Any) -> str:
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
