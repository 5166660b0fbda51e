"""Show what λ̂ depends on besides the network: the share that the localisation decides, and λ̂ at other γ, nβ and steps."""

from typing import Any

import numpy as np
import pandas as pd

from ontogeny.report.labels import BLUE, GREY, dashes, listed, palette
from ontogeny.report.numbers import step
from ontogeny.report.plots import Panel, band, figure, line
from ontogeny.report.tables import LLC, RunReport, curve, failed, finite
from ontogeny.transitions.records import LARGEST_SHARE_ERROR, LARGEST_SHARE_HELD, Candidate
from ontogeny.transitions.robustness import Coarse, Robustness, from_content, robustness

HELD = "held_by_localization"


def held_share(report: RunReport) -> tuple[float, str] | None:
    """Return the share of λ̂ that the localisation decides, and where it comes from.

    It is the median over the checkpoints where λ̂ passes its checks. Where the draws do not know it, it is that of the Hessian at
    three checkpoints of the first seed.
    """
    rows = finite(curve(report.trajectory, HELD))
    rows = rows[~failed(rows)] if len(rows) else rows
    if len(rows) and np.nanmedian(rows["standard_error"]) <= LARGEST_SHARE_ERROR:
        return float(np.median(rows["value"])), "median over the checkpoints"
    spectrum = report.calibration.get("spectrum")
    return (float(np.median(spectrum[HELD])), "by the Hessian at three checkpoints") if spectrum else None


def localised_in_words(report: RunReport) -> str:
    """Say how much the localisation decides; "" where it is not known."""
    known = held_share(report)
    if known is None:
        return ""
    share, source = known
    if share < 0:
        return (
            "The draws show no share of λ̂ that the localisation γ decides: "
            f"(nβ)² Var(L) / λ̂ is {1 - share:.2f} ({source}), and such a share makes it smaller than 1."
        )
    percent = f"{100 * min(share, 1.0):.0f}%"
    if share < LARGEST_SHARE_HELD:
        return f"The localisation γ decides {percent} of λ̂ ({source})."
    trace = "; where it decides nearly all, λ̂ is nβ tr H / (2γ), the sharpness of the loss" if share > 0.7 else ""
    return (
        f"This is a localised λ̂: γ decides {percent} of it ({source}){trace}. Its changes are evidence of "
        "development; its value is no learning coefficient."
    )


def sensitivity_panels(report: RunReport) -> list[Panel]:
    """Draw λ̂ at other settings, the share that the localisation decides, and the sharpness beside λ̂."""
    return [*other_settings(report), *shares(report), *sharpness(report)]


def other_settings(report: RunReport) -> list[Panel]:
    content = report.sensitivity
    if not content:
        return []
    steps, settings = from_content(content)
    own = finite(curve(report.trajectory, LLC))
    data = [line(own["step"], own["value"], "as in the study", BLUE, line={"width": 3})]
    colours, styles = palette(len(settings) + 1)[1:], dashes(len(settings))
    for (name, values), colour, style in zip(settings.items(), colours, styles, strict=True):
        rows = pd.DataFrame({"step": steps, "value": values.llc, "standard_error": values.standard_error})
        data += [*band(rows, colour), line(steps, values.llc, name, colour, line={"dash": style})]
    caption = (
        f"λ̂ at {len(steps)} checkpoints with γ, nβ or the step ε changed, the same noise and {content['chains']} chains. A "
        "change that is there at every setting does not depend on the choice."
    )
    shown = figure(data, "λ̂", yaxis={"type": "log", "title": {"text": "λ̂"}}) if all_positive(data) else figure(data, "λ̂")
    return [Panel(identifier="sensitivity", title="λ̂ at other settings", caption=caption, figure=shown, names=True)]


def all_positive(data: list[dict[str, Any]]) -> bool:
    return all(value is None or value > 0 for trace in data for value in trace["y"])


def shares(report: RunReport) -> list[Panel]:
    rows = finite(curve(report.trajectory, HELD))
    if rows.empty:
        return []
    data = [*band(rows, BLUE), line(rows["step"], rows["value"], "from the draws", BLUE)]
    spectrum = report.calibration.get("spectrum")
    if spectrum and report.seed == report.calibration.get("seed"):
        places = report.calibration["steps"]
        ends = sorted({0, len(places) // 2, len(places) - 1})
        data.append(line([places[i] for i in ends], spectrum[HELD], "from the Hessian", GREY, mode="markers"))
    caption = (
        "1 − (nβ)² Var(L) / λ̂: near 0 the loss alone decides how far chains go, near 1 the localisation does. Below 0 the loss "
        "is flatter than a quadratic, or the checkpoint is no minimum."
    )
    shown = figure(data, "share of λ̂")
    return [Panel(identifier="held", title="decided by the localisation", caption=caption, figure=shown)]


def sharpness(report: RunReport) -> list[Panel]:
    content = report.sensitivity
    if not content or not report.calibration.get("localization"):
        return []
    scale = report.calibration["inverse_temperature"] / (2 * report.calibration["localization"])
    own = finite(curve(report.trajectory, LLC))
    sharp = [scale * value for value in content["trace"]]
    data = [
        line(own["step"], own["value"], "λ̂", BLUE),
        line(content["steps"], sharp, "nβ tr H / (2γ)", GREY, line={"dash": "dash"}),
    ]
    caption = "Where the two curves agree, the chains measure the trace of the Hessian (Hutchinson's estimate) and nothing else."
    shown = figure(data, "λ̂")
    return [Panel(identifier="sharpness", title="λ̂ and the sharpness", caption=caption, figure=shown, names=True)]


def robustness_of(candidate: Candidate, report: RunReport) -> Robustness | None:
    """Return what becomes of a candidate at other settings; None where λ̂ was not measured at any."""
    if not report.sensitivity:
        return None
    steps, settings = from_content(report.sensitivity)
    rows = finite(curve(report.trajectory, LLC))
    rows = rows[~failed(rows)].set_index("step").reindex(steps)
    own = Coarse(rows["value"].to_numpy(float), rows["standard_error"].to_numpy(float))
    return robustness(candidate, steps, own, settings)


def robustness_in_words(candidate: Candidate, report: RunReport) -> str:
    """Say what becomes of a candidate's change of λ̂ at other settings; "" where that is not known."""
    found = robustness_of(candidate, report)
    if found is None:
        return ""
    parts = []
    if found.survives:
        moved = f"; it moves by up to {step(found.shift)} steps" if found.shift is not None else ""
        parts.append(f"The change of λ̂ is there at {listed(found.survives)}{moved}.")
    if found.vanishes:
        parts.append(f"It is not there at {listed(found.vanishes)}.")
    if found.unknown:
        parts.append(f"The errors are too wide to say at {listed(found.unknown)}.")
    return " ".join(parts)
