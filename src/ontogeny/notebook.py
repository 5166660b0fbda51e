"""Show estimates and trajectories in a notebook: plots, tables with their failed checks in colour, and draws for ArviZ.

`Estimate` finds this module by its name, so that an edit of how things are drawn makes no job estimate again.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ontogeny.report.labels import BLUE, GREEN, GREY, ORANGE, label
from ontogeny.trajectory import PASSED, WHOLE_NETWORK, axis_of

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray

    from ontogeny.estimates.llc import Estimate
    from ontogeny.transitions.records import Development

BAND = 1.96
"""The number of standard errors on either side: 95% where errors are normal."""
PANEL_HEIGHT = 230
FIRST_PANELS = ("llc", "population_loss", "loss")
FAILED_COLOUR = "rgba(213, 94, 0, 0.16)"
SHADE = "rgba(230, 159, 0, 0.18)"
SHOWN_COLUMNS = (
    "step",
    "component",
    "llc",
    "standard_error",
    "held_by_localization",
    "effective_sample_size",
    "r_hat",
    "verdict",
)


def plot_trajectory(
    trajectory: "pd.DataFrame | Estimate",
    transitions: "pd.DataFrame | Development | None" = None,
    observables: Sequence[str] | None = None,
) -> "go.Figure":
    """Plot the curves of a run, a panel for each observable, with candidate transitions shaded.

    Checkpoints that fail a check are drawn as open crosses. Bars are 1.96 standard errors on either side.

    Args:
        trajectory: the table of `trajectory.schema`, `load_run(folder).trajectory`, or an `Estimate`.
        transitions: what `detect_transitions` returns, or `load_run(folder).transitions`; None shades nothing.
        observables: the panels, from top to bottom; None for all, λ̂ and the loss first.

    Raises:
        ValueError: an observable is not in the table.
    """
    from plotly.subplots import make_subplots

    table = trajectory if isinstance(trajectory, pd.DataFrame) else trajectory.to_trajectory()
    along = axis_of(table)
    names = panels_of(table, observables)
    figure = make_subplots(rows=len(names), cols=1, shared_xaxes=True, subplot_titles=[label(name).title for name in names])
    for row, name in enumerate(names, start=1):
        for trace in traces_of(table[table["observable"] == name], along.name):
            figure.add_trace(trace, row=row, col=1)
        figure.update_yaxes(title_text=label(name).axis, row=row, col=1)
    for start, end, name in passages(transitions):
        figure.add_vrect(x0=start, x1=end, fillcolor=SHADE, line_width=0)
        figure.add_annotation(x=end, xanchor="right", y=1, yref="paper", yanchor="bottom", text=name, showarrow=False)
    figure.update_xaxes(title_text=along.unit, row=len(names), col=1)
    figure.update_layout(height=PANEL_HEIGHT * len(names) + 90, template="plotly_white", hovermode="x unified")
    return figure


def panels_of(table: pd.DataFrame, observables: Sequence[str] | None) -> list[str]:
    """Return the observables to show, λ̂ and the loss first."""
    known = list(dict.fromkeys(table["observable"]))
    unknown = sorted(set(observables or ()) - set(known))
    if unknown:
        raise ValueError(f"observables: the table has no {', '.join(unknown)}; it has {', '.join(known)}")
    if observables is not None:
        return list(observables)
    return sorted(known, key=lambda name: FIRST_PANELS.index(name) if name in FIRST_PANELS else len(FIRST_PANELS))


def traces_of(rows: Any, axis: str) -> list["go.Scatter"]:
    """Return the curves of an observable, one for each component, and crosses where a check fails."""
    import plotly.graph_objects as go

    colours = (BLUE, ORANGE, GREEN, GREY)
    traces = []
    for number, (component, curve) in enumerate(rows.groupby("component", sort=True)):
        colour = colours[number % len(colours)]
        curve = curve.sort_values(axis)
        failed = ~curve["verdict"].isin(["", PASSED])
        bars = curve["standard_error"].to_numpy() * BAND
        traces.append(
            go.Scatter(
                x=curve[axis],
                y=curve["value"].where(~failed),
                error_y={"array": bars, "thickness": 1, "visible": bool(np.isfinite(bars).any())},
                name=str(component) or "whole network",
                line={"color": colour},
                mode="lines+markers",
                connectgaps=True,
                showlegend=component != WHOLE_NETWORK,
            )
        )
        if np.any(failed):
            traces.append(
                go.Scatter(
                    x=curve[axis][failed],
                    y=curve["value"][failed],
                    text=curve["verdict"][failed],
                    hovertemplate="%{y:.4g}, fails: %{text}<extra></extra>",
                    mode="markers",
                    marker={"symbol": "x-thin-open", "color": colour, "size": 8},
                    name="fails a check",
                    showlegend=False,
                )
            )
    return traces


def passages(transitions: "pd.DataFrame | Development | None") -> list[tuple[float, float, str]]:
    """Return start, end and name of each candidate."""
    if transitions is None:
        return []
    if isinstance(transitions, pd.DataFrame):
        rows: Any = transitions[transitions["decision"] == "candidate"]
        return [(row.start, row.end, "") for row in rows.drop_duplicates(["start", "end"]).itertuples()]
    return [(candidate.start, candidate.end, candidate.name) for candidate in transitions.candidates]


def plot_estimate(estimate: "Estimate") -> "go.Figure":
    """Plot λ̂ of an estimate along its checkpoints, with that of its components."""
    return plot_trajectory(estimate).update_layout(title=f"λ̂ at nβ = {estimate.inverse_temperature:g}")


def estimate_html(estimate: "Estimate") -> str:
    """Return the table of an estimate as HTML: rows that fail a check are coloured, remedies stand below."""
    table = estimate.to_frame()[list(SHOWN_COLUMNS)]
    head = "".join(f"<th>{escape(name)}</th>" for name in SHOWN_COLUMNS)
    rows = "".join(html_row(dict(zip(SHOWN_COLUMNS, row, strict=True))) for row in table.itertuples(index=False))
    remedies = "".join(f"<li>{escape(remedy)}</li>" for remedy in estimate.remedies)
    caption = f"Estimate at nβ = {estimate.inverse_temperature:g}"
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table><ul>{remedies}</ul>"


def html_row(row: Mapping[str, Any]) -> str:
    style = "" if row["verdict"] == PASSED else f' style="background: {FAILED_COLOUR}"'
    cells = (f"{value:.4g}" if isinstance(value, float) else escape(str(value)) for value in row.values())
    return f"<tr{style}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def estimate_datatree(estimate: "Estimate") -> "xarray.DataTree":
    """Return the draws of λ̂ as a DataTree that ArviZ reads.

    The group `posterior` holds `llc`, nβ (L_b(w) - L_b(w*)) of each draw, with the dimensions (chain, draw, step). λ̂ is its mean.
    """
    import xarray

    values = estimate.inverse_temperature * np.moveaxis(np.asarray(estimate.trace, float), 0, -1)
    chains, draws, _ = values.shape
    coordinates = {"chain": np.arange(chains), "draw": np.arange(draws), "step": estimate.steps}
    posterior = xarray.Dataset({"llc": (("chain", "draw", "step"), values)}, coordinates)
    per_step = {"baseline": ("step", estimate.baseline), "verdict": ("step", estimate.verdict)}
    constant = xarray.Dataset(per_step, {"step": estimate.steps}, attrs={"inverse_temperature": estimate.inverse_temperature})
    return xarray.DataTree.from_dict({"posterior": posterior, "constant_data": constant})
