import numpy as np
import pytest
import scipy.stats
from arviz_stats.base import array_stats as arviz

from ontogeny.sampling import diagnostics


def autoregressive(rng, shape, correlation=0.8, scale=1e-4, mean=3e-4):
    noise = rng.normal(size=shape)
    values = np.empty(shape)
    values[..., 0] = noise[..., 0]
    for draw in range(1, shape[-1]):
        values[..., draw] = correlation * values[..., draw - 1] + np.sqrt(1 - correlation**2) * noise[..., draw]
    return mean + scale * values


@pytest.fixture(scope="module")
def trace():
    """Three checkpoints of four chains; the second has a dead chain, the third one that disagrees."""
    trace = autoregressive(np.random.default_rng(0), (3, 4, 600))
    trace[1, 2, 300:] = np.nan
    trace[2, 1] += 3e-4
    return trace


@pytest.mark.parametrize("place", [0, 1, 2])
def test_diagnostics_agree_with_arviz(trace, place):
    live = trace[place][np.isfinite(trace[place]).all(axis=1)]
    assert diagnostics.split_r_hat(trace)[place] == pytest.approx(float(arviz.rhat(live, method="split")), rel=1e-9)
    assert diagnostics.effective_sample_size(trace)[place] == pytest.approx(float(arviz.ess(live, method="mean")), rel=1e-9)


@pytest.mark.parametrize("draws", [4, 6, 12, 98])
@pytest.mark.parametrize("correlation", [-0.9, 0.0, 0.99])
def test_short_and_sluggish_traces_agree_with_arviz(draws, correlation):
    """Where the sequence of lags ends early, late or not at all before the draws do."""
    trace = autoregressive(np.random.default_rng(draws), (1, 2, draws), correlation)
    expected = float(arviz.ess(trace[0], method="mean"))
    assert diagnostics.effective_sample_size(trace)[0] == pytest.approx(expected, rel=1e-9)


def test_the_standard_error_is_the_larger_of_the_two(trace):
    error = diagnostics.standard_error(trace, diagnostics.effective_sample_size(trace))
    for place in range(3):
        live = trace[place][np.isfinite(trace[place]).all(axis=1)]
        between = live.mean(axis=1).std(ddof=1) / np.sqrt(len(live))
        assert error[place] == pytest.approx(max(between, float(arviz.mcse(live, method="mean"))), rel=1e-9)


def test_the_standard_error_is_the_spread_of_repetitions():
    repeated = autoregressive(np.random.default_rng(1), (300, 8, 400))
    error = diagnostics.standard_error(repeated, diagnostics.effective_sample_size(repeated))
    truth = repeated.mean(axis=(1, 2)).std()
    assert 0.9 * truth < np.median(error) < 1.3 * truth


def test_drift_is_in_standard_errors():
    still = autoregressive(np.random.default_rng(2), (200, 8, 300), correlation=0.5)
    scores = diagnostics.drift(still)
    assert 0.6 < scores.std() < 1.1
    moving = still + np.linspace(0, 3e-4, 300)
    assert np.all(diagnostics.drift(moving) > 3)


def test_the_noise_of_minibatches_is_not_below():
    """Draws of mean 0.1 and deviation 0.3, a third of them below 0: their twentieths are not; those of mean -0.1 are."""
    noise = 0.3 * np.random.default_rng(0).normal(size=(1, 4, 2000))
    assert 0.3 < np.mean(noise + 0.1 < 0) < 0.4
    assert diagnostics.share_below(noise + 0.1)[0] < 0.02
    assert diagnostics.share_below(noise - 0.1)[0] > 0.98


def test_share_below_counts_the_live_chains_only():
    trace = np.array([[[-1.0, 1.0, 1.0, 1.0], [-1.0, -1.0, np.nan, np.nan]]])
    np.testing.assert_allclose(diagnostics.share_below(trace), [0.25])


def test_nothing_is_known_of_checkpoints_whose_chains_are_all_dead(trace):
    trace = np.concatenate([trace, np.full((1, 4, 600), np.nan)])
    sample_size = diagnostics.effective_sample_size(trace)
    for column in (
        sample_size,
        diagnostics.split_r_hat(trace),
        diagnostics.standard_error(trace, sample_size),
        diagnostics.share_below(trace),
    ):
        assert np.isnan(column[3])
        assert np.isfinite(column[:3]).all()


def test_few_draws_leave_the_checks_undone():
    short = np.ones((1, 2, 3)) * [1.0, 2.0, 4.0]
    assert np.isnan(diagnostics.effective_sample_size(short)).all()


@pytest.mark.parametrize("level", [0.5, 0.95, 0.997])
def test_intervals_cover_as_often_as_they_say(level):
    """20,000 checkpoints of 5 independent chains; scipy's own interval of one of them."""
    per_chain = np.random.default_rng(0).normal(3.0, 2.0, (20_000, 5))
    low, high = diagnostics.interval(per_chain, level)
    covered = np.mean((low < 3) & (high > 3))
    assert abs(covered - level) < 4 * np.sqrt(level * (1 - level) / 20_000)
    expected = scipy.stats.t.interval(level, 4, per_chain[0].mean(), scipy.stats.sem(per_chain[0]))
    np.testing.assert_allclose((low[0], high[0]), expected)


def test_intervals_leave_dead_chains_out_and_need_two():
    per_chain = np.array([[1.0, 2.0, 3.0, np.nan], [1.0, np.nan, np.nan, np.nan]])
    low, high = diagnostics.interval(per_chain)
    np.testing.assert_allclose((low[0], high[0]), scipy.stats.t.interval(0.95, 2, 2.0, 1 / np.sqrt(3)))
    assert np.isnan(low[1]) and np.isnan(high[1])
    with pytest.raises(ValueError, match="level: must lie between 0 and 1, got 95"):
        diagnostics.interval(per_chain, 95)
