import numpy as np
import pytest

from ontogeny.transitions import chain_covariance


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


def test_it_is_a_covariance_with_the_errors_on_its_diagonal() -> None:
    errors = np.linspace(0.5, 2, 30)
    found = chain_covariance(chains_with(np.full((30, 30), 0.9) + 0.1 * np.eye(30), 4, 0), errors)
    np.testing.assert_allclose(np.diag(found), errors**2)
    assert np.linalg.eigvalsh(found)[0] >= -1e-9


@pytest.mark.parametrize("fault", ["two chains", "dead", "no error"])
def test_nothing_is_claimed_where_chains_do_not_tell(fault: str) -> None:
    values, errors = chains_with(np.eye(10), 4, 0), np.ones(10)
    if fault == "two chains":
        values = values[:, :2]
    if fault == "dead":
        values[3, :2] = np.nan
    if fault == "no error":
        errors[2] = np.nan
    assert chain_covariance(values, errors) is None
