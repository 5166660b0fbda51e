"""Write the sentences of the pages: headlines, candidates, stages, agreement of seeds.

Sentences are plain text. Where a number is unknown, the sentence says so.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ontogeny.report.labels import capital, listed
from ontogeny.report.numbers import (
    change_with_error,
    known,
    number,
    signed_text,
    with_error,
)
from ontogeny.report.order import curve_name
from ontogeny.report.places import SHOWN, at, between, called, extent, is_steps, noun, spelt
from ontogeny.report.tables import LLC, RunReport, curve, failed, finite, main_loss, steps_of
from ontogeny.trajectory import ALL_LOSSES
from ontogeny.transitions.limits import ERRORS_THAT_COUNT
from ontogeny.transitions.records import UNNAMED, Agreement, Candidate, Evidence, Reason, Stage

NOT_A_REASON = (LLC, *ALL_LOSSES)
"""Observables that change in every transition; they do not explain a name."""
MOST_REASONS = 4
MOST_STRETCHES = 12
MOST_FAMILIES = 4
MOST_PLACES = 8
VAGUE = "Its location is vague: the 95% interval is wider than the candidate itself."
MEANINGS: dict[tuple[int | None, int | None], str] = {
    (1, -1): "a lower loss is bought with more complexity",
    (-1, -1): "the solution becomes simpler while it becomes better",
    (0, -1): "the loss falls at the same complexity",
    (1, 0): "a hidden change, which the loss does not show",
    (-1, 0): "a hidden change, which the loss does not show",
}
STAGE_TYPES = {
    "complexity bought": "a lower loss is bought with more complexity",
    "simplification": "λ̂ and the loss both fall",
    "hidden": "λ̂ moves while the loss does not",
    "loss falls alone": "the loss falls at the same complexity",
    "quiet": "neither moves",
    "loss rises": "the loss rises",
}
CHECKS = {
    "negative": "λ̂ below 0",
    "dead_chains": "dead chains",
    "r_hat": "R̂ too large",
    "effective_sample_size": "too few independent draws",
    "drift": "trace still drifting",
    "share_below": "draws below L(w*)",
    "first_order": "no minimum",
    "step_size": "step too long",
    "dimension": "λ̂ above the number of parameters",
}


def study_title(families: Sequence[str]) -> str:
    """Return the title of a study's index: 'ontogeny: superposition, induction'."""
    first = list(families[:MOST_FAMILIES])
    further = [f"{len(families) - len(first)} more"] if len(families) > len(first) else []
    return f"ontogeny: {', '.join([*first, *further]) or 'no family yet'}"


def title_of(transition: Candidate | Agreement) -> str:
    return transition.name if is_named(transition) else "unnamed transition"


def is_named(transition: Candidate | Agreement) -> bool:
    return transition.name != UNNAMED


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count or 'no'} {noun}s"


def verdict(text: str) -> str:
    """Translate the sampler's verdict: "r_hat, drift" -> "R̂ too large, trace still drifting"."""
    if text in ("ok", ""):
        return "ok"
    return ", ".join(CHECKS.get(check.strip(), check.strip()) for check in text.split(","))


def sign_of(delta: Any, error: Any) -> int | None:
    """Return -1 or 1 if the change exceeds `ERRORS_THAT_COUNT` errors, else 0; None if it is unknown."""
    if not known(delta):
        return None
    clear = abs(delta) > (ERRORS_THAT_COUNT * error if known(error) else 0)
    return (1 if delta > 0 else -1) if clear else 0


def movement(subject: str, delta: float, error: Any) -> str:
    """Describe a change: 'λ̂ rises by 30.1 ± 2.1'."""
    if sign_of(delta, error) == 0:
        return f"{subject} does not clearly change ({change_with_error(delta, error)})"
    return f"{subject} {'rises' if delta > 0 else 'falls'} by {with_error(abs(delta), error)}"


def llc_movement(candidate: Candidate, trajectory: pd.DataFrame) -> str:
    """Describe how λ̂ changes across a candidate."""
    if known(candidate.delta_llc):
        return movement("λ̂", candidate.delta_llc, candidate.delta_llc_standard_error)
    if candidate.llc_verdict == "failed":
        return "the change of λ̂ is not known (λ̂ passes the sampler's checks at too few checkpoints)"
    rows = curve(trajectory, LLC)
    passing = pd.DataFrame(rows[~failed(rows)])
    return rough_movement("λ̂", passing, candidate, missing_level(candidate.llc_before, candidate.llc_after))


def loss_movement(candidate: Candidate, trajectory: pd.DataFrame) -> str:
    """Describe how the loss changes across a candidate."""
    if known(candidate.delta_loss):
        return movement("the loss", candidate.delta_loss, candidate.delta_loss_standard_error)
    why = missing_level(candidate.loss_before, candidate.loss_after)
    return rough_movement("the loss", main_loss(trajectory), candidate, why)


def rough_movement(subject: str, rows: pd.DataFrame, candidate: Candidate, why: str) -> str:
    """Describe a change without clean levels by the checkpoints nearest to the ends of the passage."""
    measured = finite(rows)
    within = measured[(measured["step"] > candidate.start) & (measured["step"] < candidate.end)]
    first: Any = pd.concat([measured[measured["step"] <= candidate.start].tail(1), within.head(1)]).head(1)
    last: Any = pd.concat([within.tail(1), measured[measured["step"] >= candidate.end].head(1)]).tail(1)
    if first.empty or last.empty or first["step"].iloc[0] == last["step"].iloc[0]:
        return f"the change of {subject} is not known ({why})"
    (low, before), (high, after) = ((row["value"].iloc[0], row["step"].iloc[0]) for row in (first, last))
    verb = "rises" if high > low else "falls"
    return f"{subject} {verb} from about {number(low)} at {at(before)} to about {number(high)} at {spelt(after)} ({why})"


def missing_level(before: float | None, after: float | None) -> str:
    """Say which sides of a candidate have no clean level."""
    return f"no clean level {' or '.join(side for side, level in (('before', before), ('after', after)) if not known(level))}"


def passage(candidate: Candidate, trajectory: pd.DataFrame) -> str:
    """Describe the change: 'Between steps 600 and 800 (located at 700) λ̂ rises by 30.1 ± 2.1 while the loss falls by 0.42: …'"""
    when = f"{between(candidate.start, candidate.end)} (located at {location(candidate)})"
    llc_sign = sign_of(candidate.delta_llc, candidate.delta_llc_standard_error)
    loss_sign = sign_of(candidate.delta_loss, candidate.delta_loss_standard_error)
    meaning = MEANINGS.get((llc_sign, loss_sign))
    moves = f"{llc_movement(candidate, trajectory)} while {loss_movement(candidate, trajectory)}"
    return f"{when} {moves}{f': {meaning}' if meaning else ''}."


def location(candidate: Candidate) -> str:
    """Return the location with its interval: '700, 95% interval 650 to 750'."""
    interval = f"{spelt(candidate.location_low)} to {spelt(candidate.location_high)}"
    return f"{spelt(candidate.location)}, 95% interval {interval}"


def is_vague(candidate: Candidate, trajectory: pd.DataFrame) -> bool:
    """Return whether the interval of the location, on the scale of the axis, is wider than the candidate.

    The candidate counts with half the distance to the next checkpoint on either side, since no interval is narrower than the
    distance of two checkpoints.
    """
    ends = [candidate.start, candidate.end, candidate.location_low, candidate.location_high]
    start, end, low, high = SHOWN.get().position(ends)
    rows = curve(trajectory, candidate.observable, candidate.component)
    steps = SHOWN.get().position(rows["step"])
    earlier, later = max(steps[steps < start], default=start), min(steps[steps > end], default=end)
    return bool(high - low > (end + later) / 2 - (start + earlier) / 2)


def naming(candidate: Candidate) -> str:
    """Say why the candidate has its name."""
    if not is_named(candidate):
        return "No rule fits, so it has no name."
    if not candidate.named_by:
        return "No rule fits in this seed; another seed, whose interval coincides, gives the name."
    return f"{capital('; '.join(map(reason_in_words, candidate.named_by)))}."


def companions(candidate: Candidate, trajectory: pd.DataFrame) -> str:
    """Say what else changes with a candidate, besides the loss, λ̂ and what its name rests on; "" where nothing does."""
    reasons, rows = candidate.named_by, candidate.evidence
    left_out = (*NOT_A_REASON, *(reason.observable for reason in reasons))
    independent = [row for row in rows if row.observable not in left_out]
    others = "; ".join(observables_in_words(independent or ([] if reasons else rows), trajectory))
    return f"With it, {others}." if others else ""


def reason_in_words(row: Reason) -> str:
    """Describe what met a condition: 'the copying score of layers.1.heads.0 is 9.1 afterwards'."""
    if row.direction == "level":
        when = "at the end of the run" if row.at == "end" else "afterwards"
        return f"the {curve_name(row)} is {number(row.after)} {when}"
    return between_levels(f"the {curve_name(row)}", row.before, row.after)


def observables_in_words(rows: Sequence[Evidence], trajectory: pd.DataFrame) -> list[str]:
    """Describe each observable by the component that changed most; count the observables beyond `MOST_REASONS`."""
    names = list(dict.fromkeys(row.observable for row in rows))
    changes = []
    for name in names[:MOST_REASONS]:
        own = sorted((row for row in rows if row.observable == name), key=lambda row: abs(row.change), reverse=True)
        others = f" (and {counted(len(own) - 1, 'further component')})" if len(own) > 1 else ""
        changes.append(evidence_in_words(own[0], trajectory) + others)
    further = [f"{counted(len(names) - MOST_REASONS, 'further observable')} with them"] if len(names) > MOST_REASONS else []
    return changes + further


def evidence_in_words(row: Evidence, trajectory: pd.DataFrame) -> str:
    """Describe the change of one curve: 'the prefix-matching score of layers.1.heads.0 rises from 0.05 to 0.62'.

    The two numbers are the values at the ends of the curve's own interval.
    """
    subject = f"the {curve_name(row)}"
    before, after = levels(curve(trajectory, row.observable, row.component), row.start, row.end)
    if before is not None and after is not None and before != after:
        return between_levels(subject, before, after)
    return movement(subject, row.change, None)


def between_levels(subject: str, before: float, after: float) -> str:
    return f"{subject} {'rises' if after > before else 'falls'} from {' to '.join(distinguishable(before, after))}"


def distinguishable(before: float, after: float) -> tuple[str, str]:
    """Return two different levels with the same number of decimals: three digits of the larger, two of their difference."""
    if float(before).is_integer() and float(after).is_integer():
        return number(before), number(after)
    largest, gap = (math.floor(math.log10(size)) for size in (max(abs(before), abs(after)), abs(after - before)))
    places = min(max(2 - largest, 1 - gap, 0), MOST_PLACES)
    return signed_text(f"{before:,.{places}f}"), signed_text(f"{after:,.{places}f}")


def levels(rows: pd.DataFrame, start: float, end: float) -> tuple[float | None, float | None]:
    """Return the last value up to `start` and the first from `end`; None where there is none."""
    measured = finite(rows)
    if measured.empty:
        return None, None
    before = measured.loc[measured["step"] <= start, "value"]
    after = measured.loc[measured["step"] >= end, "value"]
    return (before.iloc[-1] if len(before) else None), (after.iloc[0] if len(after) else None)


def clearest(candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the candidate to put first: a named one before an unnamed one, then by the smallest p-value, then by the most
    curves."""

    def rank(candidate: Candidate) -> tuple[bool, float, int]:
        return not is_named(candidate), candidate.p_value, -len(candidate.evidence)

    return min(candidates, key=rank, default=None)


def headline(report: RunReport) -> str:
    """Say what the run does: its clearest transition first, then the others by name and place."""
    steps = extent(steps_of(report.trajectory))
    if report.trajectory.empty:
        return "Nothing has been measured on this run."
    first = clearest(report.candidates)
    if report.transitions is None:
        return f"Transitions have not been looked for in {'these ' * is_steps()}{steps}. {span_in_words(report.trajectory)}"
    if first is None:
        open_llc = any(row.observable == LLC for row in report.transitions.undecided)
        but = " λ̂ could not be judged." if open_llc else ""
        return f"No transition was found in {steps}.{but} {span_in_words(report.trajectory)}"
    where = location(first) if is_vague(first, report.trajectory) else spelt(first.location)
    moves = f"{llc_movement(first, report.trajectory)} while {loss_movement(first, report.trajectory)}"
    of = f" of {steps}" if is_steps() else f" (of {steps})"
    return f"{capital(title_of(first))} near {called(where)}{of}: {moves}.{besides(report.candidates, first)}"


def besides(candidates: Sequence[Candidate], first: Candidate) -> str:
    """Name the other candidates with their places; count those without a name; "" where there are none."""
    others = [row for row in candidates if row is not first]
    named = [f"{row.name} near {at(row.location)}" for row in others if is_named(row)]
    unnamed = [spelt(row.location) for row in others if not is_named(row)]
    if unnamed:
        named.append(f"{counted(len(unnamed), 'unnamed transition')} near {called(listed(unnamed))}")
    return f" Besides: {listed(named)}." if named else ""


def span_in_words(trajectory: pd.DataFrame) -> str:
    """Give the first and the last value of λ̂ and of the loss."""
    llc, loss = finite(curve(trajectory, LLC)), main_loss(trajectory)
    spans = [
        f"{name} goes from {number(rows['value'].iloc[0])} to {number(rows['value'].iloc[-1])}"
        for name, rows in (("λ̂", llc), ("the loss", loss))
        if len(rows)
    ]
    over = "Over the run" if is_steps() else f"Along {noun()}"
    return f"{over}, {listed(spans)}." if spans else "Neither λ̂ nor a loss was measured."


def sampling_in_words(trajectory: pd.DataFrame) -> str:
    """Count the checkpoints at which λ̂ was sampled, fails its checks, or has no estimate."""
    rows = curve(trajectory, LLC)
    if rows.empty:
        return "λ̂ was not sampled on this run."
    bad = rows[failed(rows)]
    lost = rows[rows["value"].isna()]
    text = f"λ̂ was sampled at {counted(len(rows), 'checkpoint')}; "
    if bad.empty:
        text += "all of them pass the sampler's checks."
    else:
        text += f"{len(bad)} fail at least one of the sampler's checks ({which_checks(bad['verdict'])}). "
        text += "They stay on the plots, as crosses, and carry no evidence."
    return text + (f" At {counted(len(lost), 'checkpoint')} no chain survived, and there is no estimate." if len(lost) else "")


def left_out_in_words(trajectory: pd.DataFrame) -> str:
    """Name the checkpoints whose λ̂ carries no evidence; "" where every one does."""
    rows = curve(trajectory, LLC)
    out = (failed(rows) | rows["value"].isna()).to_numpy(bool)
    if not out.any():
        return ""
    steps = rows["step"].tolist()
    edges = np.flatnonzero(np.diff([0, *out.astype(int), 0])).reshape(-1, 2)
    stretches = [spelt(steps[a]) if b - a == 1 else f"{spelt(steps[a])} to {spelt(steps[b - 1])}" for a, b in edges.tolist()]
    more = [f"{len(stretches) - MOST_STRETCHES} more stretches"] if len(stretches) > MOST_STRETCHES else []
    where = listed(stretches[:MOST_STRETCHES] + more)
    where = f"steps {where}" if is_steps() and out.sum() > 1 else called(where)
    which = f"{out.sum()} of {counted(len(rows), 'checkpoint')}, at {where}"
    return f"Left out, because λ̂ fails the sampler's checks there: {which}. The slope and its probabilities do not see them."


def which_checks(verdicts: Iterable[str]) -> str:
    """Count the checkpoints that failed each check, the most frequent first: 'R̂ too large: 12, trace still drifting: 3'."""
    checks = Counter(check.strip() for text in verdicts for check in text.split(","))
    return ", ".join(f"{CHECKS.get(check, check)}: {count}" for check, count in checks.most_common())


def calibration_in_words(calibration: Mapping[str, Any]) -> str:
    """Describe the step size, its stability, the length of burn-in, and the range of nβ in which λ̂ is flat."""
    parts = [f"The step size is {number(calibration.get('sampler', {}).get('step_size'), 3)}."]
    if verdict := calibration.get("stability", {}).get("verdict"):
        parts.append(f"On the largest curvature found along pilot chains it is {verdict}.")
    if known(calibration.get("mala_acceptance")):
        share = number(calibration["mala_acceptance"], 2)
        parts.append(f"As a proposal of MALA it is accepted with probability {share} (to compare steps of one model).")
    if known(calibration.get("settled_after")):
        parts.append(f"Pilot chains had settled after {calibration['settled_after']} steps; burn-in is {calibration['burn_in']}.")
    if sweep := calibration.get("sweep"):
        low, high = number(sweep["flat_from"], 3), number(sweep["flat_to"], 3)
        flat = f"λ̂ is flat, to 10%, from nβ = {low} to {high}."
        unknown = "λ̂ is not known to be flat in nβ around the value used: it changes, or its errors are wide."
        parts.append(flat if low != high else unknown)
    return " ".join(parts)


def stage_rows(stages: Sequence[Stage]) -> list[dict[str, str]]:
    """Return a row of the table of stages for each stretch between candidates."""
    return [
        {
            "steps": f"{spelt(stage.start)} – {spelt(stage.end)}",
            "llc": change_with_error(stage.delta_llc, None),
            "loss": change_with_error(stage.delta_loss, None),
            "type": stage.type,
            "meaning": STAGE_TYPES.get(stage.type, "λ̂ or the loss has too few checkpoints there"),
        }
        for stage in stages
    ]
