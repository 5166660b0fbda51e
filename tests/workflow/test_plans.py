"""Test what an edit reruns: dry runs of the small study, all of whose jobs Snakemake has recorded as done."""

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from small_study import ROOT, Study, make_study

PAGES = {"run_pages": 1, "family_page": 1, "index_page": 1}
BELOW_SAMPLE = {"estimate": 1, "detect": 1, "consensus": 1, **PAGES}
EVERYTHING = {
    "train": 2,
    "calibrate": 2,
    "sample": 2,
    "sensitivity": 2,
    "estimate": 2,
    "observe": 2,
    "detect": 2,
    "consensus": 2,
    "run_pages": 2,
    "family_page": 2,
    "index_page": 1,
}

NEW_FAMILY = """\
  pentagon:
    task: {kind: sparse_features, features: 5, examples: 50}
    model: {kind: superposition}
    training: {optimizer: {name: sgd, learning_rate: 0.05}, steps: 20}
    checkpoints: {linear: 8}
"""


@pytest.fixture
def copied(recorded: Study, tmp_path: Path) -> Study:
    """A copy of the study whose jobs are recorded as done, to be changed."""
    return Study(shutil.copytree(recorded.folder, tmp_path / "study"))


def test_a_new_study_runs_everything(tmp_path):
    assert make_study(tmp_path).planned() == EVERYTHING


@pytest.mark.end_to_end
def test_a_second_config_file_is_not_merged():
    given = ["--dry-run", "--configfile", "studies/text.yaml"]
    done = Study(ROOT).without_jobs(*given)
    assert done.returncode and "give --replace-workflow-config" in done.stdout
    whole = Study(ROOT).without_jobs(*given, "--replace-workflow-config")
    assert not whole.returncode and "induction" not in whole.stdout


def test_a_finished_study_runs_nothing(finished):
    assert finished.planned() == {}


def test_a_family_is_a_target(tmp_path):
    planned = make_study(tmp_path).planned("toy")
    assert planned.pop("toy") == 1
    assert planned == {rule: 1 for rule in EVERYTHING if rule != "index_page"}


@pytest.mark.end_to_end
def test_a_new_seed_runs_its_block_and_pages(copied):
    copied.edit("seeds: [0, 1]", "seeds: [0, 1, 2]")
    # The calibration, made on the first seed of the block, is made again as it was, so that nothing is sampled anew.
    assert copied.planned() == {"train": 1, "calibrate": 1, "sensitivity": 1, "sample": 1, "observe": 1, **BELOW_SAMPLE}


@pytest.mark.end_to_end
def test_a_new_family_runs_alone(copied):
    path = copied.folder / "config.yaml"
    path.write_text(path.read_text() + NEW_FAMILY)
    assert copied.planned() == dict.fromkeys(EVERYTHING, 1)


def test_sampler_settings_retrain_nothing(copied):
    copied.edit("draws: 20", "draws: 30")
    assert copied.planned() == {"calibrate": 1, "sensitivity": 1, "sample": 1, **BELOW_SAMPLE}


def test_an_edit_is_seen_where_the_records_of_snakemake_were_left_behind(finished, tmp_path):
    study = Study(shutil.copytree(finished.folder, tmp_path / "study", ignore=shutil.ignore_patterns(".snakemake")))
    assert study.planned() == {}
    study.edit("draws: 20", "draws: 25")
    planned = study.planned()
    assert planned["sample"] == 1 and "train" not in planned


def test_sensitivity_may_be_left_out(copied):
    copied.edit(
        "sampler: {kind: sgld, step_size: 1e-3}, chains: 2", "sampler: {kind: sgld, step_size: 1e-3}, sensitivity: off, chains: 2"
    )
    # The pages know one panel less; nothing is sampled.
    planned = copied.planned()
    assert not {"train", "calibrate", "sensitivity"} & set(planned) and planned["run_pages"] == 1


def test_settings_of_a_sweep_rerun_nothing_and_a_sweep_runs_alone(copied):
    copied.edit("step_size: 1e-3}, chains: 2", "step_size: 1e-3}, sweep: {localization: [1, 10]}, chains: 2")
    assert copied.planned() == {}
    assert copied.planned("results/toy/base/sweep.html") == {"sweep_cells": 1, "sweep_page": 1}


def test_a_posterior_is_sampled_beside_what_is_there(copied):
    copied.edit("  toy:\n", "  toy:\n    phases: {}\n")
    assert copied.planned() == {"phases": 1, "family_page": 1, "index_page": 1}


def test_the_way_transitions_are_found_estimates_nothing(copied):
    copied.edit(
        "checkpoints: {linear: 9}\n    llc: {sampler",
        "checkpoints: {linear: 9}\n    transitions: {alpha: 0.01}\n    llc: {sampler",
    )
    assert copied.planned() == {"detect": 1, "consensus": 1, **PAGES}


def test_a_description_rewrites_pages_only(copied):
    copied.edit("  toy:\n", "  toy:\n    description: words\n")
    assert copied.planned() == PAGES


def test_order_comments_and_touched_files_run_nothing(copied):
    copied.edit("{kind: sparse_features, examples: 50}", "{examples: 50, kind: sparse_features}  # the same")
    for name in ("config.yaml", "corpus.txt"):
        os.utime(copied.folder / name)
    assert copied.planned() == {}


def test_an_edited_corpus_reruns_the_family_that_reads_it(copied):
    path = copied.folder / "corpus.txt"
    path.write_text(path.read_text() + "\nand one more line")
    planned = copied.planned()
    assert planned == dict.fromkeys(EVERYTHING, 1)


@pytest.fixture
def own_code(copied: Study, tmp_path: Path) -> Study:
    """The study under a copy of the code, which tests may edit."""
    code = tmp_path / "code"
    for name in ("src", "workflow"):
        shutil.copytree(ROOT / name, code / name)
    shutil.copy(ROOT / "Snakefile", code)
    (code / "config.yaml").write_text("{}")
    return replace(copied, code=code)


def append(study: Study, module: str, text: str) -> None:
    with (study.code / "src" / "ontogeny" / module).open("a") as file:
        file.write(text)


def test_comments_in_the_code_and_touching_it_run_nothing(own_code):
    append(own_code, "training/loop.py", "\n# nothing new\n")
    os.utime(own_code.code / "src" / "ontogeny" / "estimates/llc.py")
    assert own_code.planned() == {}


def jobs(*kinds: str) -> dict[str, int]:
    """All jobs of some kinds in the small study."""
    return {kind: EVERYTHING[kind] for kind in kinds}


PAGES_ALONE = jobs("run_pages", "family_page", "index_page")
DETECT_AND_BELOW = jobs("detect", "consensus") | PAGES_ALONE
ESTIMATE_AND_BELOW = jobs("estimate") | DETECT_AND_BELOW


@pytest.mark.parametrize(
    ("module", "planned"),
    [
        ("training/loop.py", EVERYTHING),
        ("sampling/chains.py", jobs("calibrate", "sample", "sensitivity") | ESTIMATE_AND_BELOW),
        ("estimates/llc.py", ESTIMATE_AND_BELOW),
        ("observables/polygons.py", jobs("observe") | DETECT_AND_BELOW),
        ("transitions/consensus.py", jobs("consensus") | PAGES_ALONE),
        ("models/transformer.py", dict.fromkeys(EVERYTHING, 1)),
        ("pictures/features.py", jobs("observe") | DETECT_AND_BELOW),
        ("report/pictures/features.py", PAGES_ALONE),
        ("report/templates/run.html", PAGES_ALONE),
    ],
)
def test_an_edit_of_the_code_reruns_its_job_and_those_below(own_code, module, planned):
    append(own_code, module, "\nEDITED = True\n")
    assert own_code.planned() == planned


@pytest.mark.parametrize(
    ("module", "old", "new", "planned"),
    [
        ("transitions/interventions.py", "JUMP = 0.2", "JUMP = 0.25", DETECT_AND_BELOW),
        ("estimates/verdicts.py", "LARGEST_R_HAT = 1.1", "LARGEST_R_HAT = 1.05", ESTIMATE_AND_BELOW),
        ("sampling/kernels/rmsprop_sgld.py", "decay: float = 0.999", "decay: float = 0.998", {}),
        ("estimates/information.py", "rtol=1e-6", "rtol=1e-5", ESTIMATE_AND_BELOW),
        ("transitions/detection/search.py", "MOST_PASSAGES = 12", "MOST_PASSAGES = 13", DETECT_AND_BELOW),
        ("observables/loss.card.yaml", "title: held-out loss", "title: loss on held-out examples", PAGES_ALONE),
        ("observables/attention.card.yaml", "reaches: 0.3", "reaches: 0.4", DETECT_AND_BELOW),
    ],
)
def test_an_edit_costs_what_it_is_worth(own_code, module, old, new, planned):
    path = own_code.code / "src" / "ontogeny" / module
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert own_code.planned() == planned


def test_a_wrong_config_stops_before_any_job(tmp_path):
    study = make_study(tmp_path)
    study.edit("steps: 200", "steps: -1")
    study.edit("heads: 2", "heads: 3")
    done = study.without_jobs()
    assert done.returncode != 0
    told = done.stdout
    assert "families.toy.training.steps is -1: must be at least 1" in told
    assert "families.induction.model: width (8) must be a multiple of heads (3)" in told
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("text", "words"), [("a: " + "[" * 1000 + "]" * 1000, "nested too deeply"), (None, "No such file")], ids=("deep", "missing")
)
def test_a_config_that_cannot_be_read_is_told_in_a_line(tmp_path, text, words):
    if text:
        (tmp_path / "config.yaml").write_text(text)
    done = Study(tmp_path).without_jobs("--dry-run")
    output = done.stdout
    assert done.returncode and f"config.yaml: {'not YAML' if text else 'cannot be read'}" in output and words in output
    assert "Traceback" not in output


def test_the_workflow_passes_lint_but_for_environments():
    found = set(re.findall(r"^ +\* (.*):$", Study(ROOT).without_jobs("--lint").stdout, flags=re.MULTILINE))
    assert found == {"Specify a conda environment or container for each rule."}


def test_trajectories_along_a_swept_key_are_one_job_of_the_family(tmp_path):
    study = make_study(tmp_path)
    study.edit(
        "  toy:\n    task: {kind: sparse_features, examples: 50}\n",
        "  toy:\n    sweep: {task.examples: [20, 30, 40]}\n    along: task.examples\n    task: {kind: sparse_features}\n",
    )
    planned = study.planned("toy")
    assert planned["along"] == planned["family_page"] == 1
    assert planned["detect"] == planned["train"] == 3
