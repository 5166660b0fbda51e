"""Hostile and oversized configs: each stops with a line of words, soon, and before any job."""

import time
from pathlib import Path

import pytest

from ontogeny.config.limits import LONGEST_NAME
from ontogeny.config.reading import ConfigError, load, read_study, variant_name

STUDY = """\
results: RESULTS
seeds: SEEDS
families:
  small:
    task: {kind: sparse_features}
    model: MODEL
    training: {optimizer: {name: sgd, learning_rate: 1e-2}, steps: STEPS}
    checkpoints: CHECKPOINTS
"""
USUAL = {
    "RESULTS": "results",
    "SEEDS": "[0]",
    "MODEL": "{kind: superposition}",
    "STEPS": "10",
    "CHECKPOINTS": "{linear: 2}",
}


def write(folder: Path, more: str = "", **changes: str) -> Path:
    """Write the small study with some values changed, and lines added to its family; return the file."""
    text = STUDY
    for key, value in (USUAL | changes).items():
        text = text.replace(key, value)
    (folder / "config.yaml").write_text(text + more)
    return folder / "config.yaml"


def fault(file: Path) -> str:
    """Return the message about a study that cannot be run; it must come within seconds."""
    began = time.process_time()
    with pytest.raises(ConfigError) as caught:
        read_study(file)
    assert time.process_time() - began < 10
    return str(caught.value)


@pytest.mark.parametrize(("seeds", "expected"), [("[1e3]", (1000,)), ("[0.0, 1.0]", (0, 1)), ('["3", 3]', (3,))])
def test_seeds_are_whole_numbers_however_they_are_written(tmp_path, seeds, expected):
    _, variants = read_study(write(tmp_path, SEEDS=seeds))
    assert variants[0].seeds == expected and all(type(seed) is int for seed in variants[0].seeds)


@pytest.mark.parametrize(
    ("changes", "more", "expected"),
    [
        ({"CHECKPOINTS": "{every: 1}", "STEPS": "1e9"}, "", "checkpoints asks for 1000000000 of 1000000000 steps; allowed are"),
        ({"CHECKPOINTS": "{linear: 1e9}"}, "", "checkpoints.linear is 1000000000.0: must be at most 10000"),
        ({"CHECKPOINTS": "{logarithmic: 1e9}"}, "", "checkpoints.logarithmic is 1000000000.0: must be at most 10000"),
        ({"STEPS": "3e9"}, "", "training.steps is 3000000000.0: must be at most 2147483647"),
        ({"STEPS": "1" + "0" * 30}, "", "must be at most 2147483647"),
        ({"SEEDS": str(list(range(20_000)))}, "", "must be of length 10000 or less"),
        ({"MODEL": f"{{kind: linear, hidden: {[1] * 2000}}}"}, "", "must be of length 1000 or less"),
        ({}, "    seeds_per_job: 1e9\n", "seeds_per_job is 1000000000.0: must be at most 1024"),
        ({}, f"    llc: {{burn_in: 1{'0' * 400}}}\n", "…: must be at most 2147483647, or 'auto'"),
        (
            {},
            f"    sweep: {{training.steps: {list(range(1, 1001))}, task.seed: {list(range(1000))}}}\n",
            "families.small.sweep makes 1000000 variants: the families of a study make at most 10000",
        ),
        ({}, f"    sweep: {{{', '.join(f'a{i}: [1, 2]' for i in range(2000))}}}\n", "sweep makes more than 10^15 variants"),
        (
            {"SEEDS": str(list(range(9000)))},
            f"    sweep: {{task.seed: {list(range(12))}}}\n",
            "families.small: the study has more than 100000 runs",
        ),
    ],
    ids=(
        "every",
        "linear",
        "logarithmic",
        "steps",
        "more digits",
        "seeds",
        "layers",
        "seeds per job",
        "burn-in",
        "variants",
        "keys of a sweep",
        "runs",
    ),
)
def test_numbers_that_are_too_large_are_refused(tmp_path, changes, more, expected):
    assert expected in fault(write(tmp_path, more, **changes))


def test_a_glob_that_matches_too_many_files_is_refused(tmp_path):
    (tmp_path / "texts").mkdir()
    for number in range(101):
        (tmp_path / "texts" / f"{number}.txt").touch()
        (tmp_path / f"link{number}").symlink_to("texts")
    file = write(tmp_path, MODEL="{kind: transformer}")
    file.write_text(file.read_text().replace("kind: sparse_features", 'kind: text, corpus: "*/*.txt"'))
    assert "corpus is '*/*.txt': more than 10000 files match" in fault(file)


def test_ten_thousand_checkpoints_and_the_first_are_allowed(tmp_path):
    read_study(write(tmp_path, CHECKPOINTS="{every: 1}", STEPS="10000"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: " + "[" * 1000 + "]" * 1000, "nested too deeply"),
        ("a: " + "[" * 150 + "]" * 150, "nested more than 100 levels deep"),
        ("a: &a [*a]", "an alias stands for a value that contains it"),
        ("".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}' if n else '1'] * 9)}]\n" for n in range(8)), "more than 1000000 values"),
        ("a: 1" + "0" * 5000, "a value cannot be read: Exceeds the limit"),
        ("a: !!binary /w==", "values of the kind binary are not allowed"),
        ("a: !!set {b, c}", "values of the kind set are not allowed"),
        ('"l\\e[2J": 1\n"l\\e[2J": 2', r"the key l\x1b[2J stands twice"),
    ],
    ids=("deepest", "deep", "self", "bomb", "digits", "binary", "set", "double"),
)
def test_yaml_that_no_config_needs_is_refused(tmp_path, text, expected):
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "config.yaml")
    assert expected in str(caught.value)


@pytest.mark.parametrize("folder", ['"a{x}b"', r'"a\0b"', r'"a\nb"', r'"\e[31mred"', '"-x"'])
def test_folders_that_snakemake_or_a_terminal_would_misread_are_refused(tmp_path, folder):
    assert "must be a path without braces and control characters" in fault(write(tmp_path, RESULTS=folder))


@pytest.mark.parametrize("below", ["", "/below"])
def test_a_file_is_no_folder_of_results(tmp_path, below):
    (tmp_path / "taken").write_text("")
    assert "taken is a file, not a folder" in fault(write(tmp_path, RESULTS=f"{tmp_path}/taken{below}"))


def test_the_keys_of_a_sweep_are_safe_in_names():
    assert variant_name({"model.a/b": 1, "model.{x}": 2, "model.'\n": "c d"}) == "a-b~1,x~2,~c-d"


def test_long_names_are_cut_and_stay_different():
    names = {variant_name({"task.corpus": "x" * length}) for length in (300, 301, 10)}
    assert len(names) == 3 and all(len(name) <= LONGEST_NAME for name in names) and "corpus~" + "x" * 10 in names


def test_the_name_of_a_family_has_an_end(tmp_path):
    file = write(tmp_path)
    file.write_text(file.read_text().replace("small", "s" * 300))
    assert "(the key): must be of length 100 or less" in fault(file)


@pytest.mark.parametrize("key", [r"l\e[2J\u202e", r"l\nm", r"\ud800"], ids=("escape", "newline", "surrogate"))
def test_no_message_reaches_the_terminal_with_control_characters(tmp_path, key):
    message = fault(write(tmp_path, f'    "{key}": 3\n'))
    assert message.count("\n") == 1 and all(line.isprintable() for line in message.splitlines())


def test_long_values_and_many_faults_are_cut(tmp_path):
    assert len(fault(write(tmp_path, CHECKPOINTS=str([1] * 5000)))) < 400
    message = fault(write(tmp_path, f"    sweep: {{training.steps: {list(range(-100, 0))}}}\n"))
    assert message.count("\n") == 51 and message.endswith("… and 50 more faults")
