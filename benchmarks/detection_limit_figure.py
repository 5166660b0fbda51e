"""The figure of the detection limit: recall against the size of the step, by budget, beside the curves of the loss."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from benchmarks.detection_limit_rows import Rows, chosen, exact_steps, recall
from benchmarks.detection_limit_runs import GAMMA, N_BETA

LOSSES = {"loss": ("total loss, exact", "#c0392b", "--"), "block_loss": ("loss of the block, exact", "#7f8c8d", ":")}


def draw(rows: Rows, path: Path) -> None:
    """Write the figure as SVG: λ̂ of all checkpoints, λ̂ of those that pass their checks, the total loss by what is learnt."""
    mpl.rcParams |= {"svg.hashsalt": "ontogeny", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    figure, panels = plt.subplots(1, 3, figsize=(11, 4.1), sharey=True, layout="constrained")
    positive = chosen(rows, null=False)
    steps = exact_steps(positive)
    for panel, checks in zip(panels[:2], (False, True), strict=True):
        by_size(panel, positive, steps, checks)
    by_share(panels[2], chosen(rows, curve="diluted_loss"))
    panels[0].set(ylabel="share of transitions found", ylim=(-0.03, 1.03), title="λ̂ of all checkpoints")
    panels[1].set(title="λ̂ of checkpoints that pass their checks")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    figure.savefig(path, metadata={"Date": None})


def by_size(panel: Axes, rows: Rows, steps: dict[int, float], checks: bool) -> None:
    """Draw recall against the step of E λ̂, of λ̂ at each budget and of the losses."""
    llc = chosen(rows, curve="llc", checks=checks)
    budgets = sorted({row["draws"] for row in llc})
    for place, draws in enumerate(budgets):
        colour = mpl.colormaps["viridis_r"]((place + 1) / len(budgets))
        line(panel, chosen(llc, draws=draws), steps, label=f"λ̂, {draws} + {draws} draws", color=colour)
    for curve, (label, colour, dash) in LOSSES.items():
        line(panel, chosen(rows, curve=curve), steps, label=label, color=colour, linestyle=dash)
    panel.set(xlabel=f"step of E λ̂ at nβ = {N_BETA:g}, γ = {GAMMA:g},\nand of λ below it")
    panel.set_xticks(list(steps.values()), [f"{step:.1f}\n{(size - 1) / 2:g}" for size, step in steps.items()], fontsize=7)
    panel.minorticks_off()
    panel.grid(alpha=0.25)


def line(panel: Axes, rows: Rows, steps: dict[int, float], **style: Any) -> None:
    """Draw the share of runs of each size in which the transition is found, with its binomial standard error."""
    groups = [chosen(rows, size=size) for size in steps]
    shares = np.array([recall(group) for group in groups])
    errors = np.sqrt(shares * (1 - shares) / [len(group) for group in groups])
    panel.errorbar(list(steps.values()), shares, errors, marker="o", markersize=3, elinewidth=0.7, **style)


def by_share(panel: Axes, rows: Rows) -> None:
    """Draw the share of runs in which an exact total loss shows the transition, by the share of the loss that is learnt."""
    shares = sorted({row["share"] for row in rows})
    label, colour, dash = LOSSES["loss"]
    found = [recall(chosen(rows, share=share)) for share in shares]
    panel.plot(shares, found, label=label, color=colour, linestyle=dash, marker="o", markersize=3)
    panel.set(xscale="log", xlabel="share of the total loss that is learnt", title="total loss, exact")
    panel.set_xticks(shares, [f"{share:.2g}" for share in shares], fontsize=7)
    panel.minorticks_off()
    panel.grid(alpha=0.25)
