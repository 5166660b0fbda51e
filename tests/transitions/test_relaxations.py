"""Test what a relaxation explains, and what it may not hide."""

import numpy as np
import pytest

from ontogeny.transitions.candidates import candidates
from ontogeny.transitions.detection.detect import detect_transitions

STEPS = np.geomspace(10, 1e6, 100).round()


@pytest.mark.parametrize("seed", [2, 4])
def test_a_fall_that_is_sharper_than_a_relaxation_keeps_its_name(text_run, seed: int) -> None:
    """Beside a relaxation, what is left of the fall of the cross-entropy looks like a rise."""
    run = text_run(seed=seed, layers=1)
    curves = run[run["observable"].isin(["loss", "cross_entropy_to_bigram"])]
    assert [found.name for found in candidates(run, detect_transitions(curves)).candidates] == ["bigram learning"]


@pytest.mark.end_to_end
@pytest.mark.parametrize("seed", range(12))
def test_with_one_layer_only_bigrams_are_learnt(text_run, seed: int) -> None:
    run = text_run(seed=seed, layers=1)
    assert [found.name for found in candidates(run, detect_transitions(run, seed=seed)).candidates] == ["bigram learning"]


def test_a_change_that_is_as_well_a_relaxation_is_called_that(one_curve) -> None:
    values = 50 + 20 * np.exp(-STEPS / 10_000) + np.random.default_rng(0).standard_normal(100)
    detected = detect_transitions(one_curve(STEPS, values))
    assert detected["decision"].tolist() == ["undecided"]
    assert "as well a relaxation with a time of " in detected["reason"][0]
