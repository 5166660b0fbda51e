import numpy as np
import pytest

from ontogeny.transitions.timing import co_timing, lags


def row(observable: str, location: float, width: float = 0.1, component: str = "") -> dict:
    low, high = np.expm1(np.log1p(location) - width), np.expm1(np.log1p(location) + width)
    return {"observable": observable, "component": component, "location": location, "location_low": low, "location_high": high}


def test_what_comes_later_lags_and_errors_add_in_squares() -> None:
    (found,) = lags([row("loss", 200, 0.3), row("llc", 100, 0.4)])
    assert found["reference"] == "llc"
    assert found["lag"] == pytest.approx(np.log1p(200) - np.log1p(100))
    assert found["lag_high"] - found["lag"] == pytest.approx(0.5) == found["lag"] - found["lag_low"]


def test_without_loss_or_llc_nothing_leads() -> None:
    assert lags([row("prefix_matching_score", 100), row("llc", 100, component="layers.0")]) == []


def test_observables_that_move_together_are_told_from_those_that_happen_to() -> None:
    together = [row(f"observable {number}", 100 + number) for number in range(5)]
    assert co_timing([(80, 130)], [*together, row("llc", 100)], 0, 10_000)[0] <= 0.005
    assert co_timing([(80, 130)], [together[0], row("llc", 100)], 0, 10_000)[0] > 0.02


def test_unrelated_times_have_uniform_p_values() -> None:
    generator = np.random.default_rng(0)
    found = []
    for seed in range(200):
        places = np.expm1(generator.uniform(0, np.log1p(10_000), 6))
        rows = [row(f"observable {number}", place) for number, place in enumerate(places)]
        found += co_timing([(100, 1000)], rows, 0, 10_000, seed)
    # Counts are whole numbers, so the test is somewhat conservative, never the other way.
    assert np.mean(np.array(found) <= 0.05) <= 0.09
    assert np.mean(np.array(found) <= 0.5) <= 0.6
