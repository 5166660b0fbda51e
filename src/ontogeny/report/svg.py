"""Draw plots as SVG: small ones for the index, and the figure of a variant for `snakemake --report`."""

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ontogeny.report.labels import ORANGE, dashes, palette
from ontogeny.report.plots import BAND
from ontogeny.report.tables import LLC, curve, failed, finite, main_loss, spaced_logarithmically

WIDTH, HEIGHT, INSET = 168, 44, 3
"""The size of a small plot and its margin, in pixels."""


def sparkline(curves: Sequence[pd.DataFrame], summary: str, logarithmic: bool = False) -> str:
    """Draw a few curves on common axes as inline SVG; return "" where none has two points."""
    drawn = [(colour, finite(rows)) for colour, rows in zip(palette(len(curves)), curves, strict=True)]
    drawn = [(colour, rows) for colour, rows in drawn if len(rows) > 1]
    if not drawn:
        return ""
    every = pd.concat([rows for _, rows in drawn])
    across = scale(place(every["step"], logarithmic), INSET, WIDTH - INSET)
    upward = scale(every["value"].astype(float), HEIGHT - INSET, INSET)
    lines = "".join(polyline(colour, points(rows, across, upward, logarithmic)) for colour, rows in drawn)
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return f'<svg class="spark" {size} role="img" aria-label="{summary}">{lines}</svg>'


def polyline(colour: str, points: str) -> str:
    return f'<polyline fill="none" stroke="{colour}" stroke-width="1.4" stroke-linejoin="round" points="{points}"/>'


def place(steps: Any, logarithmic: bool) -> np.ndarray:
    values = np.asarray(steps, dtype=float)
    return np.log1p(values) if logarithmic else values


def scale(values: Any, low: int, high: int) -> Any:
    """Return the linear map from the smallest value to `low` and the largest to `high`; a constant maps to the middle."""
    smallest, span = float(np.min(values)), float(np.ptp(values))
    if span == 0:
        return lambda value: np.full_like(np.asarray(value, dtype=float), (low + high) / 2)
    return lambda value: low + (np.asarray(value, dtype=float) - smallest) / span * (high - low)


def points(rows: pd.DataFrame, across: Any, upward: Any, logarithmic: bool) -> str:
    xs, ys = across(place(rows["step"], logarithmic)), upward(rows["value"])
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))


def trajectory_svg(trajectories: Mapping[int, pd.DataFrame], *, title: str) -> str:
    """Draw the loss above λ̂ with its band for the seeds of a variant, as SVG by Matplotlib.

    The same tables give the same bytes: identifiers are hashed with a fixed salt, and no date is written.

    Args:
        trajectories: seed -> the run's trajectory table.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    logarithmic = any(spaced_logarithmically(table) for table in trajectories.values())
    with rc_context({"svg.hashsalt": "ontogeny", "svg.fonttype": "path", "font.size": 9, "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(7, 5.2), layout="constrained")
        loss, llc = figure.subplots(2, 1, sharex=True)
        seeds = zip(sorted(trajectories), palette(len(trajectories)), dashes(len(trajectories)), strict=True)
        for seed, colour, dash in seeds:
            draw_run(loss, llc, trajectories[seed], f"seed {seed}", colour, dash, logarithmic)
        finish(loss, llc, title, logarithmic)
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None, "Title": title})
    return written.getvalue()


def draw_run(loss: Any, llc: Any, trajectory: pd.DataFrame, name: str, colour: str, dash: str, logarithmic: bool) -> None:
    """Draw the curves of a seed: the loss, λ̂ with its band, crosses where a check fails."""
    style = {"solid": "-", "dash": "--", "dot": ":", "dashdot": "-."}[dash]
    shift = 1 if logarithmic else 0
    losses, rows = main_loss(trajectory), finite(curve(trajectory, LLC))
    loss.plot(losses["step"] + shift, losses["value"], color=colour, linestyle=style, linewidth=1.2, label=name)
    llc.plot(rows["step"] + shift, rows["value"], color=colour, linestyle=style, linewidth=1.2, label=name)
    half = BAND * rows["standard_error"].astype(float).fillna(0)
    llc.fill_between(rows["step"] + shift, rows["value"] - half, rows["value"] + half, color=colour, alpha=0.15, linewidth=0)
    bad = rows[failed(rows)]
    llc.plot(bad["step"] + shift, bad["value"], "x", color=ORANGE, markersize=5)


def finish(loss: Any, llc: Any, title: str, logarithmic: bool) -> None:
    """Set titles, axes and a legend."""
    loss.set(title=title, ylabel="loss per example")
    llc.set(ylabel=f"λ̂ (± {BAND} standard errors)", xlabel="step + 1" if logarithmic else "step")
    if logarithmic:
        llc.set_xscale("log")
    for axes in (loss, llc):
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    handles, _ = loss.get_legend_handles_labels()
    if handles:
        loss.legend(frameon=False, ncols=math.ceil(len(handles) / 4), fontsize=8)
