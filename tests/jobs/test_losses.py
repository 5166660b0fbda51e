"""Losses of single examples and information criteria: what a sampling job leaves of them, and what they are."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ontogeny import config, information_criteria
from ontogeny.errors import SpecificationError
from ontogeny.jobs import detect, sample, train
from ontogeny.jobs.job import Job
from ontogeny.jobs.losses import criteria_table, has_criteria
from ontogeny.pipeline.files import write_json
from ontogeny.problem.problem import Problem
from ontogeny.sampling import chains
from ontogeny.sampling.chains import Traces
from ontogeny.sampling.layout import Layout
from ontogeny.trajectory import criteria_rows

MINE = """
import jax.numpy as jnp
from flax import nnx
from ontogeny.problem.problem import Data, Task

def task(batch_size, *, slope=1.0, inputs=1, n=30):
    x = jnp.linspace(-1.0, 1.0, n * inputs).reshape(n, inputs)
    data = x, slope * x.sum(1) + jnp.where(jnp.arange(n) % 2, -0.1, 0.1)
    return Task(
        data=Data(train=lambda key, step: data, sampling=data, evaluation=data),
        output_loss=lambda outputs, targets: (outputs - targets) ** 2 / 2,
        shape={"inputs": inputs},
        is_log_likelihood=True,
    )

class Line(nnx.Module):
    def __init__(self, shape, rngs):
        self.slope = nnx.Param(jnp.zeros(shape["inputs"]))

    def __call__(self, x):
        return x @ self.slope[...]
"""
SECTIONS = {
    "task": {"kind": "mine.py:task"},
    "model": {"kind": "mine.py:Line"},
    "training": {"optimizer": {"name": "sgd", "learning_rate": 0.3}, "batch_size": 30, "steps": 60},
    "checkpoints": {"linear": 6},
}
CALIBRATION = {
    "sampler": {"kind": "sgld", "step_size": 0.01},
    **{"inverse_temperature": 30.0, "localization": 1.0, "chains": 2, "draws": 25, "burn_in": 5, "batch_size": None},
    "layout": {"microbatch": None, "vectorize_chains": True, "center": None, "checkpoints": 2},
    "digest": "",
}


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """A folder with a trained run and its calibration."""
    folder = tmp_path_factory.mktemp("line")
    (folder / "mine.py").write_text(MINE)
    made = job(folder, "train")
    train.run(made)
    write_json(made.folder / "calibration.json", CALIBRATION)
    return folder


def test_chains_are_laid_out_as_calibration_kept_it_but_on_other_data_as_suits_them(base, monkeypatch):
    laid_out = []

    def noted(*arguments, layout, **options):
        laid_out.append(layout)
        return chains.sample(*arguments, layout=layout, **options)

    monkeypatch.setattr(sample, "sample", noted)
    sample.run(job(base, "sample", refine={"data": {"more": {"n": 40}}}))
    assert set(laid_out) == {Layout(**CALIBRATION["layout"]), None}


def job(folder: Path, stage: str, **llc) -> Job:
    changes = llc.get("refine", {}).get("data", {})
    others = {name: SECTIONS["task"] | change for name, change in changes.items()}
    specification = {"seeds": [0], "lanes": [0], "code": "test", "llc": llc, "other_data": others, "transitions": {}, **SECTIONS}
    names = {"family": "line", "variant": "base", "block": "seed~0"}
    return Job(stage=stage, results=folder, base=folder, specification=specification, **names)


def results(made: Job) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    sample.run(made)
    with np.load(made.seed_folder(0) / "per_example.npz") as saved:
        return dict(saved), pd.read_parquet(made.seed_folder(0) / "health.parquet")


@pytest.fixture(scope="module")
def all_kept(base):
    made = job(base, "sample", per_example={"examples": "all", "every": 10}, refine={"data": {"flipped": {"slope": -1.0}}})
    saved, health = results(made)
    information = pd.read_parquet(made.seed_folder(0) / "information.parquet")
    return saved, health, information, pd.read_parquet(made.seed_folder(0) / "traces.parquet")


def test_losses_are_those_whose_mean_the_chains_read(all_kept):
    saved, _, _, traces = all_kept
    assert saved["losses"].shape == (7, 2, 3, 30) and saved["losses"].dtype == np.float32
    assert saved["steps"].tolist() == list(range(0, 61, 10)) and saved["draws"].tolist() == [0, 10, 20]
    values = traces.set_index(["step", "chain", "draw"])["value"]
    mean = saved["losses"].mean(-1)
    read = np.array([[[values[step, chain, draw] for draw in (0, 10, 20)] for chain in (0, 1)] for step in saved["steps"]])
    np.testing.assert_allclose(mean - mean[:, :1, :1], read - read[:, :1, :1], atol=1e-6)


def test_criteria_are_those_of_the_losses_with_the_verdict_of_their_draws(all_kept):
    saved, health, information, _ = all_kept
    expected = information_criteria(saved["losses"], 30.0)
    assert set(information) == {"step", "verdict", *asdict(expected)}
    for name, values in asdict(expected).items():
        np.testing.assert_allclose(information[name], values, rtol=1e-6)
    assert information["wbic"].isna().all() and information["waic"].notna().all()  # nβ is not n / log n
    network = health[health["component"] == ""]
    assert information[["step", "verdict"]].to_numpy().tolist() == network[["step", "verdict"]].to_numpy().tolist()


def test_another_data_set_is_a_component_whose_checkpoints_are_no_minima(all_kept):
    _, health, _, _ = all_kept
    flipped = health[health["component"] == "data:flipped"]
    assert health["component"].unique().tolist() == ["", "data:flipped"]
    last = flipped.iloc[-1]
    assert last["llc"] < -5 and "negative" in last["verdict"]
    # At w = 1 the loss of slope -1 is (2x)²/2 in the mean, and its gradient 2 mean(x²).
    assert last["full_gradient_norm"] == pytest.approx(2 * np.mean(np.linspace(-1, 1, 30) ** 2), rel=0.05)


def test_the_trajectory_holds_the_criteria_and_looks_for_no_transitions_in_them(base, all_kept):
    made = job(base, "detect")
    write_json(made.manifest_path(0, "observe"), {"digest": ""})
    pd.DataFrame(
        {"step": [0], "observable": "loss", "component": "", "value": 1.0, "standard_error": np.nan, "verdict": ""}
    ).to_parquet(made.seed_folder(0) / "observables.parquet")
    detect.run(made)
    trajectory = pd.read_parquet(made.seed_folder(0) / "trajectory.parquet")
    assert {"waic", "llc", "loss"} <= set(trajectory["observable"]) and "wbic" not in set(trajectory["observable"])
    waic = trajectory[trajectory["observable"] == "waic"]
    assert waic["verdict"].tolist() == all_kept[2]["verdict"].tolist() and set(waic["component"]) == {""}
    np.testing.assert_array_equal(waic["value"], all_kept[2]["waic"])
    assert "waic" not in (made.seed_folder(0) / "transitions.json").read_text()


def test_a_setting_that_is_taken_back_removes_its_files(base, all_kept):
    made = job(base, "sample")
    sample.run(made)
    left = {path.name for path in made.seed_folder(0).iterdir()}
    assert "traces.parquet" in left and not left & {"per_example.npz", "information.parquet", "sampling"}


def test_of_some_examples_the_first_are_kept_and_no_criteria(base, all_kept):
    made = job(base, "sample", per_example={"examples": 4, "every": 5})
    saved, _ = results(made)
    np.testing.assert_array_equal(saved["losses"][:, :, ::2], all_kept[0]["losses"][..., :4])
    assert not (made.seed_folder(0) / "information.parquet").exists()


def test_a_finished_job_is_left_alone_unless_its_losses_are_gone(base):
    made = job(base, "sample", per_example={"examples": 3})
    results(made)
    before = made.manifest_path(0, "sample").read_bytes()
    sample.run(made)
    assert made.manifest_path(0, "sample").read_bytes() == before
    (made.seed_folder(0) / "per_example.npz").unlink()
    sample.run(made)
    assert (made.seed_folder(0) / "per_example.npz").is_file()


def test_an_interrupted_job_goes_on_with_the_same_losses(base, all_kept, monkeypatch):
    made, original, calls = job(base, "sample", per_example={"examples": "all"}), sample.sample, []

    def failing(*arguments, **options):
        calls.append(options)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(*arguments, **options)

    monkeypatch.setattr(sample, "CHUNK", 2)
    monkeypatch.setattr(sample, "sample", failing)
    with pytest.raises(KeyboardInterrupt):
        sample.run(made)
    saved, _ = results(made)
    assert len(calls) == 3 + 2  # of four chunks, two were kept
    np.testing.assert_allclose(saved["losses"], all_kept[0]["losses"], rtol=1e-5)


@pytest.mark.parametrize(
    ("llc", "told"),
    [
        ({"per_example": {"examples": 31}}, r"llc.per_example.examples \(31\) is larger than n \(30\)"),
        ({"refine": {"data": {"wide": {"inputs": 2}}}}, r"llc.refine.data.wide: has the shape {'inputs': 2}; the network .* 1}"),
        (
            {"batch_size": 20, "refine": {"data": {"few": {"n": 10}}}},
            r"llc.batch_size \(20\) is larger than n of llc.refine.data.few \(10\)",
        ),
        ({"refine": {"data": {"wide": {"slopes": 2}}}}, r"llc.refine.data.wide: mine.py:task fails: TypeError"),
    ],
)
def test_what_cannot_be_sampled_is_told_with_its_key(base, llc, told):
    with pytest.raises(SpecificationError, match=told):
        sample.run(job(base, "sample", **llc))


def windows_of_regression(draws: int, terms: int) -> tuple[Traces, float]:
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
    traces = Traces(
        **{"values": np.zeros((1, 4, draws)), "baseline": nothing, "gradient_norm": nothing, "first_order": np.zeros((1, 4))},
        **{
            "inverse_temperature": 200.0 * terms,
            "localization": 0.0,
            "n": 200,
            "dimension": 3,
            "steps": np.array([7]),
            "collected": losses,
        },
    )
    return traces, variance


def test_a_mean_over_the_tokens_of_a_window_is_scaled_to_the_window():
    traces, variance = windows_of_regression(500, 4)
    found = criteria_table(traces, 4, ["ok"]).iloc[0]
    assert found["functional_variance"] == pytest.approx(variance, rel=0.08)
    assert found["singular_fluctuation"] == pytest.approx(5 / 2, rel=0.15)
    assert found["gibbs_training_loss"] == pytest.approx(4 * traces.collected.mean())
    assert np.isnan(found["wbic"])
    cooler = criteria_table(replace(traces, inverse_temperature=4 * 200 / np.log(200)), 4, ["ok"]).iloc[0]
    assert cooler["wbic"] == pytest.approx(200 * found["gibbs_training_loss"])


def test_draws_of_a_dead_chain_do_not_count_and_a_checkpoint_without_any_has_none():
    traces, _ = windows_of_regression(20, 2)
    alone = criteria_table(replace(traces, values=traces.values[:, 1:], collected=traces.collected[:, 1:]), 2, ["r_hat"])
    values, losses = (np.concatenate([array] * 2) for array in (traces.values, traces.collected))
    values[0, 0, 5:] = values[1] = np.nan  # its first draws are finite, and so are their losses
    both = replace(traces, values=values, collected=losses, steps=np.array([7, 8]))
    found = criteria_table(both, 2, ["r_hat", "dead_chains"])
    pd.testing.assert_frame_equal(found[:1], alone)
    assert found.loc[1].drop(["step", "verdict"]).isna().all()
    assert criteria_rows(criteria_table(replace(both, values=np.full_like(values, np.nan)), 2, ["", ""])).empty


def test_criteria_need_a_log_likelihood_and_the_losses_of_all_examples():
    traces, _ = windows_of_regression(3, 2)
    problem = Problem(init=lambda key: {}, loss=lambda params, batch: batch, data=None, is_log_likelihood=True)
    labels = config.LocalLearningCoefficient()
    assert has_criteria(problem, labels, traces)
    assert not has_criteria(replace(problem, is_log_likelihood=False), labels, traces)
    assert not has_criteria(problem, labels.model_copy(update={"behavioural": True}), traces)
    assert not has_criteria(problem, labels, replace(traces, collected=traces.collected[..., :199]))
    assert not has_criteria(problem, labels, replace(traces, collected=None))


def test_a_profile_is_written_and_nothing_else(base, tmp_path):
    made = replace(job(base, "sample"), profile_trace=tmp_path / "trace")
    before = sorted(path for path in made.folder.rglob("*"))
    sample.run(made)
    assert list((tmp_path / "trace").rglob("perfetto_trace.json.gz"))
    assert sorted(path for path in made.folder.rglob("*")) == before
