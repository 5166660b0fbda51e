"""The figure of the detection limit: recall against the size of the step of λ, by budget, beside the curves of the loss."""

from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from benchmarks.detection_limit_runs import GAMMA, N_BETA

BUDGET_COLOURS = "viridis_r"
LOSSES = {"loss": ("total loss, exact", "#c0392b", "--"), "block_loss": ("loss of the block, exact", "#7f8c8d", ":")}


def draw(rows: pd.DataFrame, path: Path) -> None:
    """Write the figure as SVG: λ̂ of all checkpoints, λ̂ of those that pass their checks, the total loss by what is learnt."""
    mpl.rcParams |= {"svg.hashsalt": "ontogeny", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    figure, panels = plt.subplots(1, 3, figsize=(11, 3.6), sharey=True, layout="constrained")
    positive = rows[~rows["null"]]
    steps = positive[positive["curve"] == "llc"].groupby("size")["exact_step"].mean()
    for panel, checks in zip(panels[:2], (False, True), strict=True):
        for label, own, colour, dash in curves(positive, checks):
            recall(panel, own, steps, label, colour, dash)
        panel.set(xscale="log", xlabel=f"step of E λ̂ at nβ = {N_BETA:g}, γ = {GAMMA:g}")
        panel.set_xticks(steps.to_numpy(), [f"{step:.2g}\n({(size - 1) / 2:g})" for size, step in steps.items()], fontsize=7)
        panel.minorticks_off()
        panel.grid(alpha=0.25)
    panels[0].set(ylabel="share of transitions found", ylim=(-0.03, 1.03), title="λ̂ of all checkpoints")
    panels[1].set(title="λ̂ of checkpoints that pass their checks")
    panels[0].legend(fontsize=7, loc="lower right")
    shares = rows[rows["curve"] == "diluted_loss"]
    by_share(panels[2], shares)
    figure.savefig(path, metadata={"Date": None})


def curves(positive: pd.DataFrame, checks: bool) -> Iterator[tuple[str, pd.DataFrame, object, str]]:
    """Yield label, rows, colour and dash of each curve of a panel."""
    llc = positive[(positive["curve"] == "llc") & (positive["checks"] == checks)]
    budgets = sorted(llc["draws"].unique())
    for place, draws in enumerate(budgets):
        colour = mpl.colormaps[BUDGET_COLOURS]((place + 1) / len(budgets))
        yield f"λ̂, {draws:g} + {draws:g} draws", llc[llc["draws"] == draws], colour, "-"
    for curve, (label, colour, dash) in LOSSES.items():
        yield label, positive[positive["curve"] == curve], colour, dash


def recall(panel: Axes, rows: pd.DataFrame, steps: pd.Series, label: str, colour: object, dash: str) -> None:
    """Draw the share of runs of each size in which the transition is found, with its binomial standard error."""
    share = rows.groupby("size")["found"].agg(["mean", "count"]).loc[steps.index]
    error = (share["mean"] * (1 - share["mean"]) / share["count"]) ** 0.5
    panel.errorbar(
        steps, share["mean"], error, label=label, color=colour, linestyle=dash, marker="o", markersize=3, elinewidth=0.7
    )


def by_share(panel: Axes, rows: pd.DataFrame) -> None:
    """Draw the share of runs in which an exact total loss shows the transition, by the share of the loss that is learnt."""
    found = rows.groupby("share")["found"].mean()
    label, colour, dash = LOSSES["loss"]
    panel.plot(found.index, found, label=label, color=colour, linestyle=dash, marker="o", markersize=3)
    panel.set(xscale="log", xlabel="share of the total loss that is learnt", title="total loss, exact")
    panel.set_xticks(found.index.to_numpy(), [f"{share:.2g}" for share in found.index], fontsize=7)
    panel.minorticks_off()
    panel.grid(alpha=0.25)


if __name__ == "__main__":
    raise SystemExit("the figure is drawn by python -m benchmarks.detection_limit --figure")
