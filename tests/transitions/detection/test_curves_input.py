"""Test what a table may lack, what is refused, and what failed rows and dead chains may not do."""

import io

import numpy as np
import pandas as pd
import pytest

from ontogeny.transitions.detection.curves import curves_of
from ontogeny.transitions.detection.detect import detect_transitions

STEPS = np.arange(40)


def table(values, **columns):
    return pd.DataFrame({"step": STEPS[: len(values)], "observable": "llc", "value": values, **columns})


def stepped(seed=0, error=0.3):
    return 20 + 10 * (STEPS >= 20) + error * np.random.default_rng(seed).normal(size=len(STEPS))


def sampled(chains=8, scale=1.0):
    """[40, chains] about a step, and the table of their means."""
    per_chain = stepped(error=0)[:, None] + scale * np.random.default_rng(1).normal(size=(len(STEPS), chains))
    errors = per_chain.std(axis=1, ddof=1) / np.sqrt(chains)
    return per_chain, table(per_chain.mean(axis=1), standard_error=errors, verdict="ok", component="")


def found(trajectory, **options):
    return detect_transitions(trajectory, scale="linear", **options)


def test_a_table_may_lack_what_it_has_no_use_for_and_may_come_from_csv():
    whole = table(stepped(), component="", standard_error=0.3, verdict="ok")
    expected = found(whole)
    assert expected["decision"].tolist() == ["candidate"]
    read = pd.read_csv(io.StringIO(whole.to_csv(index=False)))
    pd.testing.assert_frame_equal(found(read), expected)
    pd.testing.assert_frame_equal(found(whole.drop(columns=["component", "verdict"])), expected)


@pytest.mark.parametrize("alpha", [0.004, 0.001])
def test_a_strict_alpha_can_still_be_met(alpha):
    assert found(table(stepped(), standard_error=0.3), alpha=alpha)["decision"].tolist() == ["candidate"]


@pytest.mark.parametrize("factor", [1e3, 1e6])
def test_one_huge_error_hides_nothing_else(factor):
    errors = np.where(STEPS == 7, 0.3 * factor, 0.3)
    assert "candidate" in found(table(stepped(), standard_error=errors))["decision"].tolist()


def test_noise_that_the_stated_errors_do_not_tell_leaves_a_curve_undecided():
    noisy = table(20 + 15 * np.random.default_rng(0).normal(size=len(STEPS)), standard_error=0.1)
    assert found(noisy)["decision"].tolist() == ["undecided"]


def test_checkpoints_that_failed_say_nothing_of_the_errors_of_others():
    per_chain, trajectory = sampled()
    failed = STEPS % 4 == 0
    wild = per_chain.copy()
    wild[failed] = 20 + 100 * (wild[failed] - 20)
    marked = trajectory.assign(value=wild.mean(axis=1), verdict=np.where(failed, "r_hat", "ok"))
    (without,) = curves_of(trajectory[~failed], chains={("llc", ""): per_chain[~failed]})
    (beside,) = curves_of(marked, chains={("llc", ""): wild})
    # Neighbours are counted in rows, so that pooling reaches over other checkpoints; the errors are of one size all the same.
    np.testing.assert_allclose(np.diag(beside.noise), np.diag(without.noise), rtol=0.3)


def test_a_chain_that_died_early_is_left_out_and_one_where_all_agree_is_a_checkpoint_less():
    per_chain, trajectory = sampled()
    dead = per_chain.copy()
    dead[5:, 0] = np.nan
    means = np.where(np.isnan(dead[:, 0]), per_chain[:, 1:].mean(axis=1), per_chain.mean(axis=1))
    (curve,) = curves_of(trajectory.assign(value=means), chains={("llc", ""): dead})
    assert not curve.undecided and curve.chains.shape == (40, 7)
    same = per_chain.copy()
    same[3] = same[3].mean()
    (curve,) = curves_of(trajectory, chains={("llc", ""): same})
    assert 3 not in curve.checkpoints and len(curve.checkpoints) == 39


BAD = {
    "must be a DataFrame": (TypeError, [1, 2], {}),
    "negative": (ValueError, table(stepped(), standard_error=-1.0), {}),
    "observable is missing": (ValueError, table(stepped()).assign(observable=None), {}),
    "at least two": (ValueError, sampled()[1], {"chains": sampled()[0][:, :1]}),
    "not the means": (ValueError, sampled()[1], {"chains": sampled()[0] + 50}),
    r"\[rows, chains\]": (ValueError, sampled()[1], {"chains": sampled()[0].T}),
    "lacks the columns observable, value; component, verdict, standard_error may be missing": (
        ValueError,
        pd.DataFrame({"step": STEPS}),
        {},
    ),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_told(message):
    kind, trajectory, options = BAD[message]
    with pytest.raises(kind, match=message):
        detect_transitions(trajectory, **options)
