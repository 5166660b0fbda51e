"""Candidates of several curves that coincide are one transition: grouped, measured on both sides, named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int
from scipy.special import stdtr

from ontogeny.estimates.free_energy import critical_sample_size
from ontogeny.trajectory import MAIN_LOSSES, PASSED
from ontogeny.transitions.detection.curves import (
    FEWEST_CHECKPOINTS,
    INVERSES,
    LLC,
    Chains,
    Covariances,
    Curve,
    CurveName,
    curves_of,
)
from ontogeny.transitions.detection.derivative import boundaries, slope_of
from ontogeny.transitions.detection.detect import CANDIDATE, UNDECIDED, VOID
from ontogeny.transitions.detection.search import noise_beside
from ontogeny.transitions.evidence import Change, beside, change_across, homogeneous
from ontogeny.transitions.naming import DEFAULT_RULES, UNNAMED, Rule, name_with_reasons
from ontogeny.transitions.stretches import stages_between
from ontogeny.transitions.timing import co_timing, lags

NEGATIVE_LOG_PRIOR: CurveName = ("negative_log_prior", "")
OVERLAP = 0.5
"""Of the shorter of two intervals, in log step, that must be shared for them to be one transition."""
EVIDENCE = ("observable", "component", "start", "location", "location_low", "location_high", "end", "change")
Intervals = Mapping[CurveName, Sequence[tuple[float, float]]]
"""Start and end, in units of the axis, of the passages that were detected in each curve."""
ROW = (*EVIDENCE[:2], "direction", "change", "change_standard_error", "p_value", "q_value")


@dataclass(frozen=True, eq=False)
class Event:
    """Rows of `detect_transitions` that are one transition, the clearest first; it lies at their median, its start and end
    rounded outwards to a checkpoint."""

    rows: tuple[Mapping, ...]

    @property
    def start(self) -> float:
        return float(np.quantile([row["start"] for row in self.rows], 0.5, method="lower"))

    @property
    def location(self) -> float:
        return float(np.median([row["location"] for row in self.rows]))

    @property
    def end(self) -> float:
        return float(np.quantile([row["end"] for row in self.rows], 0.5, method="higher"))

    @property
    def located_within(self) -> tuple[float, float]:
        """The medians of the ends of the 95% intervals of the rows' locations; the location lies between them."""
        low, high = ([row["location_" + end] for row in self.rows] for end in ("low", "high"))
        return float(np.median(low)), float(np.median(high))

    @property
    def observables(self) -> set[str]:
        return {row["observable"] for row in self.rows}

    @property
    def span(self) -> dict[str, float]:
        return {"start": self.start, "end": self.end}

    def interval(self, key: CurveName) -> tuple[float, float]:
        """The interval of one curve: the event's, widened to where that curve was itself seen to change."""
        own = [row for row in self.rows if (row["observable"], row["component"]) == key]
        return min([self.start, *(row["start"] for row in own)]), max([self.end, *(row["end"] for row in own)])


def clearness(row: Mapping) -> tuple[float, float]:
    return -row["p_value"], abs(row["change"]) / max(row["change_standard_error"], np.finfo(float).tiny)


def coincide(one: Mapping, other: Mapping) -> bool:
    """Whether two intervals share half of the shorter one, in log step."""
    start, end = max(one["start"], other["start"]), min(one["end"], other["end"])
    shorter = min(np.log1p(row["end"]) - np.log1p(row["start"]) for row in (one, other))
    return end > start and np.log1p(end) - np.log1p(start) >= OVERLAP * shorter


def group(rows: Sequence[Mapping]) -> list[Event]:
    """The transitions of a run, in order: the clearest row gathers those that coincide with it, then the next clearest.

    Coinciding is judged against the clearest row alone, so that a chain of overlaps does not swallow a whole run.
    """
    groups: list[list[Mapping]] = []
    for row in sorted(rows, key=clearness, reverse=True):
        home = next((members for members in groups if coincide(members[0], row)), None)
        if home is None:
            groups.append([row])
        else:
            home.append(row)
    return sorted((Event(tuple(members)) for members in groups), key=lambda event: event.location)


def candidates(
    trajectory: pd.DataFrame,
    detected: pd.DataFrame,
    rules: Sequence[Rule] = DEFAULT_RULES,
    covariance: Covariances | None = None,
    chains: Chains | None = None,
    negative_log_prior: Mapping[int, float] | None = None,
) -> dict:
    """The content of transitions.json: a run's candidates with their evidence, and the stages between them.

    Args:
        trajectory: the run's table (`trajectory.SCHEMA`).
        detected: from `detect_transitions` over steps.
        rules: how transitions are named.
        covariance, chains: as in `detect_transitions`.
        negative_log_prior: step -> minus the log of the prior's density at the checkpoint, up to a constant: a term of the
            critical sample size; None leaves it out.

    Returns:
        {"candidates": [...], "stages": [...], "boundaries": [...], "void": [...], "undecided": [...]}, plain numbers and None,
        ready for JSON. Boundaries are those of the slope of λ̂ (`derivative.boundaries`). A candidate's llc_before, llc_after,
        loss_before and loss_after are None where that side has no clean level; the change and what follows from it are then
        None too.
    """
    curves, llc_verdict = measured(trajectory, covariance, chains)
    if negative_log_prior is not None:
        curves |= {NEGATIVE_LOG_PRIOR: exact_curve(NEGATIVE_LOG_PRIOR, negative_log_prior)}
    rows = detected.loc[detected["decision"] == CANDIDATE].to_dict(orient="records")
    # A void passage is none of development's, but no noise either.
    passages = detected.loc[detected["decision"].isin([CANDIDATE, VOID])].to_dict(orient="records")
    turns = boundaries_of(curves.get(LLC), passages_of(LLC, passages))
    curves = {name: with_the_noise_of_the_search(curve, passages_of(name, passages)) for name, curve in curves.items()}
    own = intervals_of(passages)
    events = merged(group(rows), curves, rules, own)
    undecided = detected.loc[detected["decision"] == UNDECIDED, ["observable", "component", "reason"]]
    void = detected.loc[detected["decision"] == VOID, [*EVIDENCE, "reason"]]
    together = co_timing([event.rows for event in events], rows, *span(curves)) if events else []
    return {
        "candidates": [
            candidate(event, changes_of(event, events, curves, own), levels_of(event, events, curves, own), curves, rules)
            | {"llc_verdict": llc_verdict, "co_timing_p_value": p_value}
            for event, p_value in zip(events, together, strict=True)
        ],
        "stages": stages_between([(event.start, event.end) for event in events], curves),
        "boundaries": turns,
        "void": [plain(row) for row in void.to_dict(orient="records")],
        "undecided": undecided.to_dict(orient="records"),
    }


def exact_curve(name: CurveName, values: Mapping[int, float]) -> Curve:
    """A curve that is known without error: step -> value."""
    axis = np.array(sorted(values), float)
    levels = np.array([values[step] for step in sorted(values)], float)
    return Curve(observable=name[0], component=name[1], axis=axis, positions=np.log1p(axis), values=levels, noise=None)


def span(curves: Mapping[CurveName, Curve]) -> tuple[float, float]:
    """The first and the last checkpoint of a run."""
    places = [place for curve in curves.values() for place in curve.axis.tolist()]
    return min(places), max(places)


def passages_of(name: CurveName, rows: Sequence[Mapping]) -> list[tuple[float, float]]:
    """Start and end, in log step, of those rows that are of one curve."""
    own = [row for row in rows if (row["observable"], row["component"]) == name]
    return [(float(np.log1p(row["start"])), float(np.log1p(row["end"]))) for row in own]


def intervals_of(rows: Sequence[Mapping]) -> Intervals:
    """Return the passages of each curve."""
    intervals: dict[CurveName, list[tuple[float, float]]] = {}
    for row in rows:
        intervals.setdefault((row["observable"], row["component"]), []).append((row["start"], row["end"]))
    return intervals


def with_the_noise_of_the_search(curve: Curve, passages: Sequence[tuple[float, float]]) -> Curve:
    """The curve, its errors now over-dispersed and correlated between neighbours as its residuals show them: levels are means of
    neighbours. Chains know their own errors; a curve that cannot be decided shows none."""
    if curve.chains is not None or curve.undecided:
        return curve
    return replace(curve, noise=noise_beside(curve, passages))


def boundaries_of(llc: Curve | None, passages: Sequence[tuple[float, float]]) -> list[dict]:
    """Where λ̂, which has these candidates, goes over from rising, falling or resting to another of the three."""
    if llc is None or llc.undecided:
        return []
    noise = noise_beside(llc, passages)
    return [
        {"location": float(INVERSES["log1p"](found["position"])), **{key: found[key] for key in ("from", "to", "probability")}}
        for found in boundaries(slope_of(llc.positions, llc.values, noise))
    ]


def measured(
    trajectory: pd.DataFrame, covariance: Covariances | None, chains: Chains | None
) -> tuple[dict[CurveName, Curve], str | None]:
    """The curves whose levels are read off, and what is to be thought of λ̂ among them.

    A λ̂ that failed its checks at too many checkpoints is no evidence, so its levels are not given: the verdict is then "failed"
    (None where there is no λ̂ at all).
    """
    found = curves_of(trajectory, covariance=covariance, chains=chains)
    curves = {(curve.observable, curve.component): curve for curve in found}
    llc = curves.get(LLC)
    if llc is None or len(llc.values) >= FEWEST_CHECKPOINTS:
        return curves, PASSED if llc else None
    return {key: curve for key, curve in curves.items() if key != LLC}, "failed"


def changes_of(
    event: Event, events: Sequence[Event], curves: Mapping[CurveName, Curve], passages: Intervals
) -> dict[CurveName, Change]:
    """Return what every curve did across one of the events, from levels that stop at the neighbouring changes."""
    changes = {key: change_across(curve, *window(event, events, key, passages)) for key, curve in curves.items()}
    return {key: change for key, change in changes.items() if change is not None}


def window(event: Event, events: Sequence[Event], key: CurveName, passages: Intervals) -> tuple[float, float, float, float]:
    """Return a curve's own interval of an event, and how far before and after it its levels may be read.

    They may be read up to the next event and up to the next passage of the curve itself, whether or not that is an event. The
    neighbours are those of the curve's own interval: it may begin before an event that ends within it.
    """
    start, end = event.interval(key)
    others = [*((other.start, other.end) for other in events), *passages.get(key, ())]
    earliest = max([last for _, last in others if last <= start], default=-np.inf)
    latest = min([first for first, _ in others if first >= end], default=np.inf)
    return start, end, earliest, latest


def levels_of(
    event: Event, events: Sequence[Event], curves: Mapping[CurveName, Curve], passages: Intervals
) -> dict[str, float | None]:
    """Return the levels of λ̂ and of the loss on both sides of an event: llc_before, llc_after, loss_before, loss_after.

    None stands where a side has no clean level: no checkpoint, or the nearest lies within another passage of the same curve.
    """
    levels: dict[str, float | None] = {f"{kind}_{side}": None for kind in ("llc", "loss") for side in ("before", "after")}
    for kind, key in (("llc", LLC), ("loss", main_loss(curves))):
        if key in curves:
            before, after = beside(curves[key], *window(event, events, key, passages))
            levels[f"{kind}_before"] = clean_level(curves[key], before[::-1], passages.get(key, ()))
            levels[f"{kind}_after"] = clean_level(curves[key], after, passages.get(key, ()))
    return levels


def clean_level(curve: Curve, nearest_first: Int[np.ndarray, " places"], passages: Sequence[tuple[float, float]]) -> float | None:
    """Return the level of a curve on one side of an event; None where none is clean."""
    if not len(nearest_first) or any(start < curve.axis[nearest_first[0]] < end for start, end in passages):
        return None
    return float(curve.values[homogeneous(curve, nearest_first)].mean())


def main_loss(curves: Mapping[CurveName, Curve]) -> CurveName:
    """Return the name of the loss that free energies use."""
    return next(((name, "") for name in MAIN_LOSSES if (name, "") in curves), (MAIN_LOSSES[-1], ""))


def merged(events: Sequence[Event], curves: Mapping[CurveName, Curve], rules: Sequence[Rule], passages: Intervals) -> list[Event]:
    """Events put together, in order: namesakes that overlap (two heads may form a little apart), and what has no name of its own
    with what it coincides with (a precursor, an aftermath)."""
    names = {event: named(event, changes_of(event, events, curves, passages), curves, rules) for event in events}
    homes: list[tuple[str, Event]] = []
    for event in sorted(events, key=lambda event: (names[event] != UNNAMED, clearness(event.rows[0])), reverse=True):
        place = next((at for at, home in enumerate(homes) if belongs((names[event], event), home)), None)
        if place is None:
            homes.append((names[event], event))
        else:
            name, home = homes[place]
            homes[place] = (name, Event((*home.rows, *event.rows)))
    return sorted((event for _, event in homes), key=lambda event: event.location)


def belongs(one: tuple[str, Event], home: tuple[str, Event]) -> bool:
    """Whether an event, given with its name, is part of one that is at least as clear."""
    (name, event), (home_name, other) = one, home
    if name != UNNAMED:
        return name == home_name and event.start <= other.end and other.start <= event.end
    return coincide(event.span, other.span)


def named(event: Event, changes: Mapping[CurveName, Change], curves: Mapping[CurveName, Curve], rules: Sequence[Rule]) -> str:
    return name_with_reasons(changes, curves, event.observables, rules)[0]


def candidate(
    event: Event,
    changes: Mapping[CurveName, Change],
    levels: Mapping[str, float | None],
    curves: Mapping[CurveName, Curve],
    rules: Sequence[Rule],
) -> dict:
    """Return one entry of transitions.json; its evidence the clearest first."""
    name, reasons = name_with_reasons(changes, curves, event.observables, rules)
    llc, loss = (
        None if None in (levels[f"{kind}_before"], levels[f"{kind}_after"]) else changes.get(key)
        for kind, key in (("llc", LLC), ("loss", main_loss(curves)))
    )
    entry = {
        "name": name,
        "named_by": reasons,
        "start": event.start,
        "location": event.location,
        **dict(zip(("location_low", "location_high"), event.located_within, strict=True)),
        "end": event.end,
        **{column: event.rows[0][column] for column in ROW},
        **levels,
        **free_energy(loss, llc, changes.get(NEGATIVE_LOG_PRIOR)),
        "lags": lags(event.rows),
        "evidence": [{column: row[column] for column in EVIDENCE} for row in sorted(event.rows, key=clearness, reverse=True)],
    }
    return plain(entry)


def free_energy(loss: Change | None, llc: Change | None, prior: Change | None) -> dict:
    """What the two sides of a transition say of their free energies; None where a side was not measured."""
    entry: dict[str, float | bool | None] = {
        "delta_llc": llc and llc.difference,
        "delta_llc_standard_error": llc and llc.standard_error,
        "delta_llc_degrees_of_freedom": llc and llc.degrees_of_freedom,
        "delta_loss": loss and loss.difference,
        "delta_loss_standard_error": loss and loss.standard_error,
        "delta_negative_log_prior": prior and prior.difference,
        "free_energy_condition": None,
        "free_energy_condition_probability": None,
    }
    size = (np.nan, np.nan, np.nan)
    if loss and llc:
        errors = np.diag([loss.standard_error**2, llc.standard_error**2])
        constant = (prior and prior.difference) or 0.0
        freedom = (loss.degrees_of_freedom, llc.degrees_of_freedom)
        size = critical_sample_size(loss.difference, llc.difference, constant, covariance=errors, degrees_of_freedom=freedom)
        entry["free_energy_condition"] = loss.difference < 0 < llc.difference
        entry["free_energy_condition_probability"] = chance_below_zero(loss) * (1 - chance_below_zero(llc))
    names = ("critical_sample_size", "critical_sample_size_low", "critical_sample_size_high")
    return entry | dict(zip(names, size, strict=True))


def chance_below_zero(change: Change) -> float:
    """The probability that a change is negative, given its error (Student's t); 0 or 1 where it has none."""
    if not change.standard_error > 0:
        return float(change.difference < 0)
    return float(stdtr(change.degrees_of_freedom, -change.difference / change.standard_error))


def plain(value: Any) -> Any:
    """The same with NumPy's numbers as Python's, and None for what is not finite: JSON has neither."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
