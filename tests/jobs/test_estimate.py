"""Test what is estimated from kept draws: λ̂ of every component, and information criteria of the whole network."""

from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
from line import job

from ontogeny import information_criteria
from ontogeny.jobs import detect, estimate, sample
from ontogeny.jobs.estimate import criteria_table, has_criteria
from ontogeny.pipeline.files import ResultError, write_json
from ontogeny.sampling import draws as store
from ontogeny.sampling.draws import Draws
from ontogeny.trajectory import criteria_rows


@pytest.fixture(scope="module")
def run(base):
    """The folder of a run that kept the losses of all examples, and was sampled on flipped data too."""
    made = job(base, "sample", per_example={"examples": "all", "every": 10}, refine={"data": {"flipped": {"slope": -1.0}}})
    sample.run(made)
    estimate.run(job(base, "estimate"))
    return made.seed_folder(0)


@pytest.mark.end_to_end
def test_criteria_are_those_of_the_losses_with_the_verdict_of_their_draws(run):
    losses = store.read(run / "draws", "", range(0, 61, 10))[0].collected["per_example_loss"]
    information, health = (pd.read_parquet(run / f"{name}.parquet") for name in ("information", "health"))
    expected = information_criteria(losses, 30.0)
    assert set(information) == {"step", "verdict", *asdict(expected)}
    for name, values in asdict(expected).items():
        np.testing.assert_allclose(information[name], values, rtol=1e-6)
    assert information["wbic"].isna().all() and information["waic"].notna().all()  # nβ is not n / log n
    network = health[health["component"] == ""]
    assert information[["step", "verdict"]].to_numpy().tolist() == network[["step", "verdict"]].to_numpy().tolist()


@pytest.mark.end_to_end
def test_the_terms_of_a_loss_are_in_the_manifest(base, run):
    assert job(base, "estimate").manifest(0, "estimate")["averages_over"] == 1


@pytest.mark.end_to_end
def test_checkpoints_are_no_minima_of_other_data(run):
    health = pd.read_parquet(run / "health.parquet")
    flipped = health[health["component"] == "data:flipped"]
    assert health["component"].unique().tolist() == ["", "data:flipped"]
    last = flipped.iloc[-1]
    assert last["llc"] < -5 and "negative" in last["verdict"]
    # At w = 1 the loss of slope -1 is (2x)²/2 in the mean, and its gradient 2 mean(x²).
    assert last["full_gradient_norm"] == pytest.approx(2 * np.mean(np.linspace(-1, 1, 30) ** 2), rel=0.05)


def test_criteria_are_in_the_trajectory_and_no_evidence(base, run):
    write_json(job(base, "observe").manifest_path(0, "observe"), {"digest": ""})
    rows = {"step": [0], "observable": "loss", "component": "", "value": 1.0, "standard_error": np.nan, "verdict": ""}
    pd.DataFrame(rows).to_parquet(run / "observables.parquet")
    detect.run(job(base, "detect"))
    trajectory, information = (pd.read_parquet(run / f"{name}.parquet") for name in ("trajectory", "information"))
    assert {"waic", "llc", "loss"} <= set(trajectory["observable"]) and "wbic" not in set(trajectory["observable"])
    waic = trajectory[trajectory["observable"] == "waic"]
    assert waic["verdict"].tolist() == information["verdict"].tolist() and set(waic["component"]) == {""}
    np.testing.assert_array_equal(waic["value"], information["waic"])
    assert "waic" not in (run / "transitions.json").read_text()


def test_a_setting_that_is_taken_back_removes_its_file(base, run):
    sample.run(job(base, "sample"))
    estimate.run(job(base, "estimate"))
    assert not (run / "information.parquet").exists()


def test_damaged_draws_are_named_and_made_again(base, run):
    sample.run(job(base, "sample"))
    (chunk, *_) = sorted((run / "draws" / "network" / "loss_difference").glob("c.*"))
    chunk.write_bytes(chunk.read_bytes()[:-40])
    job(base, "estimate").manifest_path(0, "estimate").unlink()
    with pytest.raises(ResultError, match=r"draws is damaged .* is now draws\.damaged\. Run the same `snakemake` command again"):
        estimate.run(job(base, "estimate"))
    sample.run(job(base, "sample"))
    estimate.run(job(base, "estimate"))
    assert (run / "llc.parquet").is_file()


def windows_of_regression(draws: int, terms: int) -> tuple[Draws, float]:
    """Exact draws of the posterior (β = 1) of a linear regression of windows of several terms, and n ν̂'s closed form."""
    random = np.random.default_rng(0)
    inputs = random.normal(size=(200, terms, 5))
    targets = inputs @ random.normal(size=5) + random.normal(size=(200, terms))
    flat = inputs.reshape(-1, 5)
    covariance = np.linalg.inv(flat.T @ flat)
    fit = covariance @ flat.T @ targets.ravel()
    weights = random.multivariate_normal(fit, covariance, (1, 4, draws))
    residuals = targets - np.einsum("ntd,kcsd->kcsnt", inputs, weights)
    losses = (0.5 * residuals**2 + 0.5 * np.log(2 * np.pi)).mean(-1)
    left, spread = targets - inputs @ fit, inputs @ covariance @ np.swapaxes(inputs, 1, 2)
    variance = np.einsum("nt,ntu,nu->", left, spread, left) + np.einsum("ntu,ntu->", spread, spread) / 2
    nothing = np.zeros(1)
    draws = Draws(
        **{"values": np.zeros((1, 4, draws)), "baseline": nothing, "gradient_norm": nothing, "first_order": np.zeros((1, 4))},
        **{
            "inverse_temperature": 200.0 * terms,
            "localization": 0.0,
            "n": 200,
            "dimension": 3,
            "steps": np.array([7]),
            "collected": {"per_example_loss": losses},
        },
    )
    return draws, variance


def test_a_mean_over_the_tokens_of_a_window_is_scaled_to_the_window():
    draws, variance = windows_of_regression(500, 4)
    row = criteria_table(draws, 4, ["ok"]).iloc[0]
    assert row["functional_variance"] == pytest.approx(variance, rel=0.08)
    assert row["singular_fluctuation"] == pytest.approx(5 / 2, rel=0.15)
    assert row["gibbs_training_loss"] == pytest.approx(4 * draws.collected["per_example_loss"].mean())
    assert np.isnan(row["wbic"])
    cooler = criteria_table(replace(draws, inverse_temperature=4 * 200 / np.log(200)), 4, ["ok"]).iloc[0]
    assert cooler["wbic"] == pytest.approx(200 * row["gibbs_training_loss"])


def test_draws_of_a_dead_chain_do_not_count_and_a_checkpoint_without_any_has_none():
    draws, _ = windows_of_regression(20, 2)
    kept = draws.collected["per_example_loss"]
    alone = criteria_table(with_losses(draws, kept[:, 1:], values=draws.values[:, 1:]), 2, ["r_hat"])
    values, losses = (np.concatenate([array] * 2) for array in (draws.values, kept))
    values[0, 0, 5:] = values[1] = np.nan  # its first draws are finite, and so are their losses
    both = with_losses(draws, losses, values=values, steps=np.array([7, 8]))
    row = criteria_table(both, 2, ["r_hat", "dead_chains"])
    pd.testing.assert_frame_equal(row[:1], alone)
    assert row.loc[1].drop(["step", "verdict"]).isna().all()
    assert criteria_rows(criteria_table(replace(both, values=np.full_like(values, np.nan)), 2, ["", ""])).empty


def with_losses(draws: Draws, losses: np.ndarray, **changes) -> Draws:
    return replace(draws, collected={"per_example_loss": losses}, **changes)


def test_criteria_need_a_log_likelihood_and_the_losses_of_all_examples():
    draws, _ = windows_of_regression(3, 2)
    assert has_criteria(draws, 2)
    assert not has_criteria(draws, None)
    assert not has_criteria(with_losses(draws, draws.collected["per_example_loss"][..., :199]), 2)
    assert not has_criteria(replace(draws, collected={}), 2)
