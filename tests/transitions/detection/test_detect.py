import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, ks_2samp

from benchmarks.detection_curves import Case, draw
from ontogeny.trajectory import Axis
from ontogeny.transitions.detection.curves import curve_of, curves_of
from ontogeny.transitions.detection.detect import COLUMNS, detect_transitions
from ontogeny.transitions.detection.monte_carlo import first_passages
from ontogeny.transitions.detection.search import Null, Search
from ontogeny.transitions.detection.significance import NEGLIGIBLE, NO_STEP, likelihood_together, simulate
from ontogeny.transitions.detection.smoothing import log_likelihood

LOGARITHMIC = np.unique(np.round(np.geomspace(1, 50_000, 60)).astype(int))
LINEAR = np.arange(1, 151) * 1500
FEW = np.linspace(0, 2000, 30).astype(int)
CURVE = {"observable": "loss", "component": "", "standard_error": np.nan, "verdict": ""}
SMOOTH = {
    "flat": lambda share: 0 * share,
    "ramp": lambda share: 10 * share,
    "slow sigmoid": lambda share: 15 / (1 + np.exp(-(share - 0.5) / 0.15)),
}


def share_of_axis(steps: np.ndarray) -> np.ndarray:
    positions = np.log1p(steps)
    return (positions - positions[0]) / np.ptp(positions)


def search_over(positions: np.ndarray) -> Search:
    """The search of a curve without errors."""
    return Search.over(curve_of(pd.DataFrame(CURVE | {"step": positions, "value": 0.0}), Axis("step", "linear")))


def found(detected: pd.DataFrame, observable: str, component: str = "") -> pd.DataFrame:
    rows = detected[(detected["observable"] == observable) & (detected["component"] == component)]
    return rows[rows["decision"] == "candidate"]


@pytest.mark.parametrize("shape", list(SMOOTH))
def test_p_values_of_smooth_curves_are_not_too_small(one_curve, shape: str) -> None:
    """The first passages of curves that share their simulations; the whole procedure is in the next test."""
    generator = np.random.default_rng(0)
    values = 30 + SMOOTH[shape](share_of_axis(FEW)) + generator.standard_normal((40, len(FEW)))
    curves = curves_of(pd.concat([one_curve(FEW, row, name=str(number)) for number, row in enumerate(values)]))
    p_values = [first.p_value for first in first_passages(Search.over(curves[0]), curves, 1, 0)]
    assert np.sum(np.array(p_values) <= 0.2) <= binom.isf(1e-3, len(values), 0.2)


@pytest.mark.end_to_end
@pytest.mark.parametrize("shape", list(SMOOTH))
def test_smooth_curves_are_flagged_no_more_often_than_alpha(one_curve, shape: str) -> None:
    flags, curves, alpha = 0, 0, 0.2  # at .05 a rate three times too high would pass half of the time
    for steps in (FEW, LOGARITHMIC):
        for seed in range(24):
            generator = np.random.default_rng(seed)
            errors = np.exp(0.3 * generator.standard_normal(len(steps)))
            trend = SMOOTH[shape](share_of_axis(steps))
            known = one_curve(steps, 30 + trend + errors * generator.standard_normal(len(steps)), errors)
            estimated = one_curve(steps, 30 + trend + generator.standard_normal(len(steps)))
            flags += sum(len(detect_transitions(table, alpha=alpha, seed=seed)) > 0 for table in (known, estimated))
            curves += 2
    assert flags <= binom.isf(1e-3, curves, alpha), "more than an honest 20% would give in 999 of 1,000 such tests"


@pytest.mark.parametrize("steps", [FEW, LOGARITHMIC, LINEAR], ids=["few", "logarithmic", "linear"])
@pytest.mark.parametrize("known", [True, False], ids=["known errors", "estimated errors"])
def test_a_step_of_eight_errors_on_a_ramp_is_found_where_it_is(one_curve, steps: np.ndarray, known: bool) -> None:
    generator = np.random.default_rng(3)
    errors = np.full(len(steps), 0.5)
    place = len(steps) * 2 // 3
    values = 10 + 5 * share_of_axis(steps) + 4 * (np.arange(len(steps)) >= place) + errors * generator.standard_normal(len(steps))
    detected = detect_transitions(one_curve(steps, values, errors if known else np.nan))
    assert len(detected) == 1
    row = detected.iloc[0]
    assert steps[place - 2] <= row["location"] <= steps[place + 1]
    assert row["start"] < row["location"] < row["end"]
    assert row["direction"] == "rise"
    assert abs(row["change"] - 4) <= 3 * row["change_standard_error"] <= 3


@pytest.mark.end_to_end
def test_errors_that_are_too_small_do_not_make_noise_a_transition(one_curve) -> None:
    values = 10 + np.random.default_rng(0).standard_normal((40, len(FEW)))
    flags = sum(len(detect_transitions(one_curve(FEW, row, 0.1), seed=seed)) > 0 for seed, row in enumerate(values))
    assert flags <= binom.isf(1e-3, len(values), 0.05)


def test_a_covariance_that_explains_a_jump_takes_it_away(one_curve) -> None:
    steps, jump = FEW, (np.arange(len(FEW)) >= 18).astype(float)
    values = 20 + 5 * jump + 0.3 * np.random.default_rng(1).standard_normal(len(steps))
    table = one_curve(steps, values, 0.3)
    independent, shared = 0.09 * np.eye(len(steps)), 25 * np.outer(jump, jump)
    assert len(detect_transitions(table, covariance=independent)) == 1
    assert detect_transitions(table, covariance=independent + shared).empty


def test_each_component_has_its_own_covariance_or_chains(one_curve) -> None:
    jump = (np.arange(len(FEW)) >= 18).astype(float)
    noise = 0.3 * np.random.default_rng(1).standard_normal((len(FEW), 2))
    parts = ["", "layers.0.heads.1", "data:other"]
    tables = [one_curve(FEW, 20 + 5 * jump + noise[:, 0], 0.3).assign(component=part) for part in parts]
    shared = 0.09 * np.eye(len(FEW)) + 25 * np.outer(jump, jump)
    detected = detect_transitions(pd.concat(tables), covariance={("llc", "layers.0.heads.1"): shared})
    assert set(detected["component"]) == {"", "data:other"}
    own = np.random.default_rng(2).standard_normal((len(FEW), 4))
    # Four chains that err by a common jump: their mean shows one, and so do their differences.
    lifts = np.array([-12.0, 2.0, 9.0, 21.0])
    own -= own.mean(axis=1, keepdims=True)
    chains = tables[2]["value"].to_numpy()[:, None] + np.outer(jump, lifts - lifts.mean()) + 0.6 * own
    (told,) = curves_of(tables[2], chains={("llc", "data:other"): chains})
    assert told.chains.shape == (len(FEW), 4)
    assert np.abs(told.noise - np.diag(np.diag(told.noise))).max() > 0.09


def test_all_eight_steps_of_an_exact_staircase_are_found(one_curve) -> None:
    place = np.arange(150)
    values = 20.0 + 10 * np.searchsorted(np.arange(1, 9) * 16, place, side="right")
    detected = detect_transitions(one_curve(place, values), scale="linear")
    np.testing.assert_allclose(detected["location"], np.arange(1, 9) * 16 - 0.5, atol=0.5)


@pytest.mark.end_to_end
def test_the_steps_of_a_noisy_staircase_are_surprising_together_and_each_beside_the_others(one_curve) -> None:
    """Each alone is not: to it the others are a trend with noise that neighbours share."""
    place, steps = np.arange(100), np.arange(1, 9) * 11
    values = 20.0 + 6 * np.searchsorted(steps, place, side="right") + np.random.default_rng(0).standard_normal(100)
    detected = detect_transitions(one_curve(place, values, 1.0), scale="linear")
    np.testing.assert_allclose(detected["location"], steps - 0.5, atol=1.5)
    np.testing.assert_allclose(detected["change"], 6, atol=4 * detected["change_standard_error"].max())


KNOWN = {
    Case("step", "ar1", "log", 5): [(2767.0, 3106.490574566, 2767.226128358, 3244.632765130, 3488.0, 5.931683465, 1e-3)],
    Case("passage", "white", "log", 5): [(13.0, 15.313716898, 12.765875939, 17.973665961, 18.0, 4.671562471, 1e-3)],
    Case("step", "chains", "log", 5): [(7401.0, 8002.324378913, 7400.940083034, 8552.897357285, 8804.0, 5.254753839, 1e-3)],
    Case("kink", "ar1", "log", 20): [],
}
"""Numbers that an earlier implementation, in dense algebra, gave; where the errors come from chains, those of the present one."""


@pytest.mark.parametrize(("case", "rows"), KNOWN.items(), ids=lambda value: getattr(value, "shape", ""))
def test_the_numbers_of_known_curves_stay(case: Case, rows: list) -> None:
    run, _ = draw(case, 60_001 if case.shape == "passage" else 60_000)
    chains = run.attrs.pop("chains", None)
    detected = detect_transitions(run, chains=chains)
    columns = ["start", "location", "location_low", "location_high", "end", "change", "p_value"]
    np.testing.assert_allclose(detected[columns].to_numpy(float).reshape(-1, 7), np.reshape(rows, (-1, 7)), rtol=1e-6)


def test_the_joint_test_is_simulated_as_it_is_made() -> None:
    search = search_over(np.arange(100.0))
    curves, trend = simulate(np.random.default_rng(0), search.nulls.factors[0], 1.0, 1000), search.beside()
    first, single = trend.first(curves), trend.scan(curves)
    null = Null(search.nulls, 0, 1.0, np.zeros((100, 1)))
    simulated = trend.simulated(np.random.default_rng(1), [null], 1000, -np.inf, first=True)
    assert ks_2samp(first.statistic, simulated).pvalue > 1e-3
    # On as many curves, the test would distinguish them from those of one passage alone.
    assert ks_2samp(single.statistic, simulated).pvalue < 1e-3


@pytest.mark.parametrize("positions", [np.arange(40.0), np.log1p(np.unique(np.geomspace(1, 3000, 60).astype(int)))])
def test_products_with_passages_are_those_of_dense_algebra(positions) -> None:
    search, generator = search_over(positions), np.random.default_rng(0)
    every = search.passages.shapes(np.arange(len(search.passages.starts)))
    columns, free = generator.standard_normal((len(positions), 3)), search.free([4])
    alternatives, whitened = search.whitened.beside(free), search.whitened
    residuals = alternatives.residuals(columns)
    for null, factor in enumerate(search.nulls.factors):
        whitener = np.linalg.inv(factor)
        np.testing.assert_allclose(whitened.squares[null], np.sum((whitener @ every) ** 2, axis=0))
        basis, _ = np.linalg.qr(whitener @ free)
        left = whitener @ columns - basis @ (basis.T @ whitener @ columns)
        shapes = whitener @ every - basis @ (basis.T @ whitener @ every)
        lengths = np.linalg.norm(shapes, axis=0)
        tested = lengths**2 > NEGLIGIBLE * whitened.squares[null]
        np.testing.assert_allclose(residuals[null], left, atol=1e-8)
        expected = (shapes.T @ left)[tested] / lengths[tested, None]
        np.testing.assert_allclose(alternatives.signed_roots(residuals, null)[tested], expected, rtol=1e-6, atol=1e-6)


def test_the_likelihood_of_several_passages_is_that_of_least_squares() -> None:
    """Whitened and solved for every curve by numpy's `lstsq`, for columns with two, one and no passages."""
    positions = np.arange(20.0)
    search, columns = search_over(positions), np.random.default_rng(0).standard_normal((20, 3))
    members = np.array([[7, 12], [10, NO_STEP], [NO_STEP, NO_STEP]])
    expected = np.full(3, -np.inf)
    determinants = search.nulls.without(search.line, search.line[:, :0]).determinants
    for whitener, determinant in zip(search.nulls.whiteners, determinants, strict=True):
        for curve, row in enumerate(members):
            design = np.column_stack([search.line, *(positions >= step for step in row[row != NO_STEP])])
            (squares,) = np.linalg.lstsq(whitener @ design, whitener @ columns[:, curve])[1]
            likelihood, _ = log_likelihood(np.array([squares]), determinant, 18, 1e-8)
            expected[curve] = max(expected[curve], likelihood[0])
    np.testing.assert_allclose(likelihood_together(columns, search.beside().alternatives, 1e-8, members), expected)


def test_exact_curves_that_drift_by_a_trifle_hold_no_transition(one_curve) -> None:
    values = 1 + 0.01 * (LINEAR > 100_000)
    assert detect_transitions(one_curve(LINEAR, values, name="feature_norm")).empty
    assert len(detect_transitions(one_curve(LINEAR, 1 + 0.1 * (LINEAR > 100_000), name="feature_norm"))) == 1


def test_small_components_are_measured_against_the_large_ones(one_curve) -> None:
    dead = 0.01 + 0.005 * (LINEAR > 100_000)
    alive = 1 + 0.001 * np.random.default_rng(0).standard_normal(len(LINEAR))
    tables = [one_curve(LINEAR, values, name="feature_norm").assign(component=str(i)) for i, values in enumerate([dead, alive])]
    assert detect_transitions(pd.concat(tables)).empty


@pytest.mark.end_to_end
@pytest.mark.parametrize("jump", [20, 140])
def test_the_passage_to_the_5_gon_is_found_on_every_curve(superposition_run, jump: int) -> None:
    run = superposition_run(seed=jump, jump=jump)
    detected = detect_transitions(run[~run["component"].isin(["1", "2", "3", "4"])])
    for observable, change in {"llc": 1.5, "population_loss": -0.0354, "loss": -0.0354, "polygon_vertices": 1}.items():
        rows = found(detected, observable)
        assert len(rows) == 1
        row = rows.iloc[0]
        assert abs(row["location"] - 1500 * jump) <= 4500
        assert row["change"] == pytest.approx(change, rel=0.25)
    assert found(detected, "feature_norm", "5").empty


def test_a_run_that_stays_has_nothing_but_undecided_constants(superposition_run) -> None:
    detected = detect_transitions(superposition_run(seed=5))
    assert set(detected["observable"]) == {"polygon_vertices", "positive_dead_biases"}
    assert set(detected["decision"]) == {"undecided"}
    assert set(detected["reason"]) == {"constant"}


@pytest.mark.end_to_end
def test_induction_heads_are_seen_in_both_heads_and_in_llc(text_run) -> None:
    detected = detect_transitions(text_run())
    for observable, component in [
        ("prefix_matching_score", "layers.1.heads.0"),
        ("prefix_matching_score", "layers.1.heads.1"),
        ("in_context_learning_score", ""),
        ("llc", ""),
    ]:
        rows = found(detected, observable, component)
        assert np.any((rows["location"] > 600) & (rows["location"] < 800)), observable


@pytest.mark.end_to_end
def test_the_same_call_gives_the_same_table_in_any_order_of_rows(text_run) -> None:
    run = text_run(layers=1)
    run = run[run["observable"].isin(["loss", "llc"])]
    pd.testing.assert_frame_equal(detect_transitions(run), detect_transitions(run))
    shuffled = run.groupby("observable", sort=False)[run.columns.tolist()].sample(frac=1, random_state=0)
    key = ["observable", "component", "start"]
    first, second = (detect_transitions(table).sort_values(key, ignore_index=True) for table in (run, shuffled))
    pd.testing.assert_frame_equal(first, second)


def test_another_axis_and_scale(one_curve) -> None:
    width = np.arange(40) - 5.0
    values = np.where(width > 20, 3.0, 1.0) + 0.1 * np.random.default_rng(1).standard_normal(40)
    table = one_curve(width, values).rename(columns={"step": "width"})
    detected = detect_transitions(table, axis="width", scale="linear")
    assert detected["location"].tolist() == [pytest.approx(20.5, abs=1)]


def test_only_the_observables_asked_for(text_run) -> None:
    detected = detect_transitions(text_run(), observables=["loss"])
    assert set(detected["observable"]) == {"loss"}


def test_failed_verdicts_carry_no_evidence(superposition_run) -> None:
    run = superposition_run(jump=70)
    llc = run["observable"] == "llc"
    run.loc[llc & (run["step"] > 1500 * 5), "verdict"] = "r_hat"
    rows = detect_transitions(run, observables=["llc"])
    assert rows["decision"].tolist() == ["undecided"]
    assert "6 checkpoints carry evidence" in rows["reason"].iloc[0]


@pytest.mark.parametrize(
    ("values", "reason"),
    [(np.ones(12), "constant"), (np.full(12, np.nan), "0 checkpoints"), (np.r_[np.arange(7.0), [np.nan] * 5], "7 checkpoints")],
)
def test_what_cannot_be_decided_says_why(one_curve, values: np.ndarray, reason: str) -> None:
    detected = detect_transitions(one_curve(np.arange(12), values))
    assert list(detected.columns) == list(COLUMNS)
    assert detected["decision"].tolist() == ["undecided"]
    assert reason in detected["reason"].iloc[0]


@pytest.mark.parametrize("errors", [0.0, np.nan])
def test_zero_and_missing_errors_are_estimated_from_the_curve(one_curve, errors: float) -> None:
    values = 10 + np.random.default_rng(2).standard_normal(30)
    values[20:] += 8
    rows = detect_transitions(one_curve(FEW, values, np.where(np.arange(30) == 4, errors, 1e-9)))
    step = rows[(rows["location"] > FEW[18]) & (rows["location"] < FEW[21])]
    assert len(step) == 1
    assert 0.1 < step["change_standard_error"].iloc[0] < 2


@pytest.mark.parametrize("count", [8, 9, 12])
def test_short_curves_do_not_crash(one_curve, count: int) -> None:
    values = 5.0 + (np.arange(count) > count // 2)
    assert set(detect_transitions(one_curve(np.arange(count) * 10, values))["decision"]) <= {"candidate"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alpha": 0.0}, "alpha"),
        ({"scale": "square"}, "unknown scale 'square'"),
        ({"axis": "width"}, "lacks the column width"),
        ({"observables": ["nothing"]}, "has no nothing; it has llc"),
        ({"covariance": np.eye(3)}, r"covariance of llc has shape \(3, 3\); the curve has 10 rows"),
        ({"covariance": -np.eye(10)}, "positive semi-definite"),
        ({"covariance": {("llc", "heads.9"): np.eye(10)}}, r"no curve \('llc', 'heads.9'\); it has \('llc', ''\)"),
        ({"chains": {("llc", ""): np.ones((9, 4))}}, r"chains of llc has shape \(9, 4\); the curve has 10 rows"),
        ({"covariance": np.eye(10), "chains": {("llc", ""): np.ones((10, 4))}}, "llc has both a covariance and chains"),
    ],
)
def test_faulty_arguments_are_named(one_curve, change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        detect_transitions(one_curve(np.arange(10), np.arange(10.0)), **change)


@pytest.mark.parametrize(
    ("steps", "message"),
    [([*range(9), 8], "step 8.* occurs twice in llc"), ([*range(9), np.nan], "missing"), ([-1, *range(1, 10)], "too small")],
)
def test_faulty_steps_are_named(one_curve, steps: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        detect_transitions(one_curve(np.array(steps, dtype=float), np.arange(10.0)))


def test_no_curves_no_rows(one_curve) -> None:
    assert detect_transitions(one_curve(np.arange(0), np.arange(0.0))).empty


@pytest.mark.end_to_end
def test_the_interval_of_a_location_covers_it_as_often_as_it_says(one_curve) -> None:
    covered = []
    for seed in range(30):
        generator = np.random.default_rng(seed)
        place = generator.uniform(15, 45)
        rise = np.clip((np.arange(60) - place) / 6 + 0.5, 0, 1)
        detected = detect_transitions(
            one_curve(np.arange(60), 20 + 6 * rise + generator.standard_normal(60), 1.0), scale="linear"
        )
        covered += [low <= place <= high for low, high in detected[["location_low", "location_high"]].to_numpy()]
    assert len(covered) >= 28
    assert np.mean(covered) >= 0.85


def test_a_candidate_where_the_training_was_changed_is_void(one_curve) -> None:
    values = 10 + 4 * (LOGARITHMIC > 1000) + 0.3 * np.random.default_rng(0).standard_normal(len(LOGARITHMIC))
    table = one_curve(LOGARITHMIC, values, 0.3)
    told = detect_transitions(table, interventions={1010.0: "the learning rate went from 1 to 0.1"})
    assert told["decision"].tolist() == ["void"]
    assert told["reason"].tolist() == ["coincides with the learning rate went from 1 to 0.1 at 1010"]
    assert detect_transitions(table, interventions={5000.0: "elsewhere"})["decision"].tolist() == ["candidate"]


def test_the_slope_agrees_with_a_candidate(one_curve) -> None:
    values = 20 - 6 * (LOGARITHMIC > 1000) + np.random.default_rng(0).standard_normal(len(LOGARITHMIC))
    row = detect_transitions(one_curve(LOGARITHMIC, values, 1.0)).iloc[0]
    assert row["direction"] == "fall"
    assert row["slope_probability"] > 0.95


def test_a_curve_in_which_nothing_could_be_seen_is_undecided(one_curve) -> None:
    values = 10 + np.random.default_rng(0).standard_normal(len(LOGARITHMIC))
    told = detect_transitions(one_curve(LOGARITHMIC, values, 3.0))
    assert told["decision"].tolist() == ["undecided"]
    assert told["reason"][0].startswith(
        "too noisy: only single changes of 5 errors, 15, are seen with certainty; its largest value is 1"
    )
    assert detect_transitions(one_curve(LOGARITHMIC, values, 1.0)).empty


@pytest.mark.parametrize("count", [11, 22])
def test_a_blip_makes_no_passage_where_the_curve_stays(one_curve, count: int) -> None:
    places = 40 * np.arange(count)
    detected = detect_transitions(one_curve(places, (places == 40).astype(float)))
    assert not (detected["location"] > 60).any()


def test_steps_that_were_read_as_text_are_numbers(one_curve) -> None:
    values = 10 + 4 * (LOGARITHMIC > 1000) + 0.3 * np.random.default_rng(0).standard_normal(len(LOGARITHMIC))
    table = one_curve(LOGARITHMIC, values, 0.3)
    pd.testing.assert_frame_equal(detect_transitions(table.assign(step=table["step"].astype(str))), detect_transitions(table))
    with pytest.raises(ValueError, match="step holds what is no number"):
        detect_transitions(table.assign(step="first"))
