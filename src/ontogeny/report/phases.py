"""Draw the share of the posterior in each phase against n, and compare its crossings with the predictions."""

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
"""The distance between the names of lines of different kinds, so that they do not overlap."""
CLOSE = 1.1
"""A prediction within this factor of the measured crossing agrees with it."""


def posterior_views(posteriors: Sequence[PosteriorSummary]) -> list[dict[str, Any]]:
    """Return what the page prints of each posterior: the panel, the table of crossings, and a comparison in words."""
    return [
        {
            "variant": posterior.variant,
            "panel": posterior_panel(posterior),
            "rows": [crossing_row(row) for row in posterior.summary["transitions"]],
            "words": agreement_in_words(posterior.summary["transitions"]),
            "files": posterior.files,
        }
        for posterior in posteriors
    ]


def posterior_panel(posterior: PosteriorSummary) -> Panel:
    """Draw the share of each phase against n, with the measured and the predicted crossings."""
    summary = posterior.summary
    caption = (
        f"Lines are means over {summary['repeats']} independent runs of tempered SMC with {summary['particles']:,} particles "
        f"(worth at least {number(100 * summary['least_effective_share'], 2)}% of that at every n), bands their range. Solid "
        "upright lines: where the next phase comes to hold more than the one before, shaded one standard deviation over runs; "
        "dashed and dotted: where free energies say so. At small n the posterior is little more than the prior, whose columns "
        "have hulls of any number of corners; n below 10 is left out."
    )
    return Panel(
        identifier=slug("posterior", posterior.variant),
        title=f"share of the posterior of {summary['features']} features in each phase",
        caption=caption,
        figure=occupancy_figure(posterior.table, summary["transitions"]),
        height=420,
    )


def occupancy_figure(table: pd.DataFrame, transitions: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw the phases in colours, and the crossings as vertical lines with names at the top."""
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
    """Draw the mean share and its range."""
    edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "hovertemplate": None, "showlegend": False}
    lower = line(rows["n"], rows["min"], "lowest", colour, **edge)
    upper = line(rows["n"], rows["max"], "highest", colour, **edge)
    mean = line(rows["n"], rows["mean"], name, colour, mode="lines", line={"dash": dash}, hovertemplate="%{y:.3f}")
    return [lower, {**upper, "fill": "tonexty", "fillcolor": translucent(colour)}, mean]


def crossing_traces(transitions: Sequence[Mapping[str, Any]]) -> list[Trace]:
    """Draw vertical lines where phases cross: as measured, with the spread over runs, and as predicted."""
    measured = [(row["found_mean"], arrow(row)) for row in transitions if known(row["found_mean"])]
    predicted = [(row["predicted"], arrow(row)) for row in transitions if row["predicted"]]
    spreads = [(row["found_mean"], row["found_standard_deviation"]) for row in transitions if known(row["found_mean"])]
    uprights = [
        upright(measured, "crossing found", INK, "solid", TOP),
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
    """Draw lines from 0 to `top`, each with a name there; return None where no place is known."""
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
    """Draw a vertical band."""
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
    """Return the row of a crossing in the table."""
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
    """Say which crossings agree with the predictions and which do not."""
    predicted = [row for row in transitions if known(row["found_mean"]) and row["predicted"]]
    sentences = [comparison(row) for row in predicted]
    alone = [arrow(row) for row in transitions if known(row["found_mean"]) and not row["predicted"]]
    if alone:
        sentences.append(
            f"For {listed(alone)} nothing was predicted: the shape and λ are known of polygons of five to seven corners."
        )
    lost = [arrow(row) for row in transitions if not known(row["found_mean"])]
    if lost:
        sentences.append(f"For {listed(lost)} the posterior does not cross in every run within these n.")
    return " ".join(sentences) or "No two phases cross within these n."


def comparison(row: Mapping[str, Any]) -> str:
    """Compare a crossing with its two predictions."""
    measured = row["found_mean"]
    leading, full = (row["predicted"][name] for name in ("leading", "with_volumes"))
    return (
        f"{arrow(row)}: the posterior crosses at n ≈ {with_error(measured, row['found_standard_deviation'])}, in the direction "
        f"predicted: complexity is bought as n grows. n L + λ log n − log φ crosses at {against(leading, measured)}. With the "
        f"volumes of the phases (how many copies each has, how wide they are) free energies cross at {against(full, measured)}."
    )


def against(predicted: Any, measured: float) -> str:
    """Compare a prediction with the measured n: '601, too late by a factor of 2.1'."""
    if not known(predicted):
        return "no n"
    factor = max(predicted / measured, measured / predicted)
    if factor < CLOSE:
        return f"{number(predicted)}, which agrees to {number(100 * (factor - 1), 1)}%"
    return f"{number(predicted)}, too {'late' if predicted > measured else 'early'} by a factor of {number(factor, 2)}"
