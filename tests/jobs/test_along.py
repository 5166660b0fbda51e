"""Trajectories along a swept key: the ends of the runs, and the whole job on runs whose λ̂ jumps between two values."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ontogeny.jobs import along
from ontogeny.jobs.family_page import along_summary
from ontogeny.jobs.job import Job
from ontogeny.jobs.measurements import Measurements
from ontogeny.pipeline.files import write_json
from ontogeny.pipeline.manifests import damage_of_seeds
from ontogeny.report.family_page import family_page
from ontogeny.report.run_page import NOTHING_KNOWN
from ontogeny.report.tables import FamilySummary, RunSummary
from ontogeny.trajectory import Axis, axis_of
from ontogeny.transitions.records import Development, read_record

VALUES = [3, 5, 8, 12, 20, 30, 40, 60, 100, 200, 500, 1000, 3000]
JUMP = 50
POINTS = Axis("points", "log", "points")


def test_the_rows_of_the_last_step_take_the_value_of_the_key():
    tables = {
        10.0: pd.DataFrame({"step": [0, 100, 100], "component": ["", "", "a"], "llc": [1.0, 2.0, 3.0]}),
        2.0: pd.DataFrame({"step": [50, 0], "component": ["", ""], "llc": [4.0, 5.0]}),
    }
    expected = pd.DataFrame({"points": [2.0, 10.0, 10.0], "component": ["", "", "a"], "llc": [4.0, 2.0, 3.0]})
    pd.testing.assert_frame_equal(along.along(tables, POINTS), expected)


def test_a_table_is_independent_where_it_is_in_every_run():
    rows = pd.DataFrame({"step": [0, 1], "value": [0.0, 1.0]})
    by_value = {
        1.0: {"health": Measurements(rows), "information": Measurements(rows, independent=False)},
        2.0: {"health": Measurements(rows)},
    }
    health, information = along.tables_along(by_value, POINTS)
    assert health.rows["points"].tolist() == [1.0, 2.0] and health.independent
    assert information.rows["points"].tolist() == [1.0] and not information.independent


@pytest.mark.parametrize(
    ("key", "values", "expected"),
    [
        ("task.points", [3, 10], Axis("points", "log", "points")),
        ("model.start.noise", [0, 0.1], Axis("noise", "linear", "noise")),
        ("training.batch_size", [1, 2], Axis("batch_size", "log", "batch size")),
        ("task.value", [1, 2], Axis("task_value", "log", "task value")),
    ],
)
def test_an_axis_has_the_name_of_its_key_and_is_logarithmic_where_it_can_be(key, values, expected):
    assert along.axis_of_key(key, values) == expected


@pytest.fixture
def made(tmp_path) -> Job:
    """The job of a family of 13 variants and 2 seeds, whose λ̂ and loss jump between 40 and 60 points."""
    variants = {f"points~{value}": value for value in VALUES}
    specification = {
        "code": "test",
        "seeds": [0, 1],
        "along": {"key": "task.points", "variants": variants},
        "transitions": {},
        "labels": {},
        "configuration": {"description": "Points.", "llc": {"inverse_temperature": 100.0, "localization": 10.0}},
    }
    job = Job(name="along", results=tmp_path, specification=specification, family="toy")
    generator = np.random.default_rng(0)
    for seed in (0, 1):
        for variant, value in variants.items():
            run = replace(job, variant=variant)
            write_run(run, seed, 10 + 5 * (value > JUMP) + 0.1 * generator.standard_normal(4), float(value < JUMP))
    return job


def write_run(run: Job, seed: int, chains: np.ndarray, loss: float) -> None:
    """Write the results of a run with checkpoints at steps 0 and 100; those at step 0 are all alike."""
    folder = run.seed_folder(seed)
    for kind in ("estimate", "observe"):
        write_json(run.manifest_path(seed, kind), {"digest": f"{run.variant} {seed} {kind}"})
    steps, both = [0, 100], np.stack([np.full(4, 99.0), chains])
    health = {"step": steps, "component": "", "llc": both.mean(1), "standard_error": both.std(1, ddof=1) / 2, "verdict": "ok"}
    pd.DataFrame(health).to_parquet(folder / "health.parquet")
    sampled = {"step": np.repeat(steps, 4), "component": "", "chain": [*range(4)] * 2, "llc": both.ravel(), "dead": False}
    pd.DataFrame(sampled).to_parquet(folder / "llc.parquet")
    rows = {"step": steps, "observable": "loss", "component": "", "value": [99.0, loss], "standard_error": np.nan, "verdict": ""}
    pd.DataFrame(rows).to_parquet(folder / "observables.parquet")


def test_a_jump_between_two_values_is_found_along_the_key(made):
    along.run(made)
    folder = made.family_folder / "along"
    for seed in (0, 1):
        table = pd.read_parquet(folder / f"seed~{seed}" / "trajectory.parquet")
        assert axis_of(table) == POINTS
        llc = table[table["observable"] == "llc"]
        assert llc["points"].tolist() == VALUES and max(llc["value"].tolist()) < 20
        development = read_record(Development, folder / f"seed~{seed}" / "transitions.json")
        (candidate,) = development.candidates
        assert development.axis == POINTS and 40 <= candidate.location <= 60
        assert candidate.critical_sample_size is None and candidate.free_energy_condition is None
        assert candidate.delta_llc == pytest.approx(5, abs=0.3) and candidate.inverse_temperature == 100
    (agreed,) = json.loads((folder / "consensus.json").read_text())["transitions"]
    assert agreed["seeds"] == [0, 1] and 40 <= agreed["location_median"] <= 60


def test_its_page_speaks_of_the_key_and_of_no_step(made):
    along.run(made)
    page = (made.family_folder / "along" / "seed~0" / "report.html").read_text()
    words = page[page.index("<h1>") : page.index('<script type="application/json"')]
    assert "along points" in words and "near points = 4" in words and "(of points = 3 to 3,000)" in words
    assert "Between points = 40 and 60" in words and "<legend>points axis</legend>" in words
    assert not [text for text in ("near step", "at step", "steps 4", "training steps", "step axis", "log step") if text in words]


def test_what_was_written_is_recorded_and_damage_is_seen(made):
    along.run(made)
    folder = made.family_folder / "along"
    assert damage_of_seeds(folder, "along", [0, 1]) is None
    manifest = json.loads((folder / "seed~1" / "manifest" / "along.json").read_text())
    assert set(manifest["outputs"]) >= {"trajectory.parquet", "transitions.json", "report.html"}
    (folder / "seed~1" / "trajectory.csv").write_text("cut")
    assert "trajectory.csv has 3 bytes" in (damage_of_seeds(folder, "along", [0, 1]) or "")


def test_the_page_of_the_family_shows_the_trajectories_and_links_the_runs_in_the_order_of_the_key(made):
    along.run(made)
    ends = [
        RunSummary(variant=name, seed=0, trajectory=pd.DataFrame(), transitions=NOTHING_KNOWN, href=f"{name}/seed~0/report.html")
        for name in sorted(made.specification["along"]["variants"])
    ]
    shown = along_summary(made.results, FamilySummary(family="toy", description="", runs=ends))
    page = family_page(shown, {})
    assert list(shown.ends) == [f"points~{value}" for value in VALUES]
    assert shown.axis == POINTS and [run.href for run in shown.runs] == [f"along/seed~{seed}/report.html" for seed in (0, 1)]
    assert 'href="points~3000/seed~0/report.html"' in page and "transitions (points)" in page
    assert "near points = 4" in page and "in 2 of 2 seeds" in page and "near step" not in page
