"""The posterior of a network while n grows: the plot of which phase holds it, and how well its crossings were predicted."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ontogeny.report.labels import GREY, dashes, listed, palette, slug
from ontogeny.report.numbers import UNKNOWN, compact, known, number, with_error
from ontogeny.report.plots import Figure, Panel, Trace, figure, line, translucent
from ontogeny.report.tables import PosteriorSummary

INK = "#1f2328"
LEAST_SHOWN = 0.02
"""Phases that never hold this share of the posterior are left out of the plot."""
FIRST_SHOWN = 10
"""Below this n the posterior is the prior; the plot can be zoomed out to it."""
TOP = 1.0
ROW = 0.08
"""Between the names of lines of different kinds, which would overlap else."""
CLOSE = 1.1
"""A prediction within this factor of what was found is said to agree."""


def posterior_views(posteriors: Sequence[PosteriorSummary]) -> list[dict[str, Any]]:
    """What the page prints of each posterior: its panel, its table of crossings, and what agrees in words."""
    return [
        {
            "variant": one.variant,
            "panel": posterior_panel(one),
            "rows": [crossing_row(row) for row in one.summary["transitions"]],
            "words": agreement_in_words(one.summary["transitions"]),
            "files": one.files,
        }
        for one in posteriors
    ]


def posterior_panel(one: PosteriorSummary) -> Panel:
    """The share of each phase against n, over the crossings found and predicted."""
    summary = one.summary
    caption = (
        f"Lines are means over {summary['repeats']} independent runs of tempered SMC with {summary['particles']:,} particles "
        f"(worth at least {number(100 * summary['least_effective_share'], 2)}% of that at every n), bands their range. Solid "
        "upright lines: where the next phase comes to hold more than the one before, shaded one standard deviation over runs; "
        "dashed and dotted: where free energies say so. At small n the posterior is little more than the prior, whose columns "
        "have hulls of any number of corners; n below 10 is left out."
    )
    return Panel(
        identifier=slug("posterior", one.variant),
        title=f"share of the posterior of {summary['features']} features in each phase",
        caption=caption,
        figure=occupancy_figure(one.table, summary["transitions"]),
        height=420,
    )


def occupancy_figure(table: pd.DataFrame, transitions: Sequence[Mapping[str, Any]]) -> Figure:
    """Phases in colours, crossings upright and named at the top."""
    over_repeats = table.groupby(["phase", "n"])["share"].agg(["mean", "min", "max"]).reset_index()
    phases = [(phase, rows) for phase, rows in over_repeats.groupby("phase") if max(rows["mean"]) >= LEAST_SHOWN]
    styles = zip(palette(len(phases)), dashes(len(phases)), strict=True)
    data = [
        trace
        for (phase, rows), (colour, dash) in zip(phases, styles, strict=True)
        for trace in phase_traces(rows, f"{phase} corners", colour, dash)
    ]
    axis = {
        "type": "log",
        "range": [math.log10(FIRST_SHOWN), math.log10(max(2 * FIRST_SHOWN, *table["n"]))],
        "title": {"text": "sample size n (logarithmic)", "standoff": 6},
        "exponentformat": "none",
        "separatethousands": True,
        "dtick": "D2",
        "unifiedhovertitle": {"text": "n = %{x:,.0f}"},
    }
    shares = {"title": {"text": "share of the posterior"}, "range": [-0.02, TOP + 3.5 * ROW], "tickvals": [0, 0.25, 0.5, 0.75, 1]}
    return figure([*crossing_traces(transitions), *data], "share of the posterior", xaxis=axis, yaxis=shares, showlegend=True)


def phase_traces(rows: pd.DataFrame, name: str, colour: str, dash: str) -> list[Trace]:
    """The mean share over its range."""
    edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "hovertemplate": None, "showlegend": False}
    lower = line(rows["n"], rows["min"], "lowest", colour, **edge)
    upper = line(rows["n"], rows["max"], "highest", colour, **edge)
    mean = line(rows["n"], rows["mean"], name, colour, mode="lines", line={"dash": dash}, hovertemplate="%{y:.3f}")
    return [lower, {**upper, "fill": "tonexty", "fillcolor": translucent(colour)}, mean]


def crossing_traces(transitions: Sequence[Mapping[str, Any]]) -> list[Trace]:
    """Upright lines where phases cross: found, with its spread, and predicted."""
    found = [(row["found_mean"], arrow(row)) for row in transitions if known(row["found_mean"])]
    predicted = [(row["predicted"], arrow(row)) for row in transitions if row["predicted"]]
    spreads = [(row["found_mean"], row["found_standard_deviation"]) for row in transitions if known(row["found_mean"])]
    uprights = [
        upright(found, "crossing found", INK, "solid", TOP),
        upright([(both["with_volumes"], name) for both, name in predicted], "predicted with volumes", GREY, "dash", TOP + ROW),
        upright(
            [(both["leading"], name) for both, name in predicted],
            "predicted by n L + λ log n − log φ",
            GREY,
            "dot",
            TOP + 2 * ROW,
        ),
    ]
    return [*(shade(mean - half, mean + half) for mean, half in spreads if known(half)), *(trace for trace in uprights if trace)]


def upright(places: Sequence[tuple[Any, str]], name: str, colour: str, dash: str, top: float) -> Trace | None:
    """Lines from 0 to `top`, each named there; None where there is none."""
    drawn = [(at, text) for at, text in places if known(at)]
    if not drawn:
        return None
    return {
        "type": "scatter",
        "mode": "lines+text",
        "name": name,
        "x": compact([value for at, _ in drawn for value in (at, at, None)]),
        "y": [0, top, None] * len(drawn),
        "text": [part for _, text in drawn for part in ("", text, "")],
        "textposition": "top center",
        "textfont": {"size": 11, "color": colour},
        "line": {"color": colour, "width": 1.4, "dash": dash},
        "hoverinfo": "skip",
    }


def shade(low: float, high: float) -> Trace:
    """An upright band."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "one standard deviation",
        "x": compact([low, high, high, low]),
        "y": [0, 0, TOP, TOP],
        "fill": "toself",
        "fillcolor": "rgba(31,35,40,0.16)",
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def arrow(row: Mapping[str, Any]) -> str:
    return f"{row['before']}→{row['after']}"


def crossing_row(row: Mapping[str, Any]) -> dict[str, str]:
    """A crossing in numbers."""
    predicted = row["predicted"] or {}
    missing = sum(not known(value) for value in row["found"])
    return {
        "name": f"{row['before']} → {row['after']} corners",
        "found": with_error(row["found_mean"], row["found_standard_deviation"])
        if not missing
        else f"not in {missing} of {len(row['found'])} runs",
        "leading": number(predicted.get("leading")),
        "with_volumes": number(predicted.get("with_volumes")) if predicted else UNKNOWN,
    }


def agreement_in_words(transitions: Sequence[Mapping[str, Any]]) -> str:
    """What agrees with the predictions and what does not."""
    judged = [row for row in transitions if known(row["found_mean"]) and row["predicted"]]
    told = [comparison(row) for row in judged]
    alone = [arrow(row) for row in transitions if known(row["found_mean"]) and not row["predicted"]]
    if alone:
        told.append(f"For {listed(alone)} nothing was predicted: the shape and λ are known of polygons of five to seven corners.")
    lost = [arrow(row) for row in transitions if not known(row["found_mean"])]
    if lost:
        told.append(f"For {listed(lost)} the posterior does not cross in every run within these n.")
    return " ".join(told) or "No two phases cross within these n."


def comparison(row: Mapping[str, Any]) -> str:
    """One crossing against its two predictions."""
    found = row["found_mean"]
    leading, full = (row["predicted"][name] for name in ("leading", "with_volumes"))
    return (
        f"{arrow(row)}: the posterior crosses at n ≈ {with_error(found, row['found_standard_deviation'])}, in the direction "
        f"predicted: complexity is bought as n grows. n L + λ log n − log φ crosses at {against(leading, found)}. With the "
        f"volumes of the phases (how many copies each has, how wide they are) free energies cross at {against(full, found)}."
    )


def against(predicted: Any, found: float) -> str:
    """'601, too late by a factor of 2.1'."""
    if not known(predicted):
        return "no n"
    factor = max(predicted / found, found / predicted)
    if factor < CLOSE:
        return f"{number(predicted)}, which agrees to {number(100 * (factor - 1), 1)}%"
    return f"{number(predicted)}, too {'late' if predicted > found else 'early'} by a factor of {number(factor, 2)}"
