"""What moves with a candidate and in which order, where λ̂ turns, and which flags are void: in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from ontogeny.report.labels import label, listed
from ontogeny.report.numbers import chance, known, number, step
from ontogeny.report.tables import LLC
from ontogeny.trajectory import LOSSES

MOST_NAMED = 3
KINDS = {"rise": "rising", "fall": "falling", "plateau": "resting"}


def curve_name(row: Mapping[str, Any]) -> str:
    """'prefix-matching score of layers.1.heads.0'."""
    component = row.get("component")
    return label(str(row.get("observable", ""))).title + (f" of {component}" if component else "")


def timing(candidate: Mapping[str, Any]) -> str:
    """Whether λ̂ moves before the loss, what leads and what follows, and whether so much moves together by chance."""
    lags = [row for row in candidate.get("lags") or [] if all(known(row.get(f"lag{end}")) for end in ("", "_low", "_high"))]
    parts = [against_the_loss(lags), leads_and_follows(lags), together(candidate.get("co_timing_p_value"))]
    return " ".join(part for part in parts if part)


def against_the_loss(lags: Sequence[Mapping[str, Any]]) -> str:
    """'λ̂ moves before the loss, by 0.31 (95% interval 0.1 to 0.52) in log step.'"""
    row = next((row for row in lags if row["reference"] == LLC and row["observable"] in LOSSES and not row["component"]), None)
    if row is None:
        return ""
    low, high = row["lag_low"], row["lag_high"]
    interval = f"95% interval {number(low, 2)} to {number(high, 2)}"
    if low > 0:
        return f"λ̂ moves before the loss, by {number(row['lag'], 2)} in log step ({interval})."
    if high < 0:
        return f"λ̂ moves after the loss, by {number(-row['lag'], 2)} in log step ({interval} for the loss against λ̂)."
    return f"Whether λ̂ or the loss moves first cannot be told: the loss lags by {number(row['lag'], 2)} in log step ({interval})."


def leads_and_follows(lags: Sequence[Mapping[str, Any]]) -> str:
    """What moves clearly before and after the reference."""
    others = [row for row in lags if not (row["observable"] in LOSSES and row["reference"] == LLC)]
    if not others:
        return ""
    subject = "λ̂" if others[0]["reference"] == LLC else f"the {label(str(others[0]['reference'])).title}"
    early, late = [row for row in others if row["lag_high"] < 0], [row for row in others if row["lag_low"] > 0]
    told = [f"Clearly {when} {subject}: {some(rows)}." for when, rows in (("before", early), ("after", late)) if rows]
    return " ".join(told)


def some(rows: Sequence[Mapping[str, Any]]) -> str:
    ordered = sorted(rows, key=lambda row: -abs(row["lag"]))
    more = [f"{len(ordered) - MOST_NAMED} more"] if len(ordered) > MOST_NAMED else []
    return listed([f"the {curve_name(row)}" for row in ordered[:MOST_NAMED]] + more)


def together(p_value: Any) -> str:
    """Nothing is said where nothing else moves: the probability is then 1."""
    if not known(p_value) or p_value >= 1:
        return ""
    return f"Were the times of the observables unrelated, as many would move within it with probability {number(p_value, 2)}."


def boundaries_in_words(transitions: Mapping[str, Any]) -> list[str]:
    """Where λ̂ goes over from rising, falling or resting to another of the three, ready for a list."""
    return [
        f"step {step(row.get('location'))}: from {KINDS.get(str(row.get('from')), '?')} to {KINDS.get(str(row.get('to')), '?')}, "
        f"with probability {chance(row.get('probability'))}"
        for row in transitions.get("boundaries") or []
    ]


def void_in_words(transitions: Mapping[str, Any]) -> list[str]:
    """Flags that carry no evidence, since the training itself was changed there."""
    return [
        f"{curve_name(row)}, steps {step(row.get('start'))} – {step(row.get('end'))}: {row.get('reason') or 'no reason given'}"
        for row in transitions.get("void") or []
    ]
