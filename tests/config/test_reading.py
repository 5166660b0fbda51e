"""config.yaml: every fault is found at once, with its path, its value and what is allowed."""

import copy
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter

from ontogeny import config
from ontogeny.config import Text
from ontogeny.config.llc import LocalLearningCoefficient
from ontogeny.config.reading import ConfigError, read_study, validate_study, variant_name

SMALL = {
    "families": {
        "small": {
            "task": {"kind": "sparse_features"},
            "model": {"kind": "superposition"},
            "training": {"optimizer": {"name": "sgd", "learning_rate": "1e-2"}, "steps": 10},
            "checkpoints": {"linear": 2},
        }
    }
}


def small(**changes):
    """The small study with dotted keys of its family changed; None removes one."""
    raw = copy.deepcopy(SMALL)
    for dotted, value in changes.items():
        *path, last = dotted.split("__")
        section = raw["families"]["small"]
        for key in path:
            section = section.setdefault(key, {})
        if value is None:
            del section[last]
        else:
            section[last] = value
    return raw


def fault(raw, base=Path("config.yaml")):
    with pytest.raises(ConfigError) as caught:
        validate_study(raw, base)
    return str(caught.value)


def test_seeds_of_the_study_that_are_none():
    assert "seeds.0 is [1]: must be a whole number" in fault({**SMALL, "seeds": [[1]]})


def test_numbers_that_yaml_reads_as_text():
    study, _ = validate_study(small(), Path("config.yaml"))
    assert study.families["small"].training.optimizer.learning_rate == 0.01


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"training__steps": 0}, "families.small.training.steps is 0: must be at least 1"),
        ({"training__stepz": 5}, "families.small.training.stepz is 5: no such key; did you mean steps?"),
        ({"training__pace": 5}, "training.pace is 5: no such key; allowed are optimizer, steps, batch_size, clip, warmup"),
        ({"llc__sampler": {"kind": "sghmc", "fricton": 1}}, "llc.sampler.fricton is 1: no such key; did you mean friction?"),
        ({"model__start": {"polygn": 4}}, "model.start.polygn is 4: no such key; did you mean polygon?"),
        ({"sweep": {"training.stepz": [5]}}, "training.stepz is 5: no such key; did you mean steps? (in stepz~5)"),
        ({"training__steps": "many"}, "families.small.training.steps is 'many': must be a whole number"),
        ({"training__steps": None}, "families.small.training.steps is missing: it has no default"),
        (
            {"task__kind": "sparse"},
            "families.small.task.kind is 'sparse': must be one of in_context_regression, linear_blocks, linear_teacher, "
            "markov_chains, modular_addition, polynomial, sparse_features, sparse_points, text, path",
        ),
        ({"task": {"features": 5}}, "families.small.task.kind is missing: must be one of in_context_regression, linear_blocks"),
        ({"task__active": "two"}, "families.small.task.active is 'two': must be 'one'"),
        ({"training__optimizer__learning_rate": "fast"}, "learning_rate is 'fast': must be a number, or a mapping of keys"),
        ({"training__optimizer__name": "sdg"}, "Optax has no optimizer called 'sdg'"),
        ({"training__optimizer__b1": 0.9}, "sgd takes no b1"),
        ({"llc__chains": 1}, "families.small.llc.chains is 1: must be at least 2"),
        ({"llc__burn_in": -5}, "families.small.llc.burn_in is -5: must be at least 0, or 'auto'"),
        ({"llc__burn_in": "soon"}, "families.small.llc.burn_in is 'soon': must be a whole number, or 'auto'"),
        ({"llc__burn_in": [1]}, "families.small.llc.burn_in is [1]: must be a whole number, or 'auto'"),
        ({"llc__sampler": {"step_size": 0}}, "llc.sampler.step_size is 0: must be greater than 0, or 'auto'"),
        (
            {"llc__sampler": {"kind": "nuts"}},
            "llc.sampler.kind is 'nuts': must be one of sgld, rmsprop_sgld, sghmc, sgnht, mala",
        ),
        (
            {"llc__sampler": {"kind": "sghmc", "friction": 2}},
            "llc.sampler.friction is 2: must be at most 1",
        ),
        ({"phases__particles": 5}, "families.small.phases.particles is 5: must be at least 100"),
        (
            {"phases": {}, "task": {"kind": "text"}, "model": {"kind": "transformer"}},
            "phases needs an exact population loss: task.kind is 'text'; allowed is sparse_features",
        ),
        ({"phases": {}, "model__hidden": 3}, "model.hidden is 3; allowed is 2"),
        ({"phases": {}, "task__features": 40}, "at most 30 parameters: task.features is 40; allowed are 2 to 10"),
        ({"llc": {"sampler": {"kind": "mala"}, "batch_size": 10}}, "families.small.llc: sampler mala takes the full batch"),
        ({"llc__refine": {"components": []}}, "llc.refine: give at least one of components, data"),
        ({"llc__refine": {}}, "families.small.llc.refine: give at least one of components, data"),
        ({"llc__refine": {"data": {"a b": {"seed": 1}}}}, "llc.refine.data.a b"),
        ({"llc__refine": {"data": {"other": {}}}}, "llc.refine.data.other is {}: it says no key of the task that differs"),
        (
            {"llc__refine": {"data": {"other": {"features": 5}}}},
            "llc.refine.data.other.features is 5: data for the same network may differ in examples, seed",
        ),
        ({"llc__refine": {"data": {"other": {"examples": 1}}}}, "llc.refine.data.other.examples is 1: must be at least 2"),
        (
            {"llc": {"batch_size": 50, "refine": {"data": {"other": {"examples": 40}}}}},
            "llc.batch_size (50) is larger than llc.refine.data.other.examples (40)",
        ),
        (
            {"llc__per_example": {"examples": 0}},
            "per_example.examples is 0: must be at least 1, or 'all'",
        ),
        ({"llc__per_example": {"examples": 2000}}, "llc.per_example.examples (2000) is larger than task.examples (1000)"),
        ({"llc": {"sampler": {"kind": "rmsprop_sgld"}, "burn_in": "auto"}}, "burn_in auto needs a sampler whose step can"),
        ({"llc": {"draws": 500, "per_example": {"every": 501}}}, "llc.per_example.every (501) is larger than llc.draws (500)"),
        ({"llc__batch_size": 2000}, "llc.batch_size (2000) is larger than task.examples (1000)"),
        ({"checkpoints": {}}, "families.small.checkpoints: give at least one of linear, logarithmic, every"),
        ({"model": {"kind": "transformer"}}, "model transformer needs a task with context, vocabulary; this task has features"),
        ({"observables": ["polygon"]}, "observables.0 is 'polygon': must be accuracy, attention, coefficients"),
        ({"model__kind": "mine.py:Net"}, "families.small.model.kind is 'mine.py:Net': no such file: mine.py"),
        ({"seeds": []}, "families.small.seeds is []"),
        ({"seeds": [0, "a"]}, "families.small.seeds.1 is 'a': must be a whole number"),
        ({"seeds": {"a": 1}}, "families.small.seeds: must be a list"),
        ({"sweep": {1: [1]}}, "families.small.sweep.1 (the key): must be text"),
        ({"model": "superposition"}, "families.small.model is 'superposition': must be a mapping such as {kind: …}"),
        (
            {"transitions": {"interventions": {10**9: "the data changed"}}},
            "transitions.interventions.1000000000 is later than the last step, training.steps (",
        ),
        ({"transitions": {"interventions": {"late": "the data changed"}}}, "families.small.transitions.interventions.late"),
        ({"training__batch_size": 2000}, "training.batch_size (2000) is larger than task.examples (1000)"),
    ],
)
def test_a_fault_is_told_with_its_path(changes, expected):
    assert expected in fault(small(**changes))


def test_a_key_that_stands_twice_is_refused_with_its_line(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("seeds: [0]\nfamilies:\n  one: &one {task: 1}\n  one: {<<: *one}\n")
    with pytest.raises(ConfigError, match=r"(?s)the key one stands twice.*line 3"):
        read_study(path)


def test_all_faults_are_told_at_once():
    raw = small(training__steps=0, task__examples=1)
    raw["families"]["report"] = SMALL["families"]["small"]
    told = fault(raw)
    assert "training.steps is 0" in told and "task.examples is 1" in told and "'report' is a name of the workflow" in told


def test_a_family_may_be_called_like_one_of_its_keys():
    raw = {"families": {"task": {**SMALL["families"]["small"], "training": {"steps": 0}}}}
    assert "families.task.training.steps is 0" in fault(raw)


def test_a_schedule_that_is_wrong_is_told_alone():
    told = fault(small(training__optimizer__learning_rate={"name": "cosine"}))
    assert told.count("\n") == 1 and "learning_rate: Optax has no schedule called 'cosine'" in told


@pytest.mark.parametrize("path", ["phases", "llc.refine", "llc.per_example", "model.start"])
def test_an_empty_section_is_a_fault_and_null_in_a_sweep_is_none(path):
    raw = small(llc={})
    section = raw["families"]["small"]
    *above, last = path.split(".")
    for key in above:
        section = section[key]
    section[last] = None
    assert f"families.small.{path} is null: the section is empty" in fault(raw)
    validate_study(small(sweep={path: [None]}), Path("config.yaml"))


def test_a_fault_in_one_point_of_a_sweep_names_the_point():
    told = fault(small(sweep={"training.steps": [10, 0]}))
    assert "families.small.training.steps is 0: must be at least 1 (in steps~0)" in told
    assert "steps~10" not in told


def test_two_points_of_a_sweep_may_not_share_a_name():
    assert "both called steps~10" in fault(small(sweep={"training.steps": [10, 10]}))


def test_a_missing_corpus(tmp_path):
    raw = small(task={"kind": "text", "corpus": "books/*.txt"}, model={"kind": "transformer"})
    assert f"no file matches {tmp_path}/books/*.txt" in fault(raw, tmp_path / "config.yaml")


def test_a_missing_corpus_of_other_data(tmp_path):
    task, refine = {"kind": "text"}, {"data": {"code": {"corpus": "code/*.py"}, "plain": {"repeat": 0.5}}}
    told = fault(small(task=task, model={"kind": "transformer"}, llc={"refine": refine}), tmp_path / "config.yaml")
    assert f"llc.refine.data.code.corpus is 'code/*.py': no file matches {tmp_path}/code/*.py" in told
    assert told.count("no file matches") == 1


def test_another_corpus_is_read_by_the_vocabulary_of_the_first():
    task = Text(kind="text", corpus="sotu", repeat=0.5)
    other = task.with_changes({"corpus": "python"})
    assert (other.corpus, other.tokenizer_corpus, other.repeat) == ("python", "sotu", 0.5)
    assert other.with_changes({"corpus": "a.txt"}).tokenizer_corpus == "sotu"
    assert task.with_changes({"repeat": 0.0}).tokenizer_corpus is None
    assert Text(kind="text", tokenizer="byte").with_changes({"corpus": "python"}).tokenizer_corpus is None


@pytest.mark.parametrize("tokenizer", ["bpe", "byte"])
def test_a_task_is_the_same_read_back_from_a_specification(tokenizer):
    task = Text(kind="text", tokenizer=tokenizer)
    assert Text.model_validate(task.model_dump(mode="json")) == task


def test_a_name_that_the_users_file_does_not_define(tmp_path):
    (tmp_path / "mine.py").write_text("class Net: ...")
    assert "mine.py defines no Network" in fault(small(model={"kind": "mine.py:Network"}), tmp_path / "config.yaml")


def test_a_users_file_that_is_not_python(tmp_path):
    (tmp_path / "mine.py").write_text("class Net\n")
    assert "mine.py line 1" in fault(small(model={"kind": "mine.py:Net"}), tmp_path / "config.yaml")


@pytest.mark.parametrize(("text", "expected"), [(None, "No such file"), ("a: [1", "not YAML"), ("- 1", "expected keys")])
def test_a_file_that_is_no_config(tmp_path, text, expected):
    path = tmp_path / "config.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=expected):
        read_study(path)


def test_the_variants_of_a_sweep():
    _, variants = validate_study(small(sweep={"training.steps": [10, 20], "task.features": [5, 6]}), Path("config.yaml"))
    assert [variant.name for variant in variants] == [
        "steps~10,features~5",
        "steps~10,features~6",
        "steps~20,features~5",
        "steps~20,features~6",
    ]
    assert [(variant.family.training.steps, variant.family.task.features) for variant in variants] == [
        (10, 5),
        (10, 6),
        (20, 5),
        (20, 6),
    ]


def test_variant_names():
    assert variant_name({}) == "base"
    assert variant_name({"task.sparsity": 0.1, "model.width": 64}) == "sparsity~0.1,width~64"
    assert "/" not in variant_name({"task.corpus": "books/a b.txt"})


def test_the_default_study_is_valid():
    root = Path(__file__).parents[2]
    for path in [root / "config.yaml", *root.glob("studies/*.yaml")]:
        read_study(path)
        assert isinstance(yaml.safe_load(path.read_text())["results"], str)


def test_seeds_keep_their_order():
    _, variants = validate_study(small(seeds=[3, 4, 0, 3]), Path("config.yaml"))
    assert variants[0].seeds == (3, 4, 0)


@pytest.mark.parametrize("refine", [{"components": ["layers.*"]}, {"data": {"other": {"seed": 3}}}])
def test_what_a_job_is_told_can_be_read_back(refine):
    """A specification holds every key with its default, as jobs read it."""
    adapter = TypeAdapter(config.LocalLearningCoefficient)
    section = adapter.validate_python({"refine": refine, "per_example": {}})
    assert adapter.validate_python(adapter.dump_python(section, mode="json")) == section


@pytest.mark.parametrize(
    ("given", "kind", "burn_in"),
    [
        ({}, "sghmc", "auto"),
        ({"batch_size": 5}, "sgnht", "auto"),
        ({"sampler": {"kind": "rmsprop_sgld"}}, "rmsprop_sgld", 200),
        ({"sampler": {"kind": "rmsprop_sgld"}, "burn_in": 7}, "rmsprop_sgld", 7),
    ],
)
def test_the_sampler_and_the_burn_in_are_filled_in(given, kind, burn_in):
    section = LocalLearningCoefficient.model_validate(given)
    assert (section.sampler.kind, section.burn_in) == (kind, burn_in)


@pytest.mark.parametrize(
    ("sweep", "along", "expected"),
    [
        ({"task.examples": [10, 20]}, "task.seed", "along is 'task.seed': must be a key of sweep, which has task.examples"),
        ({}, "task.seed", "along is 'task.seed': must be a key of sweep, which has none"),
        (
            {"task.examples": [10, 20], "task.seed": [0, 1]},
            "task.examples",
            "along is 'task.examples': sweep has task.seed besides; a family that has trajectories along a key sweeps it alone",
        ),
        (
            {"training.optimizer.name": ["sgd", "adam"]},
            "training.optimizer.name",
            "sweep.training.optimizer.name has 'sgd'; along it every value must be a number",
        ),
        ({"task.examples": [10]}, "task.examples", "has 1 values; a trajectory along it needs 2 or more"),
        ({"model.start.noise": [0.1, 0.1]}, "model.start.noise", "every value must be finite and occur once"),
    ],
)
def test_a_key_that_no_trajectory_can_run_along(sweep, along, expected):
    assert f"families.small.along is {along!r}: " in (text := fault(small(sweep=sweep, along=along)))
    assert expected in text


def test_a_key_that_trajectories_run_along_is_no_part_of_a_variant():
    swept = {"task.examples": [40, 50]}
    study, variants = validate_study(small(sweep=swept, along="task.examples"), Path("config.yaml"))
    assert study.families["small"].along == "task.examples"
    assert [variant.family for variant in variants] == [
        variant.family for variant in validate_study(small(sweep=swept), Path("config.yaml"))[1]
    ]
