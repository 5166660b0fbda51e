"""Show a sweep over the settings of a sampler: the recommended set, λ̂ over γ and nβ at each step, and every cell in a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ontogeny.estimates.sweep import SEVERAL_BASINS, JudgedCell, nearest, recommended, remedies
from ontogeny.report.labels import listed, slug
from ontogeny.report.numbers import UNKNOWN, number, step, with_error
from ontogeny.report.pages import page_data, render
from ontogeny.report.phases import INK
from ontogeny.report.plots import Figure, Panel, Trace
from ontogeny.report.words import verdict
from ontogeny.transitions.records import LARGEST_SHARE_HELD

SETTINGS = {"step_size": "ε", "inverse_temperature": "nβ", "localization": "γ"}
RULE = (
    "Of the cells that pass every check at all checkpoints and components, the recommended set is the one in which the "
    "localisation decides the smallest share of λ̂, at the checkpoint where it decides most; of shares that are equal within one "
    "standard error, the one with the largest nβ, and then with the longest step."
)
PASSING, FAILING = [[0, "#eef5fa"], [1, "#6baed6"]], [[0, "#e3e5e8"], [1, "#e3e5e8"]]
BASINS = "several basins"
RECOMMENDED, OWN, FAILED = "★", "•", "✕"
ROW_HEIGHT, AROUND = 56, 70
DIGITS = 12
"""Digits of the settings that are to be pasted: all that were sampled."""


@dataclass(frozen=True, kw_only=True)
class SweepReport:
    """What the page shows.

    Attributes:
        content: of `sweep.json`.
        cells: in its order.
    """

    family: str
    variant: str
    content: Mapping[str, Any]
    cells: Sequence[JudgedCell]

    @property
    def steps(self) -> list[int]:
        return list(self.content["steps"])

    @property
    def own(self) -> JudgedCell | None:
        """The cell of the family's own settings; None where it is not in the grid."""
        return next(
            (cell for cell in self.cells if all(getattr(cell, name) == self.content["own"][name] for name in SETTINGS)), None
        )


def sweep_page(report: SweepReport, links: Mapping[str, str]) -> str:
    """Return the page of a sweep.

    Args:
        links: name -> address relative to the page. `index` and `family` lead to those pages, any other is a file.
    """
    chosen = recommended(report.cells)
    panels = {size: heat_maps(report, size, chosen) for size in values(report.cells, "step_size")}
    compared = {"recommended": chosen, "the family's own": report.own if report.own is not chosen else None}
    return render(
        "sweep.html",
        links,
        report=report,
        headline=headline(report, chosen),
        set_aside=set_aside_in_words(report),
        rule=RULE,
        yaml=yaml_to_paste(report, chosen or nearest(report.cells)),
        is_recommended=chosen is not None,
        is_own=chosen is not None and chosen is report.own,
        compared=[row(cell, report, name) for name, cell in compared.items() if cell],
        steps=[f"step {step(at)}" for at in report.steps],
        panels=[(setting(size), shown) for size, shown in panels.items()],
        tables=[
            (component, [row(cell, report, mark(cell, report, chosen), component) for cell in report.cells])
            for component in report.content["components"]
        ],
        sampled=sampled_in_words(report),
        data=page_data(
            [panel for shown in panels.values() for panel in shown],
            name=slug(report.family, report.variant, "sweep"),
            logarithmic=False,
        ),
    )


def values(cells: Sequence[JudgedCell], name: str) -> list[float]:
    return sorted({getattr(cell, name) for cell in cells})


def settings_in_words(cell: JudgedCell) -> str:
    return ", ".join(f"{symbol} = {setting(getattr(cell, name))}" for name, symbol in SETTINGS.items())


def headline(report: SweepReport, chosen: JudgedCell | None) -> str:
    """Say which set is recommended; where no cell passes, which is nearest and what to change."""
    passing = f"{sum(cell.passes for cell in report.cells)} of {len(report.cells)} cells pass"
    if chosen is None:
        near = nearest(report.cells)
        change = f" What would do: {'; '.join(remedies(near))}." if remedies(near) else ""
        failing = f"Nearest is {settings_in_words(near)}, which fails: {verdict_in_words(near)}"
        return f"No cell passes, so no set is recommended. {failing}.{change}"
    share = f"There γ decides {at_most(chosen.share[0])} of λ̂"
    if report.own and report.own is not chosen:
        share += f", and {at_most(report.own.share[0])} with the family's own settings"
    localised = "; it remains a localised λ̂" if chosen.share[0] >= LARGEST_SHARE_HELD else ""
    own = " These are the family's own." if chosen is report.own else ""
    return f"Recommended: {settings_in_words(chosen)}.{own} {share}{localised}. {passing}."


def verdict_in_words(cell: JudgedCell) -> str:
    """Return ok, or the checks that count and fail, each with where it does."""
    count = len(cell.share_by_hessian)
    names = [
        f"{BASINS if check == SEVERAL_BASINS else verdict(check)}{f' in {component}' if component else ''} ({failing} of {count})"
        for (check, component), failing in cell.failures.items()
    ]
    return ", ".join(names) or "ok"


def percent(share: float) -> str:
    return f"{100 * min(share, 1.0):.0f}%" if share > 0 else "none" if share <= 0 else UNKNOWN


def at_most(share: float) -> str:
    return f"at most {percent(share)}" if share > 0 else percent(share)


def share_at(cell: JudgedCell, place: int, component: str = "") -> str:
    """Return the share of λ̂ that γ decides at a checkpoint; of λ̂ that is not positive there is none."""
    estimate = cell.estimates[component]
    share = estimate.held_by_localization[place] if component else cell.shares[place][0]
    return percent(float(share)) if estimate.mean[place] > 0 else UNKNOWN


def setting(value: float) -> str:
    """Return a setting without zeros at its end: 0.001."""
    text = number(value)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def set_aside_in_words(report: SweepReport) -> str:
    """Say which checks tell of a checkpoint, since every cell fails them there; "" for none."""
    aside = sorted(report.cells[0].set_aside, key=lambda one: (one[2], one[1], one[0]))
    places = [
        f"{check}{f' of {component}' if component else ''} at step {step(report.steps[place])}"
        for check, component, place in aside
    ]
    if not places:
        return ""
    return (
        f"Every cell fails {listed(places)}: w* is no minimum there, whatever the settings. These checks count against no cell. "
        "λ̂ at these checkpoints is marked all the same."
    )


def sampled_in_words(report: SweepReport) -> str:
    content = report.content
    batch = f"batches of {content['batch_size']:,}" if content["batch_size"] else "the full batch"
    counts = f"{content['chains']} chains of {content['draws']:,} draws after {content['burn_in']:,} of burn-in"
    return f"Seed {content['seed']}, {counts}, {batch}, n = {content['n']:,}; the same noise and batches in every cell."


def yaml_to_paste(report: SweepReport, cell: JudgedCell) -> str:
    """Return the keys of config.yaml that stand for a cell."""
    sampler = {**report.content["sampler"], "step_size": cell.step_size}
    named = sorted(sampler.items(), key=lambda item: item[0] != "kind")
    numbers = ", ".join(f"{name}: {written(value)}" for name, value in named)
    return "\n".join(
        [
            "families:",
            f"  {report.family}:",
            "    llc:",
            f"      sampler: {{{numbers}}}",
            f"      inverse_temperature: {written(cell.inverse_temperature)}",
            f"      localization: {written(cell.localization)}",
        ]
    )


def written(value: Any) -> str:
    """Return a value as YAML."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.{DIGITS}g}" if isinstance(value, int | float) else str(value)


def mark(cell: JudgedCell, report: SweepReport, chosen: JudgedCell | None) -> str:
    """Return the signs of a cell: ★ recommended, • the family's own."""
    return (RECOMMENDED if cell is chosen else "") + (OWN if cell is report.own else "")


def row(cell: JudgedCell, report: SweepReport, name: str, component: str = "") -> dict[str, Any]:
    """Return a cell as a row of a table."""
    estimate = cell.estimates[component]
    bias = estimate.stability
    return {
        "name": name,
        "settings": [setting(getattr(cell, each)) for each in SETTINGS],
        "passes": cell.passes,
        "verdict": verdict_in_words(cell),
        "at": [
            {
                "llc": with_error(estimate.mean[place], estimate.standard_error[place]),
                "share": share_at(cell, place, component),
                "size": number(estimate.effective_sample_size[place], 2),
                "r_hat": number(estimate.r_hat[place]),
                "fails": any(at == place and of == component for _, of, at in cell.failed),
            }
            for place in range(len(report.steps))
        ],
        "bias": "not judged" if bias is None else bias_in_words(bias),
        "remedies": "; ".join(remedies(cell)),
    }


def bias_in_words(stability: Any) -> str:
    """Return the share of λ̂ that the step and the noise of minibatches add."""
    bias = stability.bias if stability.whole_bias is None else stability.whole_bias
    return f"{100 * bias:.1f}%" if np.isfinite(bias) else "diverges"


def heat_maps(report: SweepReport, step_size: float, chosen: JudgedCell | None) -> list[Panel]:
    """Draw λ̂ over γ and nβ at each checkpoint, at one step; cells that fail are grey."""
    return [
        Panel(
            identifier=f"cells-{values(report.cells, 'step_size').index(step_size)}-{place}",
            title=f"λ̂ at step {step(at)}",
            caption="",
            figure=heat_map(report, step_size, place, chosen),
            height=AROUND + ROW_HEIGHT * len(values(report.cells, "inverse_temperature")),
        )
        for place, at in enumerate(report.steps)
    ]


def heat_map(report: SweepReport, step_size: float, place: int, chosen: JudgedCell | None) -> Figure:
    """Draw one heat map. The colours of a checkpoint mean the same at all steps."""
    passing = [log_llc(cell, place) for cell in report.cells if not fails_at(cell, place)]
    low, high = min(passing, default=0.0), max(passing, default=1.0)
    axes = {name: values(report.cells, name) for name in ("localization", "inverse_temperature")}
    shape = (len(axes["inverse_temperature"]), len(axes["localization"]))
    at = {
        (axes["inverse_temperature"].index(cell.inverse_temperature), axes["localization"].index(cell.localization)): cell
        for cell in report.cells
        if cell.step_size == step_size
    }

    def layer(fails: bool, scale: list[list[Any]], bounds: tuple[float, float]) -> Trace:
        """Draw the cells that fail, or those that pass."""
        z, text, hover = (np.full(shape, fill, object) for fill in (None, "", ""))
        for spot, cell in at.items():
            if fails_at(cell, place) == fails:
                z[spot] = 0.0 if fails else round(log_llc(cell, place), 4)
                text[spot] = in_cell(cell, place, fails, mark(cell, report, chosen))
                hover[spot] = hover_text(cell, place)
        names = {
            axis: [setting(value) for value in axes[name]] for axis, name in (("x", "localization"), ("y", "inverse_temperature"))
        }
        low, high = bounds
        return {
            "type": "heatmap",
            **names,
            "z": z.tolist(),
            "text": text.tolist(),
            "hovertext": hover.tolist(),
            "texttemplate": "%{text}",
            "hovertemplate": "%{hovertext}<extra></extra>",
            "textfont": {"size": 11, "color": "#57606a" if fails else INK},
            "colorscale": scale,
            "zmin": low,
            "zmax": high if high > low else low + 1,
            "showscale": False,
            "xgap": 2,
            "ygap": 2,
            "hoverongaps": False,
        }

    layout = {
        "xaxis": {"type": "category", "title": {"text": "γ", "standoff": 6}, "showgrid": False},
        "yaxis": {"type": "category", "title": {"text": "nβ"}, "showgrid": False},
        "hovermode": "closest",
        "showlegend": False,
    }
    return {"data": [layer(True, FAILING, (0.0, 1.0)), layer(False, PASSING, (low, high))], "layout": layout}


def fails_at(cell: JudgedCell, place: int) -> bool:
    """Return whether a check that counts fails at a checkpoint, of the network or of a component."""
    return any(at == place for _, _, at in cell.counted)


def log_llc(cell: JudgedCell, place: int) -> float:
    """Return log λ̂, for the colour. λ̂ that is not positive has the colour of the smallest."""
    return float(np.log10(max(cell.estimates[""].mean[place], 1e-6)))


def in_cell(cell: JudgedCell, place: int, fails: bool, signs: str) -> str:
    estimate = cell.estimates[""]
    first = f"{FAILED} " if fails else f"{signs} " if signs else ""
    llc = with_error(estimate.mean[place], estimate.standard_error[place]).replace(" ±", "<br>±")
    return f"{first}{llc}<br>γ {share_at(cell, place)}"


def hover_text(cell: JudgedCell, place: int) -> str:
    estimate = cell.estimates[""]
    lines = [
        settings_in_words(cell),
        f"λ̂ = {with_error(estimate.mean[place], estimate.standard_error[place])}, γ decides {share_at(cell, place)}",
        f"ESS {number(estimate.effective_sample_size[place], 2)}, R-hat {number(estimate.r_hat[place])}",
        f"verdict: {verdict_in_words(cell)}",
        *remedies(cell),
    ]
    return "<br>".join(lines)
