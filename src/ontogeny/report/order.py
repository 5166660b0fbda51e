"""Write what moves first at a candidate, where λ̂ turns, and which passages are void."""

from collections.abc import Sequence
from typing import Protocol

from ontogeny.report.labels import label, listed
from ontogeny.report.numbers import chance, number
from ontogeny.report.places import at, noun, plural, spelt
from ontogeny.report.tables import LLC
from ontogeny.trajectory import LOSSES
from ontogeny.transitions.records import Boundary, Candidate, Evidence, Lag

MOST_NAMED = 3
KINDS = {"rise": "rising", "fall": "falling", "plateau": "resting"}


class OfCurve(Protocol):
    """Anything that names a curve."""

    @property
    def observable(self) -> str: ...
    @property
    def component(self) -> str: ...


def curve_name(curve: OfCurve) -> str:
    """Return the title of a curve: 'prefix-matching score of layers.1.heads.0'."""
    return label(curve.observable).title + (f" of {curve.component}" if curve.component else "")


def timing(candidate: Candidate) -> str:
    """Say whether λ̂ moves before the loss, what leads, what follows, and how likely the coincidence is."""
    lags = candidate.lags
    parts = [against_the_loss(lags), leads_and_follows(lags), coincidence(candidate.co_timing_p_value)]
    return " ".join(part for part in parts if part)


def against_the_loss(lags: Sequence[Lag]) -> str:
    """Compare λ̂ with the loss: 'λ̂ moves before the loss, by 0.31 (95% interval 0.1 to 0.52) in log step.'"""
    lag = next((lag for lag in lags if lag.reference == LLC and lag.observable in LOSSES and not lag.component), None)
    if lag is None:
        return ""
    low, high = lag.lag_low, lag.lag_high
    interval = f"95% interval {number(low, 2)} to {number(high, 2)}"
    if low > 0:
        return f"λ̂ moves before the loss, by {number(lag.lag, 2)} in log {noun()} ({interval})."
    if high < 0:
        return f"λ̂ moves after the loss, by {number(-lag.lag, 2)} in log {noun()} ({interval} for the loss against λ̂)."
    return (
        f"Whether λ̂ or the loss moves first cannot be told: the loss lags by {number(lag.lag, 2)} in log {noun()} ({interval})."
    )


def leads_and_follows(lags: Sequence[Lag]) -> str:
    """Name the curves that clearly move before the reference, and those that clearly move after it."""
    others = [lag for lag in lags if not (lag.observable in LOSSES and lag.reference == LLC)]
    if not others:
        return ""
    subject = "λ̂" if others[0].reference == LLC else f"the {label(others[0].reference).title}"
    early, late = [lag for lag in others if lag.lag_high < 0], [lag for lag in others if lag.lag_low > 0]
    return " ".join(
        f"Clearly {when} {subject}: {curves_in_words(lags)}." for when, lags in (("before", early), ("after", late)) if lags
    )


def curves_in_words(lags: Sequence[Lag]) -> str:
    """Name the curves with the largest lags; count the curves beyond `MOST_NAMED`."""
    ordered = sorted(lags, key=lambda lag: -abs(lag.lag))
    more = [f"{len(ordered) - MOST_NAMED} more"] if len(ordered) > MOST_NAMED else []
    return listed([f"the {curve_name(lag)}" for lag in ordered[:MOST_NAMED]] + more)


def coincidence(p_value: float) -> str:
    """Give the chance that as many observables move together by coincidence; "" where no other observable moves."""
    if p_value >= 1:
        return ""
    return f"By chance alone this many observables would change within it with probability {number(p_value, 2)}."


def boundaries_in_words(boundaries: Sequence[Boundary]) -> list[str]:
    """Say where λ̂ turns from rising, falling or resting to another of the three."""
    return [
        f"{at(turn.location)}: from {KINDS[turn.before]} to {KINDS[turn.after]}, with probability {chance(turn.probability)}"
        for turn in boundaries
    ]


def void_in_words(void: Sequence[Evidence]) -> list[str]:
    """Name the passages that carry no evidence, because the training itself was changed there."""
    return [
        f"{curve_name(row)}, {plural()} {spelt(row.start)} – {spelt(row.end)}: {row.reason or 'no reason given'}" for row in void
    ]
