"""A run along another axis than the step."""

from dataclasses import replace

import numpy as np
import pytest

from ontogeny.trajectory import STEPS, Axis, assemble, axis_of
from ontogeny.transitions.candidates import candidates
from ontogeny.transitions.consensus import consensus
from ontogeny.transitions.detection.detect import detect_transitions
from ontogeny.transitions.records import Development, to_json

T = Axis("T", "log", "data points")
TIMES = {"start", "location", "location_low", "location_high", "end", "location_median"}


def along(table, axis: Axis) -> Development:
    trajectory = assemble(table, axis=axis)
    assert axis_of(trajectory) == axis
    detected = detect_transitions(trajectory, axis=axis.name, scale=axis.scale)
    return candidates(trajectory, detected, axis=axis, negative_log_prior=dict.fromkeys(trajectory[axis.name], 1.0))


def compare(steps, values, key: str = "") -> None:
    """Check that two contents are equal, T being (step + 1) / 4."""
    if isinstance(steps, dict):
        assert steps.keys() == values.keys()
        for name in steps:
            compare(steps[name], values[name], name)
    elif isinstance(steps, list):
        assert len(steps) == len(values)
        for first, second in zip(steps, values, strict=True):
            compare(first, second, key)
    elif isinstance(steps, float):
        assert values == pytest.approx((steps + 1) / 4 if key in TIMES else steps, rel=1e-6, abs=1e-9)
    else:
        assert steps == values


@pytest.mark.end_to_end
def test_a_run_along_t_has_the_candidates_of_the_same_run_along_steps(text_run) -> None:
    run = text_run(seed=3, induction=720)
    heads = ["prefix_matching_score", "copying_score_over_chance", "previous_token_score"]
    run = run[run["observable"].isin(["llc", "loss", "in_context_learning_score", *heads])]
    renamed = run.rename(columns={"step": "T"}).assign(T=(run["step"].to_numpy() + 1) / 4)[["T", *run.columns[1:]]]
    steps, values = along(run, STEPS), along(renamed, T)
    assert any(candidate.name == "induction-head formation" for candidate in steps.candidates)
    assert np.any(np.array([candidate.location for candidate in values.candidates]) % 1)
    compare(to_json(replace(steps, axis=T)), to_json(values))
    compare(to_json(replace(consensus({0: steps, 1: steps}), axis=T)), to_json(consensus({0: values, 1: values})))
