"""`ontogeny sweep` in a finished study: it samples the grid, writes the page, and runs nothing else."""

import json
import subprocess
import sys

import pytest
from small_study import ROOT, Study

from ontogeny.__main__ import main
from ontogeny.commands import sweep


def run(study: Study, *arguments: str) -> subprocess.CompletedProcess[str]:
    options = ["--snakefile", str(ROOT / "Snakefile"), "--cores", "1", "--workflow-profile", "none"]
    command = [sys.executable, "-m", "ontogeny", "sweep", *arguments, *options]
    return subprocess.run(command, cwd=study.folder, capture_output=True, text=True, timeout=600)


@pytest.mark.end_to_end
def test_a_sweep_of_a_family_with_components_writes_its_page_and_runs_nothing_else(copied):
    copied.edit("refine: {components: [layers.0.heads.*]}}", "refine: {components: [layers.0.heads.*]}, sweep: SWEEP}")
    copied.edit("SWEEP", "{step_size: [1e-3, 1e-2], inverse_temperature: [10], localization: [1, 10]}")
    folder = copied.folder / "results" / "induction" / "base"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    done = run(copied, "induction")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The sweep is done. Open results/induction/base/sweep.html" in done.stdout + done.stderr
    content = json.loads((folder / "sweep.json").read_text())
    assert content["components"] == ["", "layers.0.heads.0", "layers.0.heads.1"] and len(content["cells"]) == 4
    page = (folder / "sweep.html").read_text()
    assert "λ̂ of layers.0.heads.1" in page and 'href="../report.html"' in page
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert copied.planned() == {} and copied.planned("results/induction/base/sweep.html") == {}


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "config.yaml").read_text()
    (tmp_path / "config.yaml").write_text(text)
    return tmp_path / "config.yaml"


def test_the_page_is_that_of_the_first_variant_or_of_the_one_named(config):
    assert sweep.page_of(config, "induction", None) == "results/induction/layers~1/sweep.html"
    assert sweep.page_of(config, "induction", "layers~2") == "results/induction/layers~2/sweep.html"


def test_a_family_or_variant_that_is_not_there_is_told(config, capsys):
    assert main(["sweep", "induktion"]) == 1
    assert "The study has no family 'induktion'. Did you mean induction?" in capsys.readouterr().err
    assert main(["sweep", "induction", "--variant", "layers~3"]) == 1
    assert "induction has no variant 'layers~3'. It has layers~1, layers~2." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ("{step_size: [0]}", "families.induction.llc.sweep.step_size.0 is 0: must be greater than 0"),
        ("{localization: [-1]}", "families.induction.llc.sweep.localization.0 is -1: must be at least 0"),
        ("{localization: []}", "families.induction.llc.sweep.localization is []: must be of length 1 or more"),
        ("{inverse_temperature: [3, 3.0]}", "inverse_temperature lists 3 twice"),
        ("{gamma: [1]}", "families.induction.llc.sweep.gamma is [1]: no such key"),
    ],
)
def test_a_wrong_grid_stops_before_any_job(config, capsys, section, fault):
    config.write_text(config.read_text().replace("localization: 100", f"localization: 100\n      sweep: {section}"))
    assert main(["sweep", "superposition"]) == 1
    assert fault in capsys.readouterr().err


def test_options_of_snakemake_go_through(config):
    given = sweep.argparse.Namespace(family="superposition", variant=None, configfile=sweep.CONFIG)
    page = "results/superposition/base/sweep.html"
    assert sweep.snakemake_options(given, ["--cores", "1"]) == [page, "--snakefile", str(ROOT / "Snakefile"), "--cores", "1"]
    assert sweep.snakemake_options(given, ["--snakefile", "S", "-n"]) == [page, "--cores", "all", "--snakefile", "S", "-n"]
