"""From the passages of single curves to the candidates of a run, with their names, free energies and timing."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ontogeny.trajectory import STEPS, Axis
from ontogeny.transitions.boundaries import boundaries_of
from ontogeny.transitions.detection.detect import CANDIDATE, UNDECIDED, VOID
from ontogeny.transitions.detection.tables import LLC, Chains, Covariances, CurveName
from ontogeny.transitions.events import Event, group, intervals_of, window
from ontogeny.transitions.evidence import Change, change_across
from ontogeny.transitions.free_energies import UNKNOWN, Sampling, free_energy_change
from ontogeny.transitions.levels import (
    HELD_BY_LOCALIZATION,
    NEGATIVE_LOG_PRIOR,
    Curves,
    changes_across,
    curves_with_levels,
    exact_curve,
    levels_beside,
    main_loss,
    passages_of,
    span,
    with_search_noise,
)
from ontogeny.transitions.matching import clearness
from ontogeny.transitions.merging import merged
from ontogeny.transitions.naming import DEFAULT_LEAST_CHANGES, DEFAULT_RULES, Rule, name_with_reasons
from ontogeny.transitions.records import Candidate, Development, Evidence, Remark
from ontogeny.transitions.stretches import stages_between
from ontogeny.transitions.timing import co_timing, lags

CLEAREST = ("observable", "component", "direction", "change", "change_standard_error", "p_value", "q_value")
"""Fields that a candidate takes from its clearest passage."""


def candidates(
    trajectory: pd.DataFrame,
    detected: pd.DataFrame,
    rules: Sequence[Rule] = DEFAULT_RULES,
    least_changes: Mapping[str, float] = DEFAULT_LEAST_CHANGES,
    covariance: Covariances | None = None,
    chains: Chains | None = None,
    negative_log_prior: Mapping[float, float] | None = None,
    axis: Axis = STEPS,
    sampling: Sampling = UNKNOWN,
    other_settings: Mapping[str, Mapping[float, float]] | None = None,
) -> Development:
    """Return a run's candidates with their evidence, and the stages between them.

    Args:
        trajectory: the run's table (`trajectory.schema`). Where it has the observable `held_by_localization`, the share of λ̂
            that the localisation decides, a candidate of a large share has no critical sample size.
        detected: from `detect_transitions` along the same axis.
        rules: how transitions are named, the first that holds.
        least_changes: observable -> the smallest change that counts. A passage that changes it by less is no evidence.
        covariance, chains: as in `detect_transitions`.
        negative_log_prior: checkpoint -> minus the log density of the prior there, up to a constant. It enters the
            critical sample size; None leaves it out.
        sampling: how λ̂ and the loss were measured.
        other_settings: name of a choice of nβ and γ -> checkpoint -> λ̂ of the whole network there. The spread of the change of
            λ̂ over these choices widens the interval of the critical sample size.
    """
    curves, llc_verdict = curves_with_levels(trajectory, axis, covariance, chains)
    if negative_log_prior is not None:
        curves |= {NEGATIVE_LOG_PRIOR: exact_curve(NEGATIVE_LOG_PRIOR, negative_log_prior, axis)}
    others = [exact_curve(LLC, values, axis) for values in (other_settings or {}).values()]
    found, void = evidence_of(detected, [CANDIDATE]), evidence_of(detected, [VOID])
    small = [passage for passage in found if abs(passage.change) < least_changes.get(passage.observable, 0.0)]
    flagged = [passage for passage in found if passage not in small]
    # Void and small passages are no transitions, but they are not noise either.
    passages = evidence_of(detected, [CANDIDATE, VOID])
    turns = boundaries_of(curves.get(LLC), passages_of(LLC, passages, axis), axis)
    curves = with_search_noise(curves, passages, axis)
    own = intervals_of(passages)
    events = merged(group(flagged, axis), curves, rules, own, axis)
    chances = co_timing([event.passages for event in events], flagged, *span(curves), axis) if events else []
    undecided = detected.loc[detected["decision"] == UNDECIDED, ["observable", "component", "reason"]]
    thinned = [curve for curve in curves.values() if curve.thinned]
    return Development(
        candidates=tuple(
            candidate(
                event,
                changes_across(event, events, curves, own),
                levels_beside(event, events, curves, own),
                [change_across(curve, *window(event, events, LLC, own)) for curve in others],
                sampling,
                curves,
                rules,
                axis,
                llc_verdict,
                chance,
            )
            for event, chance in zip(events, chances, strict=True)
        ),
        stages=tuple(stages_between([(event.start, event.end) for event in events], curves)),
        boundaries=tuple(turns),
        void=tuple(void),
        small=tuple(small),
        undecided=tuple(Remark(**row) for row in undecided.to_dict(orient="records")),
        thinned=tuple(Remark(observable=curve.observable, component=curve.component, reason=curve.thinned) for curve in thinned),
        axis=axis,
    )


def evidence_of(detected: pd.DataFrame, decisions: Sequence[str]) -> list[Evidence]:
    """Return the rows of `detect_transitions` that have one of the decisions, in their order."""
    rows = detected.loc[detected["decision"].isin(list(decisions))].drop(columns="decision")
    return [Evidence(**row) for row in rows.to_dict(orient="records")]


def candidate(
    event: Event,
    changes: Mapping[CurveName, Change],
    levels: Mapping[str, float | None],
    llc_changes: Sequence[Change | None],
    sampling: Sampling,
    curves: Curves,
    rules: Sequence[Rule],
    axis: Axis,
    llc_verdict: str | None,
    co_timing_p_value: float,
) -> Candidate:
    """Return the candidate that an event is.

    Args:
        changes: of all curves across the event.
        llc_changes: of λ̂ under other choices of nβ and γ.
    """
    name, reasons = name_with_reasons(changes, curves, event.observables, rules)
    llc, loss = (
        None if None in (levels[f"{kind}_before"], levels[f"{kind}_after"]) else changes.get(curve)
        for kind, curve in (("llc", LLC), ("loss", main_loss(curves)))
    )
    energies = free_energy_change(
        loss,
        llc,
        changes.get(NEGATIVE_LOG_PRIOR),
        sampling=sampling,
        spread=llc and spread_over_settings([llc, *llc_changes]),
        held=changes.get(HELD_BY_LOCALIZATION),
    )
    low, high = event.located_within
    return Candidate(
        name=name,
        named_by=tuple(reasons),
        start=event.start,
        location=event.location,
        location_low=low,
        location_high=high,
        end=event.end,
        **{field: getattr(event.passages[0], field) for field in CLEAREST},
        **levels,
        **vars(energies),
        lags=tuple(lags(event.passages, axis)),
        evidence=tuple(sorted(event.passages, key=clearness, reverse=True)),
        llc_verdict=llc_verdict,
        co_timing_p_value=co_timing_p_value,
    )


def spread_over_settings(changes: Sequence[Change | None]) -> float | None:
    """Return the standard deviation of a change over the settings at which it is known; None where these are fewer than two."""
    differences = [change.difference for change in changes if change is not None]
    return float(np.std(differences, ddof=1)) if len(differences) > 1 else None
