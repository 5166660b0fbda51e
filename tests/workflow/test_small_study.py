"""The small study from end to end: what it leaves, what it says, and how it goes on after a fault."""

import json

import numpy as np
import pandas as pd
import pytest
from small_study import Study, make_study

from ontogeny import load_run
from ontogeny.checkpoints import blocks as checkpoints
from ontogeny.pipeline.files import ResultError

RUN_FILES = (
    "training.parquet",
    "llc.parquet",
    "health.parquet",
    "draws/zarr.json",
    "run.json",
    "observables.parquet",
    "trajectory.parquet",
    "trajectory.csv",
    "transitions.json",
    "provenance.json",
    "report.html",
)


def test_every_run_leaves_its_files(finished):
    runs = [finished.folder / "results" / run for run in ("toy/base/seed~0", "toy/base/seed~1", "induction/base/seed~0")]
    for run in runs:
        assert [name for name in RUN_FILES if not (run / name).is_file()] == []
        trajectory = pd.read_parquet(run / "trajectory.parquet")
        assert list(trajectory.columns) == ["step", "observable", "component", "value", "standard_error", "verdict"]
        assert {"llc", "loss"} <= set(trajectory["observable"])
        assert np.isfinite(trajectory.loc[trajectory["observable"] == "llc", "value"]).all()
    for page in (
        "toy/report.html",
        "induction/report.html",
        "report/index.html",
        "toy/base/consensus.json",
        "toy/base/calibration.json",
    ):
        assert (finished.folder / "results" / page).is_file()


def test_draws_are_what_the_estimate_is_made_of(finished):
    run = load_run(finished.folder / "results" / "toy" / "base" / "seed~0")
    draws = run.draws["network"].to_dataset()
    assert dict(draws.sizes) == {"step": 10, "chain": 2, "draw": 20} and draws["step"].to_numpy().tolist() == run.steps
    means = draws.attrs["inverse_temperature"] * draws["loss_difference"].mean("draw")
    by_chain = pd.read_parquet(run.folder / "llc.parquet").pivot(index="step", columns="chain", values="llc")
    np.testing.assert_allclose(means, by_chain, rtol=1e-4)


def test_a_run_is_read_in_python(finished):
    run = load_run(finished.folder / "results" / "toy" / "base" / "seed~0")
    assert run.params(200)["weight"].shape == (2, 6) and run.params([0, 200])["weight"].shape == (2, 2, 6)
    assert run.about["axis"]["name"] == "step" and run.about["parameters"] == 18
    assert {"llc", "loss"} <= set(run.trajectory["observable"]) and run.transitions.stages[0].start == 0
    with pytest.raises(ResultError, match="holds no run"):
        load_run(finished.folder)


@pytest.mark.end_to_end
def test_damaged_results_are_named_and_made_again(copied):
    run = copied.folder / "results" / "toy" / "base" / "seed~1"
    whole = pd.read_parquet(run / "llc.parquet")
    (run / "llc.parquet").write_bytes((run / "llc.parquet").read_bytes()[:200])
    (run / "report.html").unlink()
    (run / "manifest" / "observe.json").write_text("{")
    (run.parent / "calibration.json").write_text('{"steps"')
    done = copied.snakemake("toy")
    output = done.stdout + done.stderr
    for name in ("llc.parquet has 200 bytes", "report.html is missing", "observe.json is damaged", "calibration.json is damaged"):
        assert name in output
    pd.testing.assert_frame_equal(pd.read_parquet(run / "llc.parquet"), whole)
    assert (run / "report.html").is_file() and copied.planned("toy") == {}, copied.without_jobs("--dry-run", "toy").stdout


def test_the_calibration_holds_a_step_and_its_diagnosis(finished):
    found = json.loads((finished.folder / "results" / "induction" / "base" / "calibration.json").read_text())
    assert found["sampler"]["kind"] == "sgnht" and 0 < found["sampler"]["step_size"] < 1
    assert 0.02 <= found["sampler"]["friction"] <= 1
    assert found["stability"]["verdict"].startswith("stable")
    assert len(found["curvature"]) == len(found["gradient_variance"]) == len(found["steps"]) == 5
    assert found["sweep"]["flat_from"] <= found["inverse_temperature"] <= found["sweep"]["flat_to"]
    given = json.loads((finished.folder / "results" / "toy" / "base" / "calibration.json").read_text())
    assert given["sampler"] == {"kind": "sgld", "step_size": 1e-3}


def test_refined_components_stand_beside_the_network(finished):
    run = finished.folder / "results" / "induction" / "base" / "seed~0"
    components = ["", "layers.0.heads.0", "layers.0.heads.1"]
    for name in ("llc", "health"):
        assert list(pd.read_parquet(run / f"{name}.parquet")["component"].unique()) == components
    trajectory = pd.read_parquet(run / "trajectory.parquet")
    llc = trajectory[trajectory["observable"] == "llc"].set_index(["component", "step"])["value"]
    assert len(llc) == 3 * 8 and np.isfinite(llc).all() and llc.nunique() == len(llc)


@pytest.mark.end_to_end
def test_an_unstable_step_stops_the_study(copied):
    copied.edit("step_size: 1e-3", "step_size: 5.0")
    done = copied.snakemake("toy", check=False)
    told = done.stdout + done.stderr
    assert done.returncode != 0
    assert "step_size 5 is unstable" in told and "step_size must be below" in told and "Traceback" not in told


def test_the_last_line_of_a_study_names_the_index(finished):
    lines = (finished.folder / "stdout").read_text().splitlines()
    assert lines[-1] == "The study is done. Open results/report/index.html in a browser."


@pytest.mark.end_to_end
def test_the_last_line_of_a_family_names_its_page(copied):
    (copied.folder / "results" / "toy" / "report.html").unlink()
    done = copied.snakemake("toy")
    assert done.stdout.splitlines()[-1] == "toy: done. Open results/toy/report.html in a browser."


@pytest.mark.end_to_end
def test_a_new_seed_leaves_the_others_alone(copied):
    results = copied.folder / "results" / "toy" / "base"
    before = {path: path.read_bytes() for path in results.glob("seed~*/manifest/[tseo]*.json")}
    assert len(before) == 8
    copied.edit("seeds: [0, 1]", "seeds: [0, 1, 2]")
    copied.snakemake("toy")
    assert {path: path.read_bytes() for path in before} == before
    assert (results / "seed~2" / "report.html").is_file()
    assert json.loads((results / "consensus.json").read_text())["seeds"] == [0, 1, 2]


@pytest.mark.end_to_end
@pytest.mark.parametrize("seed", [1])
def test_a_seed_alone_has_the_same_numbers(finished, tmp_path, seed):
    alone = make_study(tmp_path)
    alone.edit("seeds: [0, 1]", f"seeds: [{seed}]")
    alone.snakemake("toy", "--until", "observe")
    run = f"results/toy/base/seed~{seed}"
    for name in ("training", "observables"):
        one, other = (pd.read_parquet(study.folder / run / f"{name}.parquet") for study in (finished, alone))
        pd.testing.assert_frame_equal(one, other)


def damage(study: Study) -> str:
    """Cut a checkpoint of the transformer short; its folder."""
    folder = study.folder / "results" / "induction" / "base" / "seed~0" / "checkpoints"
    block = folder / checkpoints.read_index(folder)[0].path
    for path in block.rglob("d/*"):
        path.write_bytes(path.read_bytes()[:40])
    return str(block.relative_to(study.folder))


@pytest.mark.end_to_end
def test_a_checkpoint_cut_short_is_named_and_can_be_mended(copied):
    before = checkpoints.read(copied.folder / "results" / "induction" / "base" / "seed~0" / "checkpoints")[1]
    pages = (copied.folder / "results" / "induction" / "report.html").read_bytes()
    block = damage(copied)
    copied.edit("draws: 8", "draws: 9")
    done = copied.snakemake("induction", check=False)
    told = done.stdout + done.stderr
    assert done.returncode != 0
    assert block in told and "--forcerun train" in told and "Traceback" not in told
    assert (copied.folder / "results" / "induction" / "report.html").read_bytes() == pages
    copied.snakemake("induction", "--forcerun", "train", "--until", "train")
    after = checkpoints.read(copied.folder / "results" / "induction" / "base" / "seed~0" / "checkpoints")[1]
    for name in before:
        np.testing.assert_array_equal(before[name], after[name])


@pytest.mark.end_to_end
def test_a_users_file_that_fails_is_told_with_its_line(copied):
    (copied.folder / "mine.py").write_text("import numpy\n\nclass Net:\n    size = numpy.no_such_thing\n")
    copied.edit("model: {kind: superposition, start: {polygon: 4, noise: 0.05}}", "model: {kind: mine.py:Net}")
    done = copied.snakemake("toy", check=False)
    told = done.stdout + done.stderr
    assert done.returncode != 0
    assert "mine.py fails on import" in told and "no_such_thing" in told and "Traceback" not in told
    assert (copied.folder / "results" / "toy" / "base" / "seed~0" / "checkpoints" / "index.json").is_file()


@pytest.mark.end_to_end
def test_a_network_that_does_not_fit_loses_nothing(copied):
    checkpoint = copied.folder / "results" / "toy" / "base" / "seed~0" / "checkpoints" / "index.json"
    before = checkpoint.read_bytes()
    lines = ["import jax.numpy as jnp", "from flax import nnx", "class Net(nnx.Module):", "    def __init__(self, shape, rngs):"]
    lines += ["        self.bias = nnx.Param(jnp.zeros(3))", "    def __call__(self, x):", "        return x + self.bias[...]"]
    (copied.folder / "mine.py").write_text("\n".join(lines))
    copied.edit(
        "model: {kind: superposition, start: {polygon: 4, noise: 0.05}}", "model: {kind: mine.py:Net}\n    seeds_per_job: 8"
    )
    done = copied.snakemake("toy", check=False)
    told = done.stdout + done.stderr
    assert done.returncode != 0
    assert "a training step fails" in told and "mine.py line 7" in told and "Traceback" not in told
    assert checkpoint.read_bytes() == before


def test_snakemakes_own_report_is_written_offline(copied):
    copied.without_jobs("--report", "snakemake.html")
    assert (copied.folder / "snakemake.html").stat().st_size > 10_000
