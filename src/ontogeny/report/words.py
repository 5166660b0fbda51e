"""What the numbers say, in sentences: headlines, candidates, stages, agreement of seeds.

Sentences are plain text. Every one says what is unknown instead of leaving it out.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from ontogeny.report.labels import listed
from ontogeny.report.numbers import change_with_error, known, number, signed_text, step, with_error
from ontogeny.report.order import curve_name, timing
from ontogeny.report.tables import LLC, RunReport, curve, failed, finite, last_step, main_loss
from ontogeny.trajectory import ALL_LOSSES

UNNAMED = "unnamed"
NOT_A_REASON = (LLC, *ALL_LOSSES)
"""Observables that every transition shows: they do not explain a name."""
MOST_REASONS = 4
MOST_FAMILIES = 4
MOST_PLACES = 8
ERRORS_THAT_COUNT = 2.0
MEANINGS: dict[tuple[int | None, int | None], str] = {
    (1, -1): "complexity is bought with a lower loss",
    (-1, -1): "the solution becomes simpler while it becomes better",
    (0, -1): "the loss falls at the same complexity",
    (1, 0): "a hidden change, which the loss does not show",
    (-1, 0): "a hidden change, which the loss does not show",
}
STAGE_TYPES = {
    "complexity bought": "complexity is bought with a lower loss",
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
    """'ontogeny: superposition, induction', what a tab or a bookmark calls a study."""
    shown = list(families[:MOST_FAMILIES])
    further = [f"{len(families) - len(shown)} more"] if len(families) > len(shown) else []
    return f"ontogeny: {', '.join([*shown, *further]) or 'no family yet'}"


def title_of(candidate: Mapping[str, Any]) -> str:
    name = candidate.get("name") or UNNAMED
    return "unnamed transition" if name == UNNAMED else name


def is_named(candidate: Mapping[str, Any]) -> bool:
    return (candidate.get("name") or UNNAMED) != UNNAMED


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count or 'no'} {noun}s"


def verdict(text: str) -> str:
    """A verdict of the sampler's checks, readable: "r_hat, drift" -> "R̂ too large, trace still drifting"."""
    if text in ("ok", ""):
        return "ok"
    return ", ".join(CHECKS.get(check.strip(), check.strip()) for check in text.split(","))


def sign_of(delta: Any, error: Any) -> int | None:
    """-1, 0 or 1 as far as the error lets one say; None where nothing was measured."""
    if not known(delta):
        return None
    clear = abs(delta) > (ERRORS_THAT_COUNT * error if known(error) else 0)
    return (1 if delta > 0 else -1) if clear else 0


def movement(subject: str, delta: Any, error: Any) -> str:
    """'λ̂ rises by 30.1 ± 2.1'."""
    sign = sign_of(delta, error)
    if sign is None:
        return f"the change of {subject} is not known (no value that counts on one side)"
    if sign == 0:
        return f"{subject} does not clearly change ({change_with_error(delta, error)})"
    return f"{subject} {'rises' if sign > 0 else 'falls'} by {with_error(abs(delta), error)}"


def candidate_sentences(candidate: Mapping[str, Any], trajectory: pd.DataFrame) -> list[str]:
    """A candidate in words: what λ̂ and the loss do, why it bears its name, what moves first, where the free energies cross,
    how sure it is."""
    parts = [passage(candidate), naming(candidate, trajectory), timing(candidate), free_energies(candidate), certainty(candidate)]
    return [part for part in parts if part]


def passage(candidate: Mapping[str, Any]) -> str:
    """'Between steps 600 and 800 (located at 700) λ̂ rises by 30.1 ± 2.1 while the loss falls by 0.42: …'"""
    llc = candidate.get("delta_llc"), candidate.get("delta_llc_standard_error")
    loss = candidate.get("delta_loss"), candidate.get("delta_loss_standard_error")
    when = f"Between steps {step(candidate.get('start'))} and {step(candidate.get('end'))}"
    located = f" (located at {step(candidate['location'])})" if known(candidate.get("location")) else ""
    if not known(llc[0]) and not known(loss[0]):
        return f"{when}{located} neither λ̂ nor the loss was measured on both sides."
    told = f"{when}{located} {movement('λ̂', *llc)} while {movement('the loss', *loss)}"
    meaning = MEANINGS.get((sign_of(*llc), sign_of(*loss)))
    return f"{told}: {meaning}." if meaning else f"{told}."


def naming(candidate: Mapping[str, Any], trajectory: pd.DataFrame) -> str:
    """Why it bears its name, or what changes where it bears none."""
    reasons, rows = candidate.get("named_by") or [], candidate.get("evidence") or []
    left_out = (*NOT_A_REASON, *(reason["observable"] for reason in reasons))
    independent = [row for row in rows if row.get("observable") not in left_out]
    told = "; ".join(observables_in_words(independent or ([] if reasons else rows), trajectory))
    with_it = f" With it, {told}." if told else ""
    if not is_named(candidate):
        return f"It has no name: no rule fits.{with_it}"
    because = "; ".join(between_levels(f"the {curve_name(one)}", one["before"], one["after"]) for one in reasons)
    return f"It is named {candidate['name']}{f' because {because}' if because else ''}.{with_it}"


def observables_in_words(rows: Sequence[Mapping[str, Any]], trajectory: pd.DataFrame) -> list[str]:
    """The observables that changed, in their order, each by the component that changed most; the rest counted."""
    names = list(dict.fromkeys(row.get("observable") for row in rows))
    told = []
    for name in names[:MOST_REASONS]:
        own = sorted((row for row in rows if row.get("observable") == name), key=size_of_change, reverse=True)
        others = f" (and {counted(len(own) - 1, 'further component')})" if len(own) > 1 else ""
        told.append(evidence_in_words(own[0], trajectory) + others)
    return told + ([f"{counted(len(names) - MOST_REASONS, 'further observable')} with them"] if len(names) > MOST_REASONS else [])


def size_of_change(row: Mapping[str, Any]) -> float:
    change = row.get("change")
    return float(abs(change)) if known(change) else 0.0


def evidence_in_words(row: Mapping[str, Any], trajectory: pd.DataFrame) -> str:
    """'the prefix-matching score of layers.1.heads.0 rises from 0.05 to 0.62', the levels at the ends of its interval."""
    observable, component = str(row.get("observable", "")), str(row.get("component") or "")
    subject = f"the {curve_name(row)}"
    before, after = levels(curve(trajectory, observable, component), row.get("start"), row.get("end"))
    if before is not None and after is not None and before != after:
        return between_levels(subject, before, after)
    return movement(subject, row.get("change"), None)


def between_levels(subject: str, before: float, after: float) -> str:
    return f"{subject} {'rises' if after > before else 'falls'} from {' to '.join(told_apart(before, after))}"


def told_apart(before: float, after: float) -> tuple[str, str]:
    """Two different levels to the same decimals: three digits of the larger, two of their difference."""
    if float(before).is_integer() and float(after).is_integer():
        return number(before), number(after)
    largest, gap = (math.floor(math.log10(size)) for size in (max(abs(before), abs(after)), abs(after - before)))
    places = min(max(2 - largest, 1 - gap, 0), MOST_PLACES)
    return signed_text(f"{before:,.{places}f}"), signed_text(f"{after:,.{places}f}")


def levels(rows: pd.DataFrame, start: Any, end: Any) -> tuple[float | None, float | None]:
    """The last value up to `start` and the first from `end`; None where there is none."""
    measured = finite(rows)
    if not known(start) or not known(end) or measured.empty:
        return None, None
    before = measured.loc[measured["step"] <= start, "value"]
    after = measured.loc[measured["step"] >= end, "value"]
    return (before.iloc[-1] if len(before) else None), (after.iloc[0] if len(after) else None)


def free_energies(candidate: Mapping[str, Any]) -> str:
    """Whether and where the free energies of the two sides cross."""
    size, low, high = (candidate.get("critical_sample_size" + end) for end in ("", "_low", "_high"))
    if known(size):
        upper = f"to {number(high)}" if known(high) else "upwards"
        interval = f" (95% interval {number(low)} {upper})" if known(low) else ""
        probability = candidate.get("free_energy_condition_probability")
        chance = f"; that the loss falls and λ̂ rises has probability {number(probability, 2)}" if known(probability) else ""
        return f"The free energies cross at n ≈ {number(size)}{interval}{chance}."
    condition = candidate.get("free_energy_condition")
    if condition is None:
        return "Whether the free energies cross is not known: one side has no λ̂ that passes the sampler's checks, or no loss."
    if condition:
        return "The loss falls while λ̂ rises, but the free energies of the two sides do not cross."
    return "The free energies do not cross: that needs a falling loss and a rising λ̂."


def certainty(candidate: Mapping[str, Any]) -> str:
    """How sure the clearest of its curves is."""
    p, q = candidate.get("p_value"), candidate.get("q_value")
    if not known(p):
        return ""
    adjusted = f", q = {number(q, 2)} over all curves of the run" if known(q) else ""
    clearest = f" by the {curve_name(candidate)}" if candidate.get("observable") else ""
    return f"Shown most clearly{clearest}: p = {number(p, 2)}{adjusted}."


def clearest(candidates: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The candidate to put first: a named one before an unnamed one, then the smallest p-value, then the most curves."""

    def rank(candidate: Mapping[str, Any]) -> tuple[bool, float, int]:
        p = candidate.get("p_value")
        return not is_named(candidate), float(p) if known(p) else 1.0, -len(candidate.get("evidence") or [])

    return min(candidates, key=rank, default=None)


def headline(report: RunReport) -> str:
    """The run in a sentence or two."""
    candidates = report.transitions.get("candidates") or []
    steps = f"{step(last_step(report.trajectory))} steps"
    if report.trajectory.empty:
        return "Nothing has been measured on this run."
    first = clearest(candidates)
    if "candidates" not in report.transitions:
        return f"Transitions have not been looked for in these {steps}. {span_in_words(report.trajectory)}"
    if first is None:
        open_llc = any(row.get("observable") == "llc" for row in report.transitions.get("undecided") or [])
        where = f"among the curves that could be judged, which λ̂ was not, in {steps}" if open_llc else f"in {steps}"
        return f"No candidate transition was found {where}. {span_in_words(report.trajectory)}"
    which = "It is" if len(candidates) == 1 else "The clearest is"
    llc = movement("λ̂", first.get("delta_llc"), first.get("delta_llc_standard_error"))
    loss = movement("the loss", first.get("delta_loss"), first.get("delta_loss_standard_error"))
    what = f"{which} {title_of(first) if is_named(first) else 'unnamed'}, near step {step(first.get('location'))}"
    return f"{counted(len(candidates), 'candidate transition')} in {steps}. {what}: {llc} while {loss}."


def span_in_words(trajectory: pd.DataFrame) -> str:
    """Where λ̂ and the loss begin and end."""
    llc, loss = finite(curve(trajectory, LLC)), main_loss(trajectory)
    told = [
        f"{name} goes from {number(rows['value'].iloc[0])} to {number(rows['value'].iloc[-1])}"
        for name, rows in (("λ̂", llc), ("the loss", loss))
        if len(rows)
    ]
    return f"Over the run, {listed(told)}." if told else "Neither λ̂ nor a loss was measured."


def sampling_in_words(trajectory: pd.DataFrame) -> str:
    """How far λ̂ can be believed along the run."""
    rows = curve(trajectory, LLC)
    if rows.empty:
        return "λ̂ was not sampled on this run."
    bad = rows[failed(rows)]
    lost = rows[rows["value"].isna()]
    told = f"λ̂ was sampled at {counted(len(rows), 'checkpoint')}; "
    if bad.empty:
        told += "all of them pass the sampler's checks."
    else:
        told += f"{len(bad)} fail at least one of the sampler's checks ({which_checks(bad['verdict'])}). "
        told += "They stay on the plots, as crosses, and carry no evidence."
    return told + (f" At {counted(len(lost), 'checkpoint')} no chain survived, and there is no estimate." if len(lost) else "")


def which_checks(verdicts: Iterable[str]) -> str:
    """How many checkpoints failed each check, the commonest first: 'R̂ too large: 12, trace still drifting: 3'."""
    checks = Counter(check.strip() for text in verdicts for check in text.split(","))
    return ", ".join(f"{CHECKS.get(check, check)}: {count}" for check, count in checks.most_common())


def calibration_in_words(calibration: Mapping[str, Any]) -> str:
    """The step, what it comes to, when pilot chains had settled, and where λ̂ is flat in nβ."""
    told = [f"The step size is {number(calibration.get('sampler', {}).get('step_size'), 3)}."]
    if verdict := calibration.get("stability", {}).get("verdict"):
        told.append(f"On the largest curvature found along pilot chains it is {verdict}.")
    if known(calibration.get("mala_acceptance")):
        share = number(calibration["mala_acceptance"], 2)
        told.append(f"As a proposal of MALA it is accepted with probability {share} (to compare steps of one model).")
    if known(calibration.get("settled_after")):
        told.append(f"Pilot chains had settled after {calibration['settled_after']} steps; burn-in is {calibration['burn_in']}.")
    if sweep := calibration.get("sweep"):
        low, high = number(sweep["flat_from"], 3), number(sweep["flat_to"], 3)
        flat = f"λ̂ is flat, to 10%, from nβ = {low} to {high}."
        unknown = "λ̂ is not known to be flat in nβ around the value used: it changes, or its errors are wide."
        told.append(flat if low != high else unknown)
    return " ".join(told)


def agreement(transition: Mapping[str, Any]) -> str:
    """What the seeds say of one transition: '5 of 8 seeds; …. Seeds 0, 2, …, at median step 700, from 690 to 715.'"""
    seeds = [str(seed) for seed in transition.get("seeds") or []]
    reason = transition.get("reason") or f"{len(seeds)} of {transition.get('of', 'an unknown number of')} seeds"
    low, middle, high = (step(transition.get(f"location_{end}")) for end in ("low", "median", "high"))
    where = f"at step {middle}" if low == high else f"at median step {middle}, from {low} to {high}"
    who = f"{'Seed' if len(seeds) == 1 else 'Seeds'} {listed(seeds)}, {where}" if seeds else where.capitalize()
    return f"{reason}. {who}."


def support_of(candidate: Mapping[str, Any], consensus: Mapping[str, Any]) -> str:
    """How well the seeds support a candidate; "" where they were not compared, or it has no name to be found by."""
    rows = consensus.get("transitions") or []
    return next((row.get("support", "") for row in rows if is_named(candidate) and row.get("name") == candidate.get("name")), "")


def stage_rows(transitions: Mapping[str, Any]) -> list[dict[str, str]]:
    """The stretches between the candidates, ready for a table."""
    return [
        {
            "steps": f"{step(stage.get('start'))} – {step(stage.get('end'))}",
            "llc": change_with_error(stage.get("delta_llc"), None),
            "loss": change_with_error(stage.get("delta_loss"), None),
            "type": str(stage.get("type") or "not measured"),
            "meaning": STAGE_TYPES.get(str(stage.get("type")), "λ̂ or the loss has too few checkpoints there"),
        }
        for stage in transitions.get("stages") or []
    ]
