"""docs/adding-a-family.md: its families run as they stand there. `pytest -m end_to_end` and `.ci/run` run it."""

import json
import re

import pandas as pd
import pytest
from small_study import ROOT, Study

BLOCKS = re.findall(r"```(yaml|python)\n(.*?)```", (ROOT / "docs" / "adding-a-family.md").read_text(), re.DOTALL)


def blocks() -> list[list[str]]:
    return [[text for kind, text in BLOCKS if kind == wanted] for wanted in ("yaml", "python")]


@pytest.mark.end_to_end
def test_a_family_from_config_alone_and_a_model_of_ones_own(tmp_path):
    (alone, own, _), (code, _) = blocks()
    (tmp_path / "config.yaml").write_text(alone + own.removeprefix("families:\n"))
    (tmp_path / "linear_autoencoder.py").write_text(code)
    Study(tmp_path).snakemake()
    runs = [f"pentagon/examples~{size}/seed~{seed}" for size in (200, 400) for seed in (0, 1)] + ["autoencoder/base/seed~0"]
    for run in runs:
        assert (tmp_path / "results" / run / "report.html").is_file()
    trajectory = pd.read_parquet(tmp_path / "results" / "autoencoder" / "base" / "seed~0" / "trajectory.parquet")
    loss = trajectory[trajectory["observable"] == "loss"].sort_values("step")["value"]
    assert loss.iloc[-1] < 0.6 * loss.iloc[0]


@pytest.mark.end_to_end
def test_a_task_of_ones_own_with_all_that_belongs_to_it(tmp_path):
    (*_, family), (*_, code) = blocks()
    assert len(code.splitlines()) <= 60
    (tmp_path / "config.yaml").write_text(family)
    (tmp_path / "parity.py").write_text(code)
    Study(tmp_path).snakemake()
    for seed in (0, 1):
        run = tmp_path / "results" / "sums" / "base" / f"seed~{seed}"
        (candidate,) = json.loads((run / "transitions.json").read_text())["candidates"]
        assert candidate["name"] == "parity learnt" and candidate["start"] <= 100 <= candidate["end"] + 20
        page = (run / "report.html").read_text(encoding="utf-8")
        assert "Log odds" in page and "share of right answers" in page
