"""Blocks of seeds and what each stage's specification depends on."""

import copy
import json
import re
from pathlib import Path

import pytest

from ontogeny.config.job_names import JOBS
from ontogeny.config.reading import validate_study
from ontogeny.pipeline.plan import SPECIFICATIONS, Plan, blocks

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


def test_every_stage_has_a_module_a_specification_and_a_rule():
    root = Path(__file__).parents[2]
    rules = {name for file in root.glob("workflow/rules/*.smk") for name in re.findall(r"^rule (\w+):", file.read_text(), re.M)}
    assert set(JOBS) == set(SPECIFICATIONS) == rules
    assert all((root / "src" / "ontogeny" / "jobs" / f"{stage}.py").is_file() for stage in JOBS)


def plan(change=lambda family: None):
    raw = copy.deepcopy(RAW)
    change(raw["families"]["toy"])
    return Plan(*validate_study(raw, Path("config.yaml")), Path())


def specifications(made):
    first = blocks(made.variants[0])[0].name
    return {stage: made.specification(stage, "toy", "base", first) for stage in SPECIFICATIONS}


def changed(change):
    before, after = specifications(plan()), specifications(plan(change))
    return {stage for stage in before if before[stage] != after[stage]}


def test_blocks_are_aligned():
    found = blocks(plan().variants[0])
    assert [(block.name, block.seeds) for block in found] == [("seeds~0-7", (0, 1)), ("seeds~8-15", (9,))]
    assert found[0].lanes == tuple(range(8))


def test_a_bigger_model_has_a_job_for_each_seed():
    found = blocks(plan(lambda family: family.update(seeds_per_job=1)).variants[0])
    assert [block.name for block in found] == ["seed~0", "seed~1", "seed~9"]


@pytest.mark.parametrize(
    ("change", "stages"),
    [
        (lambda family: family.update(llc={"draws": 7}), {"calibrate", "sample", "run_pages"}),
        (lambda family: family.update(llc={"per_example": {}}), {"sample", "run_pages"}),
        (lambda family: family.update(llc={"refine": {"data": {"other": {"seed": 1}}}}), {"sample", "run_pages"}),
        (lambda family: family.update(observables=["loss"]), {"observe", "run_pages"}),
        (lambda family: family.update(transitions={"alpha": 0.01}), {"detect", "run_pages"}),
        (lambda family: family.update(phases={}), {"phases", "family_page"}),
        (lambda family: family.update(description="words"), {"run_pages", "family_page", "index_page"}),
        (lambda family: family["checkpoints"].update(linear=3), {"train", "calibrate", "run_pages"}),
        (lambda family: family["task"].update(seed=1), {"train", "calibrate", "sample", "observe", "run_pages"}),
        (lambda family: family.update(seeds=[0, 1]), {"consensus", "run_pages", "family_page", "index_page"}),
        (lambda family: family.update(seeds=[0, 1, 2, 9]), set(SPECIFICATIONS) - {"calibrate", "phases"}),
    ],
)
def test_a_stage_depends_on_what_it_reads_and_no_more(change, stages):
    assert changed(change) == stages


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
    assert {stage for stage in before if before[stage] != after[stage]} == {"sample"}


def test_specifications_are_json():
    for text in specifications(plan(lambda family: family.update(phases={}))).values():
        assert json.loads(text)["code"]
