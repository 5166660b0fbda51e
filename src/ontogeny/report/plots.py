"""Draw the plots of a run as plain Plotly JSON: the loss above λ̂, and a panel for each observable.

A figure's x values are places on the axis. `templates/scripts/` draws it, maps the places to either scale, shades the candidate
transitions and sets the fonts. This module holds only what is particular to each plot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ontogeny.report.error_parts import shared_share
from ontogeny.report.labels import BLUE, GREEN, GREY, ORANGE, PURPLE, capital, dashes, label, listed, natural, palette, slug
from ontogeny.report.numbers import compact, known, number, shortened
from ontogeny.report.places import is_steps
from ontogeny.report.tables import LLC, PASSED, RunReport, column, components, curve, failed, finite, observables
from ontogeny.report.words import is_named, title_of, verdict
from ontogeny.trajectory import LOSSES
from ontogeny.transitions.records import Candidate

BAND = 1.96
"""The number of standard errors on either side: 95% where errors are normal."""
ALL_ERRORS = f"± {BAND} standard errors"
OWN_ERRORS = "the checkpoint's own part"
MOST_IN_LEGEND = 12
MOST_WHOLE_TICKS = 8
MOST_LARGE_MARKS = 40
OTHER_DATA = "data:"
"""The components that are the whole network on another data set begin so."""
SHOWN_WITH_THE_SAMPLER = ("held_by_localization",)
LOSS_COLOURS = dict(zip(LOSSES, (GREEN, BLUE, PURPLE), strict=True))
Figure = dict[str, Any]
Trace = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A plot of a page: its key in the page's JSON, its text, its figure.

    Attributes:
        names: whether the names of transitions are written above it, or only their numbers.
    """

    identifier: str
    title: str
    caption: str
    figure: Figure
    height: int = 270
    names: bool = False

    @property
    def heading(self) -> str:
        return capital(self.title)

    @property
    def summary(self) -> str:
        """Describe the plot to a reader who does not see it."""
        return f"Plot of {self.title}. {self.caption}"


def line(steps: Any, values: Any, name: str, colour: str, **more: Any) -> Trace:
    """Draw a curve across its gaps, with dots where it has at most 200 points."""
    style = {"color": colour, "width": 1.8, **more.pop("line", {})}
    mode = more.pop("mode", "lines+markers" if 0 < len(steps) <= 200 else "lines")
    return {
        "type": "scatter",
        "mode": mode,
        "name": name,
        "x": compact(steps, 12),
        "y": compact(values),
        "line": style,
        "marker": {"size": 4, "color": colour},
        "connectgaps": True,
        "hovertemplate": "%{y:.4g}",
        **more,
    }


def band(rows: pd.DataFrame, colour: str, name: str = ALL_ERRORS, **more: Any) -> list[Trace]:
    """Draw ± `BAND` standard errors around a curve; return an empty list where no errors are known."""
    known = finite(rows)
    known = known[known["standard_error"].notna()]
    if known.empty:
        return []
    edge = {
        "mode": "lines",
        "line": {"width": 0, "color": colour},
        "hoverinfo": "skip",
        "hovertemplate": None,
        "showlegend": False,
        **more,
    }
    half = BAND * known["standard_error"].astype(float)
    lower = line(known["step"], known["value"] - half, "lower edge", colour, **edge)
    upper = line(known["step"], known["value"] + half, name, colour, **edge)
    return [lower, {"fillcolor": translucent(colour), **upper, "fill": "tonexty"}]


def with_errors(trace: Trace, rows: pd.DataFrame) -> Trace:
    """Let the hover text of a curve give the standard error and the failed checks; both go into an export, too."""
    shown = [
        [shortened(error, 3), "" if checks in PASSED else verdict(str(checks)), hover_text(error, checks)]
        for error, checks in zip(rows["standard_error"], rows["verdict"].fillna(""), strict=True)
    ]
    return {**trace, "customdata": shown, "hovertemplate": "%{y:.4g}%{customdata[2]}"}


def hover_text(error: Any, checks: Any) -> str:
    """Return what follows a value: ' ± 2.9, fails: R̂ too large'."""
    parts = [f" ± {number(error, 2)}"] if known(error) else []
    return "".join([*parts, *([] if checks in PASSED else [f", fails: {verdict(str(checks))}"])])


def translucent(colour: str, share: float = 0.2) -> str:
    """Return a translucent colour: #0072B2 -> rgba(0,114,178,0.2)."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share})"


def figure(data: Sequence[Trace], axis: str, **layout: Any) -> Figure:
    shown = sum(trace.get("showlegend", True) for trace in data)
    base = {"yaxis": {"title": {"text": axis}, **ticks(data)}, "showlegend": 1 < shown <= MOST_IN_LEGEND}
    return {"data": list(data), "layout": {**base, **layout}}


def ticks(data: Sequence[Trace]) -> dict[str, Any]:
    """Return whole ticks for whole numbers and, for a constant, a range from 0 to its double; else Plotly chooses."""
    values = [value for trace in data for value in trace["y"] if value is not None]
    low, high = min(values, default=0), max(values, default=0)
    if low == high:
        return {"range": sorted([0, 2 * low])} if low else {}
    return {"dtick": 1} if high - low <= MOST_WHOLE_TICKS and all(isinstance(value, int) for value in values) else {}


def llc_traces(rows: pd.DataFrame, shared: float | None = None, **more: Any) -> list[Trace]:
    """Draw λ̂ with its band, crosses where a check fails, and triangles along the bottom where there is no estimate.

    Args:
        shared: the share of the variance that all checkpoints share. Where it is known, a darker band shows the rest.
    """
    values = finite(rows)
    bad = values[failed(values)]
    lost = rows[rows["value"].isna()]
    traces = [*shown_in_legend(band(values, BLUE, **more))]
    if shared is not None and traces:
        own = values.assign(standard_error=values["standard_error"] * np.sqrt(1 - shared))
        traces += shown_in_legend(band(own, BLUE, OWN_ERRORS, fillcolor=translucent(BLUE, 0.35), **more))
    if len(values):
        traces.append(with_errors(line(values["step"], values["value"], "λ̂", BLUE, **more), values))
    if len(bad):
        traces.append(crosses(bad["step"], bad["value"], bad["verdict"], "λ̂, fails a check", hoverinfo="skip", **more))
    if len(lost):
        floor = [min(values["value"], default=0.0)] * len(lost)
        traces.append(
            dots(lost["step"], floor, lost["verdict"], "no estimate", "triangle-down-open", hovertemplate="%{text}", **more)
        )
    return traces


def shown_in_legend(band: list[Trace]) -> list[Trace]:
    return [*band[:-1], *({**upper, "showlegend": True} for upper in band[-1:])]


def crosses(steps: Any, values: Any, verdicts: Any, name: str, **more: Any) -> Trace:
    """Draw checkpoints that fail a check, with the check in the hover text."""
    template = None if more.get("hoverinfo") == "skip" else "%{y:.4g}: %{text}"
    return dots(steps, values, verdicts, name, "x", hovertemplate=template, **more)


def failing(rows: pd.DataFrame) -> list[Trace]:
    """Draw crosses on the rows whose draws fail a check; return an empty list where none fail."""
    bad = pd.DataFrame(rows[failed(rows)])
    return [crosses(bad["step"], bad["value"], bad["verdict"], "fails a check")] if len(bad) else []


def dots(steps: Any, values: Any, verdicts: Any, name: str, symbol: str, **more: Any) -> Trace:
    """Draw marked checkpoints, each with its verdict."""
    return {
        **line(steps, values, name, ORANGE, mode="markers", **more),
        "marker": {"symbol": symbol, "size": 8 if len(steps) <= MOST_LARGE_MARKS else 5, "color": ORANGE},
        "text": [verdict(str(text)) for text in verdicts],
    }


def loss_traces(report: RunReport) -> list[Trace]:
    """Draw the mean training loss between checkpoints, and the losses measured at them."""
    traces = []
    training = column(report.training, "loss")
    if training.notna().any():
        traces.append(line(column(report.training, "step"), training, "training loss", GREY, mode="lines", line={"width": 1.2}))
    for name in LOSSES:
        rows = finite(curve(report.trajectory, name))
        if len(rows):
            style = dict(zip(LOSSES, ("solid", "solid", "dash"), strict=True))[name]
            traces.append(
                line(rows["step"], rows["value"], label(name).title, LOSS_COLOURS[name], mode="lines", line={"dash": style})
            )
    return traces


def overview(report: RunReport) -> Panel | None:
    """Draw the loss above λ̂ on one axis of steps; return None where neither was measured."""
    loss = loss_traces(report)
    # Only the checkpoints of one run are sampled with common noise.
    shared = shared_share(report.llc) if is_steps() else None
    llc = llc_traces(curve(report.trajectory, LLC), shared, **({"yaxis": "y2"} if loss else {}))
    if not loss and not llc:
        return None
    both = bool(loss and llc)
    layout: dict[str, Any] = {}
    if both:
        layout = {
            "yaxis": {"title": {"text": "loss per example"}, "domain": [0.56, 1]},
            "yaxis2": {"title": {"text": "λ̂"}, "domain": [0, 0.5]},
            "hoversubplots": "axis",
            "xaxis": {"anchor": "y2"},
        }
    return Panel(
        identifier="overview",
        title="loss and local learning coefficient" if both else "loss" if loss else "local learning coefficient",
        caption=overview_caption(bool(loss), bool(llc), shared),
        figure=figure([*loss, *llc], "loss per example" if loss else "λ̂", **layout, showlegend=True),
        height=600 if both else 380,
        names=True,
    )


def overview_caption(loss: bool, llc: bool, shared: float | None = None) -> str:
    """Say what the overview shows, and what is missing from it."""
    sentences = ["Candidate transitions are shaded, a dotted line where each is located."]
    if llc:
        sentences.append(f"The band around λ̂ is ± {BAND} standard errors; orange crosses fail a check of the sampler.")
        if shared is not None:
            sentences.append(
                f"Chains use the same noise at every checkpoint: {shared:.0%} of the variance is shared by all of them and moves "
                "the whole curve. The darker band is the rest, each checkpoint's own."
            )
    else:
        sentences.append("λ̂ was not sampled on this run.")
    if not loss:
        sentences.append("No loss was measured.")
    return " ".join(sentences)


def observable_panels(report: RunReport) -> list[Panel]:
    """Draw a panel for each observable of the network, and one with a line per component for each other observable."""
    panels = []
    for name in observables(report.trajectory):
        whole = finite(curve(report.trajectory, name))
        if len(whole) and name not in (LLC, *LOSSES, *SHOWN_WITH_THE_SAMPLER):
            panels.append(whole_panel(name, whole))
        parts = sorted(components(report.trajectory, name), key=natural)
        if parts:
            panels.append(component_panel(report.trajectory, name, parts))
    return panels


def whole_panel(name: str, rows: pd.DataFrame) -> Panel:
    """Draw a curve of the network, with crosses where the draws fail a check."""
    words = label(name)
    data = [*band(rows, BLUE), with_errors(line(rows["step"], rows["value"], words.title, BLUE), rows)]
    data += failing(rows)
    return Panel(identifier=slug("observable", name), title=words.title, caption=words.meaning, figure=figure(data, words.axis))


def component_panel(trajectory: pd.DataFrame, name: str, parts: Sequence[str]) -> Panel:
    """Draw a line for each component, in distinct colours for a few, in a scale from dark to light for many."""
    words = label(name)
    curves = {part: finite(curve(trajectory, name, part)) for part in parts}
    styles = zip(palette(len(parts)), dashes(len(parts)), strict=True)
    data = [component_line(rows, part, colour, dash) for (part, rows), (colour, dash) in zip(curves.items(), styles, strict=True)]
    data += failing(pd.concat(curves.values()))
    many = len(parts) > MOST_IN_LEGEND
    scale = f" {len(parts)} lines, from dark ({parts[0]}) to light ({parts[-1]})." if many else ""
    return Panel(
        identifier=slug("components", name),
        title=title_by_part(words.title, parts),
        caption=f"{words.meaning}{scale}".strip(),
        figure=figure(data, words.axis, **({"hovermode": "closest"} if many else {})),
        height=300,
    )


def component_line(rows: pd.DataFrame, part: str, colour: str, dash: str) -> Trace:
    trace = line(rows["step"], rows["value"], part, colour, mode="lines", line={"dash": dash})
    return with_errors(trace, rows) if pd.notna(rows["standard_error"].to_numpy(float)).any() else trace


def title_by_part(title: str, parts: Sequence[str]) -> str:
    """Add the kind of the components to a title: 'prefix-matching score of each head'. A title that names the kind stays."""
    data = [part for part in parts if part.startswith(OTHER_DATA)]
    components_ = [part for part in parts if part not in data]
    kinds = [*map(kind_of, components_[:1]), *(["data set"] if data else [])]
    return title if kinds[0] in title else f"{title} of each {listed(kinds)}"


def kind_of(part: str) -> str:
    """Return the kind of a component: layers.0.heads.1 -> 'head'."""
    kinds = [word for word in part.split(".") if not word.isdigit()]
    return kinds[-1].removesuffix("s") if kinds else part


def training_panels(report: RunReport) -> list[Panel]:
    """Draw the learning rate and the norm of the gradient."""
    panels = []
    for name in ("learning_rate", "gradient_norm"):
        values = column(report.training, name)
        if values.notna().any():
            words = label(name)
            data = [line(column(report.training, "step"), values, words.title, GREY, mode="lines")]
            panels.append(
                Panel(
                    identifier=slug("training", name), title=words.title, caption=words.meaning, figure=figure(data, words.axis)
                )
            )
    return panels


def marks(candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    """Return the candidates for the page's script, in the order and with the numbers of the list in words."""
    return [
        {
            "number": place,
            "name": title_of(candidate),
            "named": is_named(candidate),
            "start": shortened(candidate.start, 12),
            "location": shortened(candidate.location, 12),
            "end": shortened(candidate.end, 12),
        }
        for place, candidate in enumerate(candidates, 1)
    ]
