"""The figures that the default study is to reach, read from its results: `snakemake --cores all`, then `pytest -m slow`."""

import json

import numpy as np
import pandas as pd
import pytest
from small_study import ROOT

RESULTS = ROOT / "results"
LEVELS = np.array([0.111111, 0.104167, 0.097222, 0.068744, 0.061799, 0.048192])
"""Exact losses of 4, 4+, 4++, 5, 5+ and 6 (Chen et al. 2023)."""

pytestmark = pytest.mark.slow


def curve(run: str, observable: str) -> pd.DataFrame:
    """Steps × components."""
    path = RESULTS / run / "trajectory.parquet"
    if not path.is_file():
        pytest.fail(f"{path} is missing; run the default study first: snakemake --cores all")
    table = pd.read_parquet(path)
    return table[table["observable"] == observable].pivot(index="step", columns="component", values="value")


def names(run: str) -> list[str]:
    return [candidate["name"] for candidate in json.loads((RESULTS / run / "transitions.json").read_text())["candidates"]]


def toy_runs() -> list[str]:
    return [f"superposition/base/seed~{seed}" for seed in range(8)]


def test_some_seeds_pass_to_a_5_gon_and_some_stay():
    jumped = {run for run in toy_runs() if curve(run, "population_loss").iloc[-1, 0] < 0.07}
    assert 1 <= len(jumped) < 8
    assert {run for run in toy_runs() if "4-gon → 5-gon" in names(run)} == jumped


def test_flat_stretches_lie_on_the_levels_of_the_paper():
    distances = []
    for run in toy_runs():
        losses = curve(run, "population_loss").iloc[:, 0].to_numpy()
        flat = np.abs(np.diff(losses)) < 5e-5
        distances += np.abs(losses[1:][flat, None] - LEVELS).min(axis=1).tolist()
    assert len(distances) > 8 * 75
    assert np.mean(np.array(distances) < 5e-4) >= 0.95


def test_the_toy_models_complexity_rises_as_it_passes():
    for run in (run for run in toy_runs() if "4-gon → 5-gon" in names(run)):
        found = next(
            candidate
            for candidate in json.loads((RESULTS / run / "transitions.json").read_text())["candidates"]
            if candidate["name"] == "4-gon → 5-gon"
        )
        assert found["delta_llc"] > 3 * found["delta_llc_standard_error"]
        assert found["delta_loss"] < -0.02
        assert found["free_energy_condition"] is True


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_two_layers_form_induction_heads_and_the_llc_shows_it(seed):
    run = f"induction/layers~2/seed~{seed}"
    assert curve(run, "prefix_matching_score").iloc[-1].max() >= 0.5
    assert "induction-head formation" in names(run)
    found = next(
        candidate
        for candidate in json.loads((RESULTS / run / "transitions.json").read_text())["candidates"]
        if candidate["name"] == "induction-head formation"
    )
    assert found["delta_llc"] > 3 * found["delta_llc_standard_error"]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_one_layer_does_not(seed):
    run = f"induction/layers~1/seed~{seed}"
    assert curve(run, "prefix_matching_score").iloc[-1].max() < 0.15
    assert "induction-head formation" not in names(run)
