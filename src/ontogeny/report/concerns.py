"""The key numbers of a run, and what bears on its conclusion: λ̂ that fails its checks, the localisation, the step."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ontogeny.report.labels import capital
from ontogeny.report.numbers import number, with_error
from ontogeny.report.places import SHOWN, extent, is_steps
from ontogeny.report.sensitivity import localised_in_words
from ontogeny.report.tables import LLC, PASSED, RunReport, curve, failed, finite, main_loss, steps_of
from ontogeny.report.words import CHECKS, counted, is_named, verdict
from ontogeny.transitions.limits import FEWEST_CHECKPOINTS

BAD, WARNING = "bad", "warning"
ALL_DEAD = "all chains dead"


@dataclass(frozen=True)
class Tile:
    """A key number; `state` is "bad" or "warning" where it is not to be relied on, and `note` says why."""

    name: str
    value: str
    note: str = ""
    state: str = ""


@dataclass(frozen=True)
class Concern:
    """Something that bears on the conclusion, with what would mend it."""

    text: str
    state: str = WARNING


def tiles(report: RunReport) -> list[Tile]:
    """Return the key numbers at the top of a run's page."""
    loss, measured = main_loss(report.trajectory), len(report.trajectory) > 0
    return [
        Tile(SHOWN.get().unit, reach(report) if measured else number(None)),
        Tile("loss at the end", number(loss["value"].iloc[-1]) if len(loss) else number(None)),
        last_llc(report),
        passing(report),
        Tile(
            "transitions", f"{sum(map(is_named, report.candidates))} named", f"of {counted(len(report.candidates), 'candidate')}"
        ),
    ]


def reach(report: RunReport) -> str:
    """Return how far the axis goes: the last training step, or both ends of another axis."""
    text = extent(steps_of(report.trajectory))
    return text.removesuffix(" steps") if is_steps() else text.partition(" = ")[2]


def last_llc(report: RunReport) -> Tile:
    """Return λ̂ at the end; in the colour of failure where it fails its checks."""
    rows = finite(curve(report.trajectory, LLC))
    if rows.empty:
        return Tile("λ̂ at the end", number(None), "not sampled" if curve(report.trajectory, LLC).empty else "no estimate")
    last = rows.iloc[-1]
    value = with_error(last["value"], last["standard_error"])
    if last["verdict"] in PASSED:
        return Tile("λ̂ at the end", value)
    return Tile("λ̂ at the end", value, f"fails: {verdict(str(last['verdict']))}", BAD)


def passing(report: RunReport) -> Tile:
    """Return at how many checkpoints λ̂ passes its checks."""
    rows = curve(report.trajectory, LLC)
    name, kept = "λ̂ passes its checks", f"{counted(len(steps_of(report.trajectory)), 'checkpoint')} kept"
    if rows.empty:
        return Tile(name, number(None), f"0 sampled, {kept}")
    good = int((~failed(rows) & rows["value"].notna()).sum())
    state = BAD if good < min(FEWEST_CHECKPOINTS, len(rows)) else WARNING if 2 * good < len(rows) else ""
    return Tile(name, f"{good} of {len(rows)}", kept, state)


def concerns(report: RunReport) -> list[Concern]:
    """Return what bears on the conclusion of a run, the worst first."""
    found = [*failing_llc(report)]
    held = localised_in_words(report)
    found += [Concern(held)] if held.startswith("This is a localised") else []
    stability = report.calibration.get("stability") or {}
    if stability.get("kind", "stable") != "stable":
        found.append(Concern(f"The step of the sampler is {stability['verdict']}."))
    return found


def failing_llc(report: RunReport) -> list[Concern]:
    """Return what failing checks of λ̂ mean for the conclusion, with the remedy; nothing where it stands without them."""
    rows = curve(report.trajectory, LLC)
    bad = failed(rows) | rows["value"].isna()
    good = len(rows) - int(bad.sum())
    last = finite(rows)["verdict"].iloc[-1:].tolist()
    if rows.empty or (good >= FEWEST_CHECKPOINTS and 2 * good >= len(rows) and all(text in PASSED for text in last)):
        return []
    unjudged = ", so no transition of λ̂ can be judged" if good < FEWEST_CHECKPOINTS else ""
    which = f"λ̂ passes its checks at {good} of {len(rows)} checkpoints{unjudged}."
    which = which if 2 * good < len(rows) or unjudged else f"λ̂ at the end fails: {verdict(str(last[0]))}."
    mend = " ".join(f"{capital(text)}." for text in remedies_of(report))
    return [Concern(f"{which} {mend}".strip(), BAD)]


@dataclass(frozen=True)
class KnownBias:
    """The bias of the step as calibration.json has it."""

    bias: float
    whole_bias: float | None
    largest_bias: float
    longest_step: float | None


@dataclass(frozen=True)
class CheckedRun:
    """The estimates of a run as `estimates.remedies` reads them."""

    mean: np.ndarray
    trace: np.ndarray
    dead_chains: np.ndarray
    failed: dict[str, np.ndarray]
    stability: KnownBias | None


def remedies_of(report: RunReport) -> list[str]:
    """Return a sentence, with a number, for each kind of failed check of λ̂ that has a remedy."""
    health = report.health
    if health.empty or report.traces.empty or not failed(health).any():
        return []
    # It reads the special functions of SciPy, which a page without failures does not need.
    from ontogeny.estimates.remedies import remedies

    traces = report.traces.sort_values(["step", "chain", "draw"])
    shape = (len(set(traces["step"])), len(set(traces["chain"])), -1)
    texts = [[check.strip() for check in str(text).split(",")] for text in health["verdict"].fillna("")]
    marks = {name: np.array([name in text for text in texts]) for name in (*CHECKS, ALL_DEAD)}
    run = CheckedRun(
        mean=health["llc"].to_numpy(float),
        trace=traces["value"].to_numpy(float).reshape(shape),
        dead_chains=health["dead_chains"].to_numpy(float),
        failed=marks,
        stability=known_bias(report.calibration.get("stability")),
    )
    return remedies(run)


def known_bias(stability: Any) -> KnownBias | None:
    """Return the bias that calibration.json gives; None where it gives none."""
    if not stability or "bias" not in stability:
        return None
    return KnownBias(**{name: stability.get(name) for name in KnownBias.__dataclass_fields__})
