"""The critical sample size against the figures of Chen et al. 2023 and against its defining equation."""

import numpy as np
import pandas as pd
import pytest

from ontogeny.estimates.free_energy import critical_sample_size
from ontogeny.models.superposition import polygon
from ontogeny.transitions.candidates import candidates
from ontogeny.transitions.detection.detect import COLUMNS

DELTA_LOSS, DELTA_LLC, DELTA_PRIOR = 0.048192 - 0.0687432, 8.5 - 7.0, 6.377642 - 3.624169


@pytest.mark.parametrize(("prior", "expected"), [(DELTA_PRIOR, 601.0), (0.0, 445.1)])
def test_from_the_5_gon_to_the_6_gon(prior: float, expected: float) -> None:
    value, _, _ = critical_sample_size(DELTA_LOSS, DELTA_LLC, prior)
    assert value == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(("with_prior", "expected"), [(True, 601.0), (False, 445.1)])
def test_of_a_candidate_of_a_run_from_the_5_gon_to_the_6_gon(with_prior: bool, expected: float) -> None:
    steps, later = np.arange(12), np.arange(12) >= 6
    halves = [sum(float(np.sum(np.square(array))) / 2 for array in polygon(k, 6, dead_bias=0.0)) for k in (5, 6)]
    levels = {"llc": (7.0, 8.5), "population_loss": (0.0687432, 0.048192)}
    rows = {"step": steps, "component": "", "verdict": "ok", "standard_error": np.nan}
    table = pd.concat(
        [pd.DataFrame(rows | {"observable": name, "value": np.where(later, *to[::-1])}) for name, to in levels.items()]
    )
    passage = dict.fromkeys(COLUMNS, 0.001) | {"observable": "population_loss", "component": "", "direction": "fall"}
    passage |= {"start": 5.0, "location": 5.5, "end": 6.0, "change": -0.02, "decision": "candidate"}
    prior = dict(zip(steps.tolist(), np.where(later, *halves[::-1]).tolist(), strict=True)) if with_prior else None
    (found,) = candidates(table, pd.DataFrame([passage]), negative_log_prior=prior).candidates
    assert found.critical_sample_size == pytest.approx(expected, abs=0.05)
    assert found.delta_negative_log_prior == (pytest.approx(DELTA_PRIOR, abs=1e-5) if with_prior else None)


@pytest.mark.parametrize(("delta_loss", "delta_llc", "prior"), [(-0.01, 1.0, 0.0), (-0.5, 12.0, -3.0), (-1e-4, 0.5, 2.0)])
def test_is_the_largest_root(delta_loss: float, delta_llc: float, prior: float) -> None:
    value, _, _ = critical_sample_size(delta_loss, delta_llc, prior)

    def difference(n: float) -> float:
        return n * delta_loss + delta_llc * np.log(n) + prior

    assert difference(value) == pytest.approx(0, abs=1e-6)
    assert all(difference(value * factor) < 0 for factor in (1.01, 2, 10, 100))


@pytest.mark.parametrize(
    ("delta_loss", "delta_llc", "prior"),
    [(0.01, 1.0, 0.0), (0.0, 1.0, 0.0), (-0.01, -1.0, 0.0), (-0.01, 0.0, 0.0), (-10.0, 1.0, 0.0), (np.nan, 1.0, 0.0)],
)
def test_is_nan_where_there_is_no_crossing(delta_loss: float, delta_llc: float, prior: float) -> None:
    covariance = np.diag([1e-6, 0.01])
    assert np.all(np.isnan(critical_sample_size(delta_loss, delta_llc, prior, covariance=covariance)))


def test_interval_covers_the_truth_at_its_stated_rate() -> None:
    truth, _, _ = critical_sample_size(DELTA_LOSS, DELTA_LLC)
    covariance = np.array([[1e-6, 5e-5], [5e-5, 1e-2]])
    draws = np.random.default_rng(0).multivariate_normal([DELTA_LOSS, DELTA_LLC], covariance, size=400)
    intervals = [critical_sample_size(loss, llc, covariance=covariance)[1:] for loss, llc in draws]
    covered = sum(low <= truth <= high for low, high in intervals)
    assert 362 <= covered <= 398, "beyond 4 standard deviations of Binomial(400, .95)"


def test_interval_is_open_where_the_loss_may_not_fall() -> None:
    value, low, high = critical_sample_size(-0.01, 1.5, covariance=np.diag([0.01**2, 0.1**2]))
    assert low < value
    assert high == np.inf


@pytest.mark.parametrize("covariance", [np.eye(3), np.array([[1.0, 2.0], [2.0, 1.0]]), np.full((2, 2), np.nan)])
def test_refuses_what_is_no_covariance(covariance: np.ndarray) -> None:
    with pytest.raises(ValueError, match="2 x 2"):
        critical_sample_size(-0.01, 1.5, covariance=covariance)
