"""Draw the sampler's traces at a few checkpoints and its diagnostics along the run."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ontogeny.report.labels import BLUE, dashes, label, palette, slug
from ontogeny.report.numbers import compact, number, with_error
from ontogeny.report.places import at as at_place
from ontogeny.report.places import spelt
from ontogeny.report.plots import Panel, band, crosses, figure, line
from ontogeny.report.tables import WHOLE_NETWORK, RunReport, column, failed, steps_of
from ontogeny.report.words import verdict

DIAGNOSTICS = ("effective_sample_size", "r_hat", "drift", "share_below", "full_gradient_norm", "first_order")
SHOWN_CHECKPOINTS = 12
SHOWN_FAILING = 4
SHOWN_POINTS = 30_000
"""Points of traces on a page, about 10 bytes each."""


def diagnostic_panels(report: RunReport) -> list[Panel]:
    """Draw λ̂ of every chain and each diagnostic along the run, with the failing checkpoints marked."""
    return [*chain_panel(report.llc), *(panel for name in DIAGNOSTICS for panel in diagnostic_panel(report.health, name))]


def diagnostic_panel(health: pd.DataFrame, name: str) -> list[Panel]:
    """Draw one diagnostic; return an empty list where it was not measured."""
    values = column(health, name)
    measured = pd.DataFrame(health[values.notna()])
    if measured.empty:
        return []
    words = label(name)
    data = [line(measured["step"], values.loc[measured.index], words.title, BLUE)]
    bad = pd.DataFrame(measured[failed(measured)])
    if len(bad):
        data.append(crosses(bad["step"], values.loc[bad.index], bad["verdict"], "fails a check"))
    panel = Panel(
        identifier=slug("health", name), title=words.title, caption=words.meaning, figure=figure(data, words.axis), height=230
    )
    return [panel]


def chain_panel(llc: pd.DataFrame) -> list[Panel]:
    """Draw the estimate of each chain; return an empty list where there are no chains."""
    if llc.empty:
        return []
    network = pd.DataFrame(llc[llc["component"] == WHOLE_NETWORK])
    whole = pd.DataFrame(network[network["llc"].notna()]).sort_values("step")
    chains = sorted(whole["chain"].unique())
    if not chains:
        return []
    data = [
        line(rows["step"], rows["llc"], f"chain {chain}", colour, mode="lines", line={"width": 1, "dash": dash})
        for chain, colour, dash in zip(chains, palette(len(chains)), dashes(len(chains)), strict=True)
        for rows in [whole[whole["chain"] == chain]]
    ]
    dead = int(np.sum(np.asarray(network["dead"], dtype=bool)))
    caption = "The same noise is used at every checkpoint, so chains keep their order where only the noise tells them apart."
    caption += f" {dead} dead chain{'s' if dead > 1 else ''} (of all checkpoints together) left out." if dead else ""
    return [Panel(identifier="health-chains", title="λ̂ of each chain", caption=caption, figure=figure(data, "λ̂"))]


def calibration_panels(calibration: Mapping[str, Any]) -> list[Panel]:
    """Draw λ̂ over inverse temperatures; return an empty list where it was not measured."""
    sweep = calibration.get("sweep")
    if not sweep:
        return []
    temperatures = sweep["inverse_temperature"]
    rows = pd.DataFrame({"step": temperatures, "value": sweep["llc"], "standard_error": sweep["standard_error"]})
    data = [line(temperatures, rows["value"], "λ̂", BLUE), *band(rows, BLUE)]
    axis = {"type": "log", "title": {"text": "nβ", "standoff": 6}, "tickvals": temperatures}
    axis["ticktext"] = [number(value, 3) for value in temperatures]
    caption = (
        "At the last checkpoint of the first seed. λ̂ estimates the learning coefficient where it is flat: at smaller nβ the "
        "localisation and the width of the basin decide, at larger nβ the gradient that is left at the checkpoint."
    )
    shown = figure(data, "λ̂", xaxis=axis)
    return [Panel(identifier="calibration-sweep", title="λ̂ over the inverse temperature", caption=caption, figure=shown)]


def health_rows(health: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the table of the sampler's health as text, a row for each sampled checkpoint."""
    return [
        {
            "step": spelt(row.get("step")),
            "llc": with_error(row.get("llc"), row.get("standard_error")),
            "ess": number(row.get("effective_sample_size")),
            "r_hat": number(row.get("r_hat"), 4),
            "dead": number(row.get("dead_chains")),
            "below": number(row.get("share_below"), 2),
            "drift": number(row.get("drift"), 2),
            "verdict": verdict(str(row.get("verdict") or "")),
            "failed": str(row.get("verdict") or "ok") != "ok",
        }
        for row in health.to_dict("records")
    ]


def shown_steps(report: RunReport) -> list[int]:
    """Return the steps whose traces are shown: a few that fail, those beside each candidate, the rest spread evenly."""
    steps = steps_of(report.traces)
    health = report.health
    bad = [] if health.empty else health.loc[failed(health), "step"]
    failing = [value for value in steps if value in set(bad)][:SHOWN_FAILING]
    edges = [edge for candidate in report.candidates for edge in (candidate.start, candidate.end)]
    beside = [steps[np.abs(steps - edge).argmin()] for edge in edges]
    spread = steps[np.linspace(0, len(steps) - 1, min(SHOWN_CHECKPOINTS, len(steps))).round().astype(int)]
    first = dict.fromkeys(int(value) for value in (steps[0], steps[-1], *failing, *beside, *spread))
    return sorted(list(first)[:SHOWN_CHECKPOINTS])


def trace_data(report: RunReport) -> list[dict[str, Any]]:
    """Return the traces of `shown_steps`, every k-th draw of each chain so that a page stays small.

    Returns:
        For each checkpoint: step, label, mean (over all draws), chains [{"chain", "draw": [...], "value": [...]}].
    """
    if report.traces.empty:
        return []
    steps = shown_steps(report)
    shown = report.traces[report.traces["step"].isin(steps)]
    stride = -(-len(shown) // SHOWN_POINTS)
    verdicts = {} if report.health.empty else dict(zip(report.health["step"], report.health["verdict"], strict=True))
    return [
        checkpoint_traces(pd.DataFrame(shown[shown["step"] == at]), at, stride, str(verdicts.get(at) or "ok")) for at in steps
    ]


def checkpoint_traces(rows: pd.DataFrame, at: int, stride: int, checks: str) -> dict[str, Any]:
    """Return the traces of a checkpoint."""
    mean = rows["value"].mean()
    return {
        "step": at,
        "label": at_place(at) + ("" if checks == "ok" else f" – {verdict(checks)}"),
        "mean": compact([mean])[0],
        "stride": stride,
        "chains": [chain_trace(chain, group.sort_values("draw").iloc[::stride]) for chain, group in rows.groupby("chain")],
    }


def chain_trace(chain: Any, rows: pd.DataFrame) -> dict[str, Any]:
    return {"chain": int(chain), "draw": compact(rows["draw"].to_numpy(), 9), "value": compact(rows["value"].to_numpy(), 4)}


def trace_caption(traces: Sequence[dict[str, Any]], sampled: int) -> str:
    """Say which checkpoints and draws the plot of traces shows."""
    if not traces:
        return "No traces were kept."
    stride = traces[0]["stride"]
    every = "every draw" if stride == 1 else f"one draw in {stride}"
    return (
        "Loss at each draw minus the loss of the checkpoint itself, on the same batch, after burn-in; "
        f"the dashed line is their mean. Shown are {len(traces)} of {sampled} sampled checkpoints and {every}; "
        "all of them are in draws/."
    )
