"""The critical sample size of a transition: its unit, its settings, what its interval holds, and where there is none."""

import numpy as np
import pandas as pd
import pytest

from ontogeny.estimates.free_energy import critical_sample_size, volumes_matter
from ontogeny.trajectory import assemble, tidy_observables
from ontogeny.transitions.candidates import candidates
from ontogeny.transitions.detection.detect import detect_transitions
from ontogeny.transitions.evidence import Change
from ontogeny.transitions.free_energies import Sampling, free_energy_change
from ontogeny.transitions.records import Candidate

LOSS, LLC = Change(0.104, 0.0686, 0.0002), Change(4.8, 6.3, 0.1, 7.0)


def size_and_interval(change) -> tuple[float, float, float]:
    return change.critical_sample_size, change.critical_sample_size_low, change.critical_sample_size_high


def test_free_energies_are_those_of_whole_windows() -> None:
    per_token = Change(LOSS.before / 32, LOSS.after / 32, LOSS.standard_error / 32)
    windows = free_energy_change(per_token, LLC, None, sampling=Sampling(averages_over=32))
    assert windows.critical_sample_size_unit == "examples of 32 terms"
    whole = free_energy_change(LOSS, LLC, None)
    assert whole.critical_sample_size_unit == "examples"
    assert size_and_interval(windows) == pytest.approx(size_and_interval(whole))
    assert windows.delta_loss == pytest.approx(whole.delta_loss / 32)
    # A fall of 0.4 nats a token is one of 13 a window: the later side wins at every n.
    steep = Change(3.0, 2.6, 0.01)
    assert free_energy_change(steep, Change(60.0, 100.0, 2.0), None).critical_sample_size > 300
    none = free_energy_change(steep, Change(60.0, 90.0, 2.0), None, sampling=Sampling(averages_over=32))
    assert none.critical_sample_size is none.critical_sample_size_unit is none.critical_sample_size_kind is None
    assert none.free_energy_condition is True


def test_the_settings_of_the_estimate_stand_beside_it() -> None:
    change = free_energy_change(LOSS, LLC, None, sampling=Sampling(inverse_temperature=144.8, localization=10.0, step_bias=0.1))
    assert (change.inverse_temperature, change.localization, change.step_bias) == (144.8, 10.0, 0.1)


@pytest.mark.parametrize("further", [{"spread": 0.4}, {"sampling": Sampling(step_bias=0.3)}])
def test_the_interval_holds_the_spread_over_settings_and_the_bias_of_the_step(further: dict) -> None:
    value, low, high = size_and_interval(free_energy_change(LOSS, LLC, None))
    wider = size_and_interval(free_energy_change(LOSS, LLC, None, **further))
    assert wider[0] == value and wider[1] < low - 30 and wider[2] > high + 30


def test_a_systematic_error_alone_makes_the_interval_of_its_own_size() -> None:
    covariance = np.diag([1e-12, 1e-12])
    _, low, high = critical_sample_size(-0.0354, 1.5, covariance=covariance, systematic_error=0.25)
    for end, llc in ((low, 1.5 - 1.96 * 0.25), (high, 1.5 + 1.96 * 0.25)):
        assert end == pytest.approx(critical_sample_size(-0.0354, llc)[0], rel=0.04)
    with pytest.raises(ValueError, match="systematic_error must be finite and at least 0"):
        critical_sample_size(-0.0354, 1.5, systematic_error=-1.0)


def test_where_the_volumes_count_it_is_an_order_of_magnitude() -> None:
    assert free_energy_change(LOSS, LLC, None).critical_sample_size_kind == "order of magnitude"
    small = Change(0.104, 0.103999, 1e-9)
    assert free_energy_change(small, LLC, None).critical_sample_size_kind == "estimate"
    # The posterior passes from the 5-gon to the 6-gon at 271, not at 601.
    assert volumes_matter(0.048192 - 0.0687432, 1.5, 6.377642 - 3.624169)


@pytest.mark.parametrize(("share", "made"), [((0.05, 0.2), True), ((0.9, 0.2), False), ((0.1, 0.31), False)])
def test_no_critical_sample_size_is_made_of_a_localised_llc(share: tuple[float, float], made: bool) -> None:
    change = free_energy_change(LOSS, LLC, None, held=Change(*share, 0.0))
    assert (change.critical_sample_size is not None) == made
    assert change.held_by_localization == max(share)


@pytest.mark.parametrize(("by_hessian", "allowed"), [(0.15, True), (0.8, False), (None, True)])
def test_where_the_draws_do_not_know_the_share_the_hessian_decides(by_hessian: float | None, allowed: bool) -> None:
    """Short chains on small batches give shares such as -.2 or 1.2 with errors of .5."""
    for noisy in (Change(-0.2, 0.1, 0.5), Change(1.2, 0.9, 0.5)):
        change = free_energy_change(LOSS, LLC, None, held=noisy, sampling=Sampling(held_by_hessian=by_hessian))
        assert change.held_by_localization == by_hessian and (change.critical_sample_size is not None) == allowed
    assert change.delta_llc == pytest.approx(1.5) and change.free_energy_condition is True


def of_run(run: pd.DataFrame, **options) -> Candidate:
    curves = run[run["observable"].isin(["llc", "population_loss", "polygon_vertices", "held_by_localization"])]
    searched = curves[curves["observable"] == "polygon_vertices"]
    (candidate,) = candidates(curves, detect_transitions(searched), **options).candidates
    return candidate


@pytest.mark.end_to_end
def test_shares_and_other_settings_of_a_run_are_read_beside_its_transition(superposition_run) -> None:
    run = superposition_run(seed=1, jump=100)
    steps = np.unique(run["step"])
    plain = of_run(run)
    assert plain.critical_sample_size and plain.delta_llc_spread is plain.held_by_localization is None
    shares = np.where(steps < 150_000, 0.1, 0.6)
    rows = of_run(assemble(run, tidy_observables(steps.tolist(), {"held_by_localization": shares})))
    assert rows.critical_sample_size is None and rows.held_by_localization == pytest.approx(0.6)
    sparse = np.linspace(0, 225_000, 10)
    others = {
        name: dict(zip(sparse.tolist(), (4.8 + factor * 1.5 * (sparse > 150_000)).tolist(), strict=True))
        for name, factor in (("γ/3", 1.6), ("3γ", 0.4))
    }
    spread = of_run(run, other_settings=others)
    assert spread.delta_llc_spread == pytest.approx(np.std([plain.delta_llc, 2.4, 0.6], ddof=1), rel=1e-6)
    assert spread.critical_sample_size_high > plain.critical_sample_size_high + 50
