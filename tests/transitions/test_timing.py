import numpy as np
import pytest

from ontogeny.trajectory import STEPS
from ontogeny.transitions.events import group
from ontogeny.transitions.records import Evidence
from ontogeny.transitions.timing import co_timing, lags


def row(observable: str, location: float, width: float = 0.1, component: str = "") -> Evidence:
    low, high = np.expm1(np.log1p(location) - width), np.expm1(np.log1p(location) + width)
    return Evidence(
        observable=observable,
        component=component,
        start=low,
        location=location,
        location_low=low,
        location_high=high,
        end=high,
        change=1.0,
        change_standard_error=1.0,
        p_value=0.01,
        q_value=0.01,
        direction="rise",
    )


def test_what_comes_later_lags_and_errors_add_in_squares() -> None:
    (found,) = lags([row("loss", 200, 0.3), row("llc", 100, 0.4)], STEPS)
    assert found.reference == "llc"
    assert found.lag == pytest.approx(np.log1p(200) - np.log1p(100))
    assert found.lag_high - found.lag == pytest.approx(0.5) == found.lag - found.lag_low


def test_without_loss_or_llc_nothing_leads() -> None:
    assert lags([row("prefix_matching_score", 100), row("llc", 100, component="layers.0")], STEPS) == []


def test_observables_that_move_together_are_told_from_those_that_happen_to() -> None:
    event = [row("llc", 100, 0.2), *(row(f"observable {number}", 100 + number) for number in range(5))]
    assert co_timing([event], event, 0, 10_000, STEPS)[0] <= 0.005
    assert co_timing([event[:2]], event[:2], 0, 10_000, STEPS)[0] > 0.02


@pytest.mark.parametrize(
    "alone", [[row("loss", 100)], [row("loss", 100), row("population_loss", 101)], [row("a", 9, component="0")]]
)
def test_what_moves_alone_moves_with_nothing(alone) -> None:
    """The losses are one thing, and a transition's own reference is not counted."""
    assert co_timing([alone], [*alone, row("b", 5000)], 0, 10_000, STEPS) == [1.0]


def test_p_values_of_unrelated_times_are_not_too_small() -> None:
    generator = np.random.default_rng(0)
    found = []
    for seed in range(60):
        rows = [row(f"observable {number}", np.expm1(place)) for number, place in enumerate(generator.uniform(0.5, 8.5, 6))]
        events = [event.passages for event in group(rows, STEPS)]
        found += co_timing(events, rows, 0, 10_000, STEPS, seed)
    # Events are where something moves, so those with a second observable are somewhat more than a fixed place would have.
    assert np.mean(np.array(found) <= 0.05) <= 0.1
