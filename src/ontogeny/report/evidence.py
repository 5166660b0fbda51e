"""Group the curves that change with a candidate, and draw each group small with its fitted step."""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from ontogeny.report.labels import label, listed, natural
from ontogeny.report.numbers import change
from ontogeny.report.places import spelt
from ontogeny.report.svg import HEIGHT, INSET, place, points, scale
from ontogeny.report.tables import curve, finite
from ontogeny.report.words import levels
from ontogeny.transitions.records import Evidence

WIDTH = 150
AROUND = 0.8
"""What is shown on either side of a passage, as a share of its length."""


def evidence_views(rows: Sequence[Evidence], trajectory: pd.DataFrame, logarithmic: bool) -> list[dict[str, Any]]:
    """Return a row for each observable and kind of component, the one with the clearest curve first."""
    groups: dict[tuple[str, str], list[Evidence]] = {}
    for row in rows:
        groups.setdefault((row.observable, kind_of_component(row.component)), []).append(row)
    return [group_view(members, trajectory, logarithmic) for members in groups.values()]


def group_view(members: Sequence[Evidence], trajectory: pd.DataFrame, logarithmic: bool) -> dict[str, Any]:
    """Return a group of curves as a row: its clearest curve in numbers, all of them in the small plot."""
    clearest = members[0]
    return {
        "curve": label(clearest.observable).title,
        "components": condensed([row.component for row in members if row.component]),
        "members": [evidence_view(row) for row in members] if len(members) > 1 else [],
        **evidence_view(clearest),
        "plot": Markup(small_plot(members, trajectory, logarithmic)),
    }


def evidence_view(row: Evidence) -> dict[str, str]:
    """Return a curve that changes with a candidate, in numbers."""
    return {
        "component": row.component,
        "steps": f"{spelt(row.start)} – {spelt(row.end)}",
        "location": f"{spelt(row.location)} ({spelt(row.location_low)} – {spelt(row.location_high)})",
        "change": change(row.change),
    }


def kind_of_component(component: str) -> str:
    """Return a component without its numbers: layers.0.heads.1 -> layers..heads."""
    return re.sub(r"\d+", "", component)


def condensed(components: Sequence[str]) -> str:
    """Return components with their last numbers drawn together: 'positions 8, 17–31', 'layer 0 heads 0, 1; layer 1 head 0'."""
    ordered = sorted(dict.fromkeys(components), key=natural)
    parts = []
    for stem, group in groupby(ordered, key=lambda name: re.sub(r"\.\d+$", "", name)):
        names = list(group)
        numbers = [int(name.rpartition(".")[2]) for name in names if re.search(r"\.\d+$", name)]
        parts.append(stem_in_words(stem, numbers) if numbers else listed(names))
    return "; ".join(parts)


def stem_in_words(stem: str, numbers: Sequence[int]) -> str:
    """Return a stem with its numbers: layers.0.heads, [0, 1] -> 'layer 0 heads 0, 1'."""
    words = [word if word.isdigit() else word.removesuffix("s") for word in stem.split(".")]
    plural = "s" if len(numbers) > 1 else ""
    return f"{' '.join(words)}{plural} {ranges(numbers)}"


def ranges(numbers: Sequence[int]) -> str:
    """Return numbers with runs of three or more drawn together: [1, 3, 4, 5] -> '1, 3–5'."""
    runs: list[list[int]] = []
    for value in sorted(numbers):
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)


def small_plot(members: Sequence[Evidence], trajectory: pd.DataFrame, logarithmic: bool) -> str:
    """Draw the curves of a group around the passage of the clearest, which is drawn strongly, with its fitted step.

    The step runs from the level at the start of the passage to the level at its end; "" where the curve is not in the table.
    """
    first = members[0]
    start, end = (float(value) for value in place([first.start, first.end], logarithmic))
    first_step, last_step = (
        place([trajectory["step"].min(), trajectory["step"].max()], logarithmic) if len(trajectory) else (0, 0)
    )
    low, high = max(start - AROUND * (end - start), first_step), min(end + AROUND * (end - start), last_step)
    drawn = [within(trajectory, row, low, high, logarithmic) for row in members]
    before, after = levels(curve(trajectory, first.observable, first.component), first.start, first.end)
    if drawn[0].empty or before is None or after is None:
        return ""
    values = np.concatenate([*(rows["value"].to_numpy(float) for rows in drawn), [before, after]])
    across, upward = scale([low, high], INSET, WIDTH - INSET), scale(values, HEIGHT - INSET, INSET)
    fitted = [(low, before), (start, before), (end, after), (high, after)]
    step_points = " ".join(f"{across(x):.1f},{upward(y):.1f}" for x, y in fitted)
    lines = "".join(f'<polyline class="other" points="{points(rows, across, upward, logarithmic)}"/>' for rows in drawn[1:])
    lines += f'<polyline class="curve" points="{points(drawn[0], across, upward, logarithmic)}"/>'
    summary = f"{label(first.observable).title} around the passage, with its fitted step"
    head = f'<svg class="spark step" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img"'
    return f'{head} aria-label="{Markup.escape(summary)}">{lines}<polyline class="fit" points="{step_points}"/></svg>'


def within(trajectory: pd.DataFrame, row: Evidence, low: float, high: float, logarithmic: bool) -> pd.DataFrame:
    """Return the checkpoints of a curve that lie between two places."""
    rows = finite(curve(trajectory, row.observable, row.component))
    places = place(rows["step"], logarithmic)
    return pd.DataFrame(rows[(places >= low) & (places <= high)])
