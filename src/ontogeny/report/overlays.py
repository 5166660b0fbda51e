"""Draw the plots of a family: all seeds and variants on common axes. The page can hide each run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ontogeny.report.labels import dashes, label, palette, slug
from ontogeny.report.numbers import number, with_error
from ontogeny.report.places import at as at_place
from ontogeny.report.places import is_steps, spelt
from ontogeny.report.plots import BAND, Panel, Trace, band, figure, line, with_errors
from ontogeny.report.tables import (
    LLC,
    PASSED,
    WHOLE_NETWORK,
    RunSummary,
    components,
    curve,
    failed,
    finite,
    main_loss,
    observables,
)
from ontogeny.report.words import is_named, title_of, verdict
from ontogeny.trajectory import LOSSES
from ontogeny.transitions.limits import FEWEST_CHECKPOINTS

MOST_WITH_BANDS = 4
Reading = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A run and its line style. The colour is that of the variant where there are several, else of the seed."""

    run: RunSummary
    identifier: str
    name: str
    colour: str
    dash: str


def drawn_runs(runs: Sequence[RunSummary]) -> list[Drawn]:
    """Return the runs in order of variant and seed, with their colours and line styles."""
    ordered = sorted(runs, key=lambda run: (run.variant, run.seed))
    variants = list(dict.fromkeys(run.variant for run in ordered))
    seeds = sorted({run.seed for run in ordered})
    by_variant = len(variants) > 1
    keys: list[Any] = variants if by_variant else seeds
    colours = dict(zip(keys, palette(len(keys)), strict=True))
    styles = dict(zip(seeds, dashes(len(seeds)), strict=True))
    return [
        Drawn(
            run=run,
            identifier=slug(run.variant, "seed", run.seed),
            name=f"{run.variant}, seed {run.seed}" if by_variant else f"seed {run.seed}",
            colour=colours[run.variant if by_variant else run.seed],
            dash=styles[run.seed],
        )
        for run in ordered
    ]


def run_line(drawn: Drawn, rows: pd.DataFrame, **more: Any) -> Trace:
    """Draw a curve of a run; by `meta`, the page's script hides all curves of a run."""
    values = finite(rows)
    style = {"dash": drawn.dash, "width": 1.5}
    meta = {"run": drawn.identifier}
    drawn_line = line(values["step"], values["value"], drawn.name, drawn.colour, mode="lines", line=style, meta=meta, **more)
    return with_errors(drawn_line, values) if pd.notna(values["standard_error"].to_numpy(float)).any() else drawn_line


def overlay_panels(runs: Sequence[Drawn]) -> list[Panel]:
    """Draw λ̂ and the loss, every observable of the network, and the largest value over heads of every other observable."""
    tables = [drawn.run.trajectory for drawn in runs]
    names = sorted({name for table in tables for name in observables(table)} - {LLC, *LOSSES})
    whole = [name for name in names if any(len(finite(curve(table, name))) for table in tables)]
    heads = [
        name
        for name in names
        if name not in whole and any(".heads." in part for table in tables for part in components(table, name))
    ]
    return [
        *llc_panel(runs),
        *overlay(
            "loss",
            "loss",
            "The exact population loss where the task knows it, else the loss on the data of the local posterior.",
            runs,
            main_loss,
            360,
        ),
        *([] if is_steps() else held_out(runs)),
        *(
            panel
            for name in whole
            for panel in overlay(name, label(name).title, label(name).meaning, runs, lambda table, name=name: curve(table, name))
        ),
        *(
            panel
            for name in heads
            for panel in overlay(
                name,
                f"largest {label(name).title} of any head",
                label(name).meaning,
                runs,
                lambda table, name=name: largest(table, name),
            )
        ),
    ]


def held_out(runs: Sequence[Drawn]) -> list[Panel]:
    """Draw the loss on other examples: along a key of the data it goes its own way."""
    words = label("evaluation_loss")
    return overlay("evaluation_loss", words.title, words.meaning, runs, lambda table: curve(table, "evaluation_loss"), 360)


def overlay(name: str, title: str, caption: str, runs: Sequence[Drawn], read: Reading, height: int = 270) -> list[Panel]:
    """Draw an observable of all runs; return an empty list where no run has it."""
    data = [run_line(drawn, rows) for drawn in runs for rows in [read(drawn.run.trajectory)] if len(finite(rows))]
    if not data:
        return []
    return [
        Panel(identifier=slug("overlay", name), title=title, caption=caption, figure=plain(data, label(name).axis), height=height)
    ]


def plain(data: Sequence[Trace], axis: str) -> dict[str, Any]:
    """Return a figure without a legend; the table of runs on the page is the legend."""
    return figure(data, axis, showlegend=False, **({"hovermode": "closest"} if len(data) > 8 else {}))


def llc_panel(runs: Sequence[Drawn]) -> list[Panel]:
    """Draw λ̂ of all runs, with bands for few runs, crosses where a check fails and diamonds at the candidates."""
    data: list[Trace] = []
    with_bands = len(runs) <= MOST_WITH_BANDS
    for drawn in runs:
        rows = finite(curve(drawn.run.trajectory, LLC))
        if len(rows):
            edges = (
                band(rows, drawn.colour, meta={"run": drawn.identifier}) if with_bands and drawn.colour.startswith("#") else []
            )
            data += [*edges, run_line(drawn, rows), *failing(drawn, rows), *diamonds(drawn, rows)]
    if not data:
        return []
    bands = f" Bands are ± {BAND} standard errors." if with_bands else " Bands are left out: see the page of each run."
    caption = "Diamonds mark candidate transitions; crosses fail a check of the sampler." + bands
    return [
        Panel(identifier="overlay-llc", title="local learning coefficient", caption=caption, figure=plain(data, "λ̂"), height=420)
    ]


def failing(drawn: Drawn, rows: pd.DataFrame) -> list[Trace]:
    bad = rows[failed(rows)]
    if bad.empty:
        return []
    return [marked(drawn, bad["step"], bad["value"], "x-thin-open", [f"{drawn.name}: {text}" for text in bad["verdict"]])]


def diamonds(drawn: Drawn, rows: pd.DataFrame) -> list[Trace]:
    """Draw the candidates of a run on its λ̂."""
    candidates = drawn.run.transitions.candidates
    if not candidates:
        return []
    at = [candidate.location for candidate in candidates]
    heights = np.interp(at, rows["step"].astype(float), rows["value"].astype(float))
    texts = [f"{drawn.name}: {title_of(candidate)}, {at_place(candidate.location)}" for candidate in candidates]
    return [marked(drawn, at, heights, "diamond", texts)]


def marked(drawn: Drawn, steps: Any, values: Any, symbol: str, texts: Sequence[str]) -> Trace:
    """Draw marked points of a run."""
    trace = line(steps, values, drawn.name, drawn.colour, mode="markers", meta={"run": drawn.identifier}, showlegend=False)
    outline = {"width": 1.5, "color": drawn.colour if symbol.endswith("open") else "#ffffff"}
    return {
        **trace,
        "marker": {"symbol": symbol, "size": 9, "color": drawn.colour, "line": outline},
        "text": list(texts),
        "hovertemplate": "%{text}<extra></extra>",
    }


def largest(trajectory: pd.DataFrame, observable: str) -> pd.DataFrame:
    """Return, at each step, the row of the component with the largest value."""
    wanted = (trajectory["observable"] == observable) & (trajectory["component"] != WHOLE_NETWORK) & trajectory["value"].notna()
    rows = pd.DataFrame(trajectory[wanted])
    return rows.loc[rows.groupby("step")["value"].idxmax()] if len(rows) else rows


def run_rows(runs: Sequence[Drawn]) -> list[dict[str, Any]]:
    """Return the rows of the table of runs."""
    return [{"drawn": drawn, **ending(drawn.run)} for drawn in runs]


def ending(run: RunSummary) -> dict[str, Any]:
    """Return the last loss and λ̂ of a run, its transitions with their places, and at how many checkpoints λ̂ passes.

    Each is a text; `loss_value`, `llc_value` and `share` are what a table sorts by, None where nothing is known. `state` is
    "bad" where the last λ̂ fails its checks or too few pass.
    """
    loss, llc = main_loss(run.trajectory), curve(run.trajectory, LLC)
    values = finite(llc)
    good = int((~failed(llc) & llc["value"].notna()).sum())
    last_fails = len(values) > 0 and values["verdict"].iloc[-1] not in PASSED
    candidates = run.transitions.candidates
    named = [f"{candidate.name} ({spelt(candidate.location)})" for candidate in candidates if is_named(candidate)]
    unnamed = len(candidates) - len(named)
    return {
        "loss": number(loss["value"].iloc[-1]) if len(loss) else number(None),
        "loss_value": loss["value"].iloc[-1] if len(loss) else None,
        "llc": with_error(values["value"].iloc[-1], values["standard_error"].iloc[-1]) if len(values) else number(None),
        "llc_value": values["value"].iloc[-1] if len(values) else None,
        "llc_fails": verdict(str(values["verdict"].iloc[-1])) if last_fails else "",
        "passing": "not sampled" if llc.empty else f"{good} of {len(llc)}",
        "share": good / len(llc) if len(llc) else None,
        "state": "bad" if len(llc) and good < min(FEWEST_CHECKPOINTS, len(llc)) else "",
        "transitions": "; ".join([*named, *([f"{unnamed} unnamed"] if unnamed else [])]) or "none",
        "count": len(named) + unnamed / (len(candidates) + 1),
    }
