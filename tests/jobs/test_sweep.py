"""The jobs of a sweep: λ̂ at every cell of a grid, and the page that recommends one."""

import re
from itertools import product

import numpy as np
import pytest
from line import CALIBRATION, job

from ontogeny.config.llc import SettingsSweep
from ontogeny.jobs import sweep_cells, sweep_page
from ontogeny.jobs.sweep_cells import FACTORS, three_steps, values
from ontogeny.pipeline.files import read_json, write_json

GRID = {"step_size": [0.01, 0.02], "inverse_temperature": [30.0, 300.0], "localization": [0.5, 30.0]}
SAMPLER = {"kind": "sgld", "step_size": 0.01}
CURVATURE = np.mean(np.linspace(-1, 1, 30) ** 2)


@pytest.fixture(scope="module")
def swept(base):
    own = job(base, "sweep_cells", sampler=SAMPLER, checkpoints=3, sweep=GRID)
    write_json(own.folder / "calibration.json", CALIBRATION | {"draws": 4000, "burn_in": 100, "chains": 4})
    sweep_cells.run(own)
    sweep_page.run(job(base, "sweep_page"))
    return own


def test_three_checkpoints_leave_out_the_first():
    assert three_steps(range(51)) == [5, 25, 50]
    assert three_steps(range(8)) == [1, 4, 7]
    assert three_steps([0, 10]) == [10]


def test_values_that_are_not_listed_are_multiples_of_the_familys_own():
    own = {"step_size": 1e-3, "inverse_temperature": 144.7648, "localization": 10.0}
    grid = values(SettingsSweep(localization=[5, 1]), own)
    assert grid["localization"] == [1, 5]
    assert grid["step_size"] == [2.5e-4, 1e-3, 4e-3]
    assert grid["inverse_temperature"] == [14.5, 48.3, 144.7648, 434.0, 1450.0]
    assert values(SettingsSweep(), own | {"localization": 0.0})["localization"] == [0.0]
    assert all(1 in factors for factors in FACTORS.values())


def test_every_cell_has_the_value_of_the_quadratic(swept):
    content = read_json(swept.folder / "sweep.json")
    arrays = sweep_page.read_arrays(swept.folder / "sweep.npz")
    cells = [tuple(cell[name] for name in GRID) for cell in content["cells"]]
    assert cells == list(product(*GRID.values()))
    for place, (step, n_beta, gamma) in enumerate(cells):
        stiffness = n_beta * CURVATURE + gamma
        exact = n_beta * CURVATURE / (2 * stiffness * (1 - step * stiffness / 4))
        found = sweep_page.estimate("", place, content, arrays)
        assert found.mean[-1] == pytest.approx(exact, abs=4 * found.standard_error[-1])
        assert found.standard_error[-1] < 0.1 * exact


def test_a_step_that_is_too_long_for_a_cell_fails_there(swept):
    content = read_json(swept.folder / "sweep.json")
    biases = {tuple(cell[name] for name in GRID): cell["stability"]["whole_bias"] for cell in content["cells"]}
    assert biases[0.01, 30.0, 0.5] < 0.05 < biases[0.02, 300.0, 0.5]


def test_the_page_recommends_the_cell_that_the_localisation_decides_least(swept):
    page = (swept.folder / "sweep.html").read_text()
    headline = re.search(r'<p class="headline">(.*?)</p>', page, re.DOTALL)[1]
    assert "Recommended: ε = 0.01" in headline and "γ = 0.5." in headline and "cells pass" in headline
    yaml = re.search(r"<pre><code>(.*?)</code></pre>", page, re.DOTALL)
    assert yaml and "sampler: {kind: sgld, step_size: 0.01}" in yaml[1] and "localization: 0.5" in yaml[1]
    assert "step too long (2 of 2)" in page and "would do" in page
    assert page.count('"type":"heatmap"') == 2 * 2 * 2, "two layers, two steps, two checkpoints"


def test_a_sweep_that_is_there_is_not_sampled_again(swept, base):
    path = swept.folder / "sweep.json"
    path.write_text(path.read_text().replace('"components"', '"marked": 1, "components"'))
    sweep_cells.run(job(base, "sweep_cells", sampler=SAMPLER, checkpoints=3, sweep=GRID))
    assert "marked" in read_json(path)
    sweep_cells.run(job(base, "sweep_cells", sampler=SAMPLER, checkpoints=3, sweep=GRID | {"localization": [1.0]}))
    assert "marked" not in read_json(path) and len(read_json(path)["cells"]) == 4


def test_where_no_cell_passes_the_page_says_what_to_change(base):
    own = job(base, "sweep_cells", sampler=SAMPLER, checkpoints=3, sweep=GRID | {"inverse_temperature": [300.0]})
    write_json(own.folder / "calibration.json", CALIBRATION | {"draws": 400, "burn_in": 100})
    sweep_cells.run(own)
    sweep_page.run(job(base, "sweep_page"))
    page = (own.folder / "sweep.html").read_text()
    headline = re.search(r'<p class="headline">(.*?)</p>', page, re.DOTALL)[1]
    assert headline.startswith("No cell passes, so no set is recommended. Nearest is ε = 0.01, nβ = 300")
    assert re.search(r"bias λ̂ by \d+%: step_size 0\.00\d+ would do", headline)
    assert "These keys are those of the nearest cell" in page and "has these settings already" not in page
