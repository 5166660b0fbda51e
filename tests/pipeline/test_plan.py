"""Blocks of seeds, the table of jobs, and what each job's specification depends on."""

import copy
import json
import re
from pathlib import Path

import pytest

from ontogeny.config.job_names import JOBS, KINDS, ON_REQUEST
from ontogeny.config.reading import validate_study
from ontogeny.pipeline.plan import Plan, blocks
from ontogeny.pipeline.specifications import PARTS

RAW = {
    "seeds": [0, 1, 9],
    "families": {
        "toy": {
            "task": {"kind": "sparse_features"},
            "model": {"kind": "superposition"},
            "training": {"optimizer": {"name": "sgd", "learning_rate": 0.1}, "steps": 10},
            "checkpoints": {"linear": 2},
        }
    },
}


MEASURING = {"train", "calibrate", "sample", "sensitivity", "sweep_cells", "observe"}


def test_every_kind_of_job_has_a_module_a_rule_and_parts():
    root = Path(__file__).parents[2]
    rules = {name for file in root.glob("workflow/rules/*.smk") for name in re.findall(r"^rule (\w+):", file.read_text(), re.M)}
    assert set(KINDS) == rules
    assert all((root / "src" / "ontogeny" / "jobs" / f"{name}.py").is_file() for name in KINDS)
    assert {part for kind in JOBS for part in kind.reads} == set(PARTS)
    earlier: set[str] = set()
    for kind in JOBS:  # in order: what a kind needs stands above it
        assert earlier.issuperset(kind.needs)
        earlier.add(kind.name)


def plan(change=lambda family: None):
    raw = copy.deepcopy(RAW)
    change(raw["families"]["toy"])
    return Plan(*validate_study(raw, Path("config.yaml")), Path())


def specifications(made):
    first = blocks(made.variants[0])[0].name
    return {kind: made.specification(kind, "toy", "base", first) for kind in KINDS}


def changed(change):
    before, after = specifications(plan()), specifications(plan(change))
    return {kind for kind in before if before[kind] != after[kind]}


def test_no_job_needs_what_runs_on_request_only():
    assert not [kind.name for kind in JOBS if kind.name not in ON_REQUEST and set(kind.needs) & set(ON_REQUEST)]


def test_blocks_are_aligned():
    found = blocks(plan().variants[0])
    assert [(block.name, block.seeds) for block in found] == [("seeds~0-7", (0, 1)), ("seeds~8-15", (9,))]
    assert found[0].lanes == tuple(range(8))


def test_a_bigger_model_has_a_job_for_each_seed():
    found = blocks(plan(lambda family: family.update(seeds_per_job=1)).variants[0])
    assert [block.name for block in found] == ["seed~0", "seed~1", "seed~9"]


@pytest.mark.parametrize(
    ("change", "jobs"),
    [
        (lambda family: family.update(llc={"draws": 7}), {"calibrate", "sample", "sensitivity", "sweep_cells", "run_pages"}),
        (lambda family: family.update(llc={"per_example": {}}), {"sample", "run_pages"}),
        (lambda family: family.update(llc={"sweep": {"localization": [1, 10]}}), {"sweep_cells"}),
        (lambda family: family.update(llc={"refine": {"components": ["W"]}}), {"sample", "sweep_cells", "run_pages"}),
        (lambda family: family.update(llc={"refine": {"data": {"other": {"seed": 1}}}}), {"sample", "run_pages"}),
        (lambda family: family.update(observables=["loss"]), {"observe", "run_pages"}),
        (lambda family: family.update(transitions={"alpha": 0.01}), {"detect", "run_pages"}),
        (lambda family: family.update(phases={}), {"phases", "family_page"}),
        (lambda family: family.update(description="words"), {"run_pages", "family_page", "index_page"}),
        (
            lambda family: family["checkpoints"].update(linear=3),
            {"train", "calibrate", "sensitivity", "sweep_cells", "run_pages"},
        ),
        (lambda family: family["task"].update(seed=1), {*MEASURING, "run_pages"}),
        (lambda family: family.update(seeds=[0, 1]), {"sensitivity", "consensus", "run_pages", "family_page", "index_page"}),
        (lambda family: family.update(seeds=[0, 1, 2, 9]), set(KINDS) - {"calibrate", "phases", "along", *ON_REQUEST}),
    ],
)
def test_a_job_depends_on_what_it_reads_and_no_more(change, jobs):
    assert changed(change) == jobs


def test_what_cards_say_of_observables_stands_behind_what_the_family_says():
    own = {"least_changes": {"accuracy": 0.2, "mine": 1.0}, "not_searched": ["mine"]}
    section = json.loads(specifications(plan(lambda family: family.update(transitions=own)))["detect"])["transitions"]
    assert section["least_changes"].items() >= {"accuracy": 0.2, "mine": 1.0, "prefix_matching_score": 0.05}.items()
    first, *of_cards = section["not_searched"]
    assert first == "mine" and {"copying_score_over_chance", "known_llc"} <= set(of_cards)
    assert len(of_cards) == len(set(of_cards))


def test_the_order_of_keys_does_not_matter():
    turned = {"families": {"toy": dict(reversed(RAW["families"]["toy"].items()))}, "seeds": RAW["seeds"]}
    assert specifications(Plan(*validate_study(turned, Path("config.yaml")), Path())) == specifications(plan())


def test_a_users_file_is_part_of_the_specification(tmp_path):
    path = tmp_path / "mine.py"

    def specification():
        raw = copy.deepcopy(RAW)
        raw["families"]["toy"]["model"] = {"kind": "mine.py:Net"}
        made = Plan(*validate_study(raw, tmp_path / "config.yaml"), tmp_path)
        return made.specification("train", "toy", "base", blocks(made.variants[0])[0].name)

    path.write_text("class Net: size = 1")
    before = specification()
    path.write_text("class Net: size = 1  # a comment")
    assert specification() == before
    path.write_text("class Net: size = 2")
    assert specification() != before


def test_only_sampling_depends_on_files_of_other_data(tmp_path):
    path = tmp_path / "code.txt"

    def found():
        raw = copy.deepcopy(RAW)
        raw["families"]["toy"] |= {"task": {"kind": "text"}, "model": {"kind": "transformer"}, "seeds_per_job": 8}
        raw["families"]["toy"]["llc"] = {"refine": {"data": {"code": {"corpus": "code.txt"}}}}
        return specifications(Plan(*validate_study(raw, tmp_path / "config.yaml"), tmp_path))

    path.write_text("one")
    before = found()
    path.write_text("other")
    after = found()
    assert {kind for kind in before if before[kind] != after[kind]} == {"sample"}


@pytest.mark.parametrize("line", ["# other", 'print "Python 2"'])
def test_a_corpus_of_python_files_is_read_as_text(tmp_path, line):
    path = tmp_path / "code.py"

    def found():
        raw = copy.deepcopy(RAW)
        raw["families"]["toy"] |= {"task": {"kind": "text", "corpus": "*.py"}, "model": {"kind": "transformer"}}
        return specifications(Plan(*validate_study(raw, tmp_path / "config.yaml"), tmp_path))

    path.write_text("x = 1\n")
    before = found()
    path.write_text(f"x = 1\n{line}\n")
    after = found()
    assert {job for job in before if before[job] != after[job]} == MEASURING


def test_specifications_lie_beside_the_logs_of_their_jobs():
    made = plan(lambda family: family.update(phases={}))
    block = blocks(made.variants[0])[0].name
    names = {"train": ("toy", "base", block), "calibrate": ("toy", "base"), "family_report": ("toy",), "index": ()}
    assert {stage: made.specification_file(stage, *names[stage]) for stage in names} == {
        "train": f"toy/base/jobs/{block}/train.specification.json",
        "calibrate": "toy/base/jobs/calibrate.specification.json",
        "family_report": "toy/family_report.specification.json",
        "index": "report/index.specification.json",
    }


def test_specifications_are_json():
    for text in specifications(plan(lambda family: family.update(phases={}))).values():
        assert json.loads(text)["code"]
