import numpy as np
import pytest

from ontogeny.estimates.verdicts import failed_checks, verdicts

GOOD = {
    **{"mean": 2.0, "standard_error": 0.2, "dead_chains": 0, "r_hat": 1.01, "sample_size": 400.0},
    **{"drift": 0.5, "share_below": 0.0, "first_order": 0.1},
}


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "ok"),
        ({"mean": -1.0}, "negative"),
        ({"dead_chains": 1}, "dead_chains"),
        ({"mean": 60.0}, "dimension"),
        ({"r_hat": 1.3, "drift": -4.0}, "r_hat, drift"),
        ({"first_order": -0.6}, "first_order"),
        ({"first_order": 0.5}, "first_order"),
        ({"first_order": -0.4}, "ok"),
        ({"r_hat": np.nan}, "r_hat"),
        ({"sample_size": 39.0}, "effective_sample_size"),
        ({"sample_size": 17.0, "standard_error": 0.09}, "ok"),
        ({"sample_size": 15.0, "standard_error": 0.09}, "effective_sample_size"),
        ({"sample_size": 39.0, "standard_error": np.nan}, "effective_sample_size"),
        ({"share_below": 0.5}, "share_below"),
        ({"dead_chains": 4, "mean": np.nan}, "all chains dead"),
    ],
)
def test_failed_checks_and_their_verdict(change, verdict):
    columns = {name: np.array([value]) for name, value in {**GOOD, **change}.items()}
    failed = failed_checks(columns.pop("mean"), chains=4, dimension=50, **columns)
    assert verdicts(failed) == [verdict]
    assert [name for name, fails in failed.items() if fails[0]] == ([] if verdict == "ok" else verdict.split(", "))


def test_each_checkpoint_has_its_own_verdict():
    columns = {name: np.full(3, value) for name, value in GOOD.items()}
    columns["r_hat"][1], columns["dead_chains"][2] = 1.2, 4
    failed = failed_checks(columns.pop("mean"), chains=4, dimension=50, **columns)
    assert verdicts(failed) == ["ok", "r_hat", "all chains dead"]
