"""`python -m benchmarks.in_context RESULTS`: how near networks come to exact Bayes predictors.

RESULTS is the folder of a finished studies/markov-chains.yaml or studies/in-context-regression.yaml. Everything is read from the
runs' own tables; the loss of the Bayes predictor is the network's loss on held-out sequences less its expected excess.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

import ontogeny
from ontogeny.results import Run

CHAINS = ("divergence_from_uniform", "divergence_from_unigram", "divergence_from_bigram")
REGRESSION = ("distance_from_zero", "distance_from_ridge", "distance_from_dmmse")

COLUMNS = (
    ["KL from uniform", "from unigram", "from bigram", "smallest from unigram", "gap"],
    ["from 0", "from ridge", "from dMMSE", "loss / Bayes", "gap", "smallest from ridge", "on unseen maps", "LayerNorm"],
)


def runs(results: Path) -> Iterator[tuple[str, Run]]:
    """Yield `variant, seed` and the results of every run."""
    for path in sorted(results.glob("*/*/seed~*/run.json")):
        yield f"{path.parts[-3]}, {path.parts[-2]}", ontogeny.load_run(path.parent)


def curve(run: Run, observable: str, component: str = "") -> pd.Series:
    """Return an observable by step; empty where the run does not have it."""
    table = run.trajectory
    rows = pd.DataFrame(table[(table["observable"] == observable) & (table["component"] == component)])
    return pd.Series(rows["value"].to_numpy(float), rows["step"].to_numpy())


def share_ok(run: Run) -> str:
    """Return how many of the estimates of λ̂ of the whole network pass their checks."""
    rows = run.trajectory[(run.trajectory["observable"] == "llc") & (run.trajectory["component"] == "")]
    return f"{(rows['verdict'] == 'ok').sum()} of {len(rows)}"


def names(run: Run) -> str:
    """Return the names of the run's transitions and where each is, in order."""
    found = [f"{each.name} ({each.location:.0f})" for each in run.transitions.candidates if each.name != "unnamed"]
    return ", ".join(found) or "none"


def of_chains(run: Run) -> list[str]:
    """Return the final divergences from the three predictors, the smallest from the unigram one, the gap, the transitions."""
    last = [f"{curve(run, name).iloc[-1]:.4f}" for name in CHAINS]
    unigram = curve(run, CHAINS[1])
    return [*last, f"{unigram.min():.3f} at {unigram.idxmin()}", f"{curve(run, 'gap_to_bayes').iloc[-1]:.3f}"]


def of_regression(run: Run) -> list[str]:
    """Return the final distances, the loss over that of the Bayes predictor, the smallest distance from ridge, the weights."""
    distances = [curve(run, name) for name in REGRESSION]
    bayes = distances[1] if distances[2].empty else distances[2]
    loss, gap = curve(run, "evaluation_loss"), curve(run, "gap_to_bayes")
    unseen, scale = curve(run, "out_of_distribution_loss", "unseen_maps"), curve(run, "layer_norm_scale", "norm")
    return [
        *("" if each.empty else f"{each.iloc[-1]:.3f}" for each in distances),
        f"{loss.iloc[-1] / (loss.iloc[-1] - bayes.iloc[-1]):.3f}",
        f"{gap.iloc[-1]:.3f}",
        f"{distances[1].min():.3f} at {distances[1].idxmin()}",
        f"{unseen.min():.2f} → {unseen.iloc[-1]:.2f}",
        f"{scale.iloc[-1]:.2f}",
    ]


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *rows])


def main(results: Path) -> str:
    """Return the table of a study as Markdown."""
    found = list(runs(results))
    if not found:
        raise SystemExit(f"{results} holds no finished run")
    chains = not curve(found[0][1], CHAINS[0]).empty
    columns = (
        ["KL from uniform", "from unigram", "from bigram", "smallest from unigram", "gap"]
        if chains
        else [
            "from 0",
            "from ridge",
            "from dMMSE",
            "loss / Bayes",
            "gap",
            "smallest from ridge",
            "loss on unseen maps",
            "LayerNorm",
        ]
    )
    rows = [[name, *(of_chains if chains else of_regression)(run), share_ok(run), names(run)] for name, run in found]
    return table(["run", *columns, "λ̂ ok", "transitions"], rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    print(main(parser.parse_args().results))
