import numpy as np
import pytest
from scipy.stats import binom

from ontogeny.transitions.detection.curves import curves_of
from ontogeny.transitions.detection.detect import detect_transitions
from ontogeny.transitions.detection.shared_errors import chain_covariance


def chains_with(correlation: np.ndarray, chains: int, seed: int) -> np.ndarray:
    factor = np.linalg.cholesky(correlation + 1e-9 * np.eye(len(correlation)))
    return 20 + factor @ np.random.default_rng(seed).standard_normal((len(correlation), chains))


@pytest.mark.parametrize(("common", "fading"), [(0.0, 0.0), (0.6, 0.0), (0.2, 0.6)])
def test_what_checkpoints_share_is_recovered(common: float, fading: float) -> None:
    distance = np.abs(np.subtract.outer(np.arange(40), np.arange(40)))
    truth = common + fading * np.exp(-distance / 4) + (1 - common - fading) * np.eye(40)
    found = np.mean([chain_covariance(chains_with(truth, 8, seed), np.full(40, 2.0)) for seed in range(60)], axis=0) / 4
    for apart in (1, 3, 20):
        assert np.diagonal(found, apart).mean() == pytest.approx(truth[0, apart], abs=0.08)


def test_it_is_a_covariance_with_pooled_errors_on_its_diagonal() -> None:
    errors = np.exp(np.linspace(-1, 1, 30))
    quiet = errors[:, None] * chains_with(np.full((30, 30), 0.9) + 0.1 * np.eye(30), 4, 0)
    found = chain_covariance(quiet, 3 * errors)
    np.testing.assert_allclose(np.diag(found)[6:-6], 9 * errors[6:-6] ** 2)
    assert np.linalg.eigvalsh(found)[0] >= -1e-9
    noisy = 3 * errors * np.exp(0.25 * np.random.default_rng(0).standard_normal(30))
    pooled = np.sqrt(np.diag(chain_covariance(quiet, noisy))) / errors / 3
    # Pooling lifts the errors that are too small by chance, and leaves those that are too large.
    assert pooled[6:-6].min() > 0.8 > (noisy / errors / 3)[6:-6].min()
    assert np.all(pooled >= noisy / errors / 3 - 1e-9)


def test_errors_are_not_pooled_where_chains_burst() -> None:
    burst = np.where((np.arange(40) >= 20) & (np.arange(40) < 26), 6.0, 1.0)
    values = burst[:, None] * (chains_with(np.eye(40), 8, 0) - 20)
    own = values.std(axis=1, ddof=1) / np.sqrt(8)
    assert np.all(np.sqrt(np.diag(chain_covariance(values, own))) >= own - 1e-9)


@pytest.mark.parametrize("fault", ["two chains", "no spread", "all dead"])
def test_nothing_is_claimed_where_chains_do_not_tell(fault: str) -> None:
    values, errors = chains_with(np.eye(10), 4, 0), np.ones(10)
    if fault == "two chains":
        values = values[:, :2]
    if fault == "no spread":
        values[2:] = 20
    if fault == "all dead":
        values[:, 1] = np.nan
    assert chain_covariance(values, errors) is None


def test_a_checkpoint_with_a_dead_chain_or_no_error_is_left_out_alone(one_curve) -> None:
    values, errors = chains_with(0.5 + 0.5 * np.eye(40), 8, 0), np.ones(40)
    whole = chain_covariance(values, errors)
    values[3, :2], errors[7] = np.nan, np.nan
    found = chain_covariance(values, errors)
    lost = np.isnan(np.diag(found))
    assert np.flatnonzero(lost).tolist() == [3, 7]
    np.testing.assert_allclose(found[np.ix_(~lost, ~lost)], whole[np.ix_(~lost, ~lost)], atol=0.1)
    table = one_curve(np.arange(40), np.nanmean(values, axis=1), errors)
    (curve,) = curves_of(table, covariance=found)
    assert len(curve.values) == 38


@pytest.mark.end_to_end
def test_shared_noise_is_no_transition_and_wander_beside_it_neither(one_curve) -> None:
    flags = 0
    correlation = 0.9 * np.exp(-np.abs(np.subtract.outer(np.arange(60), np.arange(60))) / 20) + 0.1 * np.eye(60)
    for seed in range(40):
        wander = 0.3 * np.random.default_rng(1000 + seed).standard_normal(60)
        values = chains_with(correlation, 8, seed) + wander[:, None]
        errors = values.std(axis=1, ddof=1) / np.sqrt(8)
        table = one_curve(np.arange(60) * 100, values.mean(axis=1), errors)
        flags += len(detect_transitions(table, chains={("llc", ""): values})) > 0
    assert flags <= binom.isf(1e-3, 40, 0.05)
