"""`python -m ontogeny plan`: what a study will take."""

from pathlib import Path

import jax
import pytest
from small_study import Study

from ontogeny.__main__ import main
from ontogeny.config.reading import read_study
from ontogeny.pipeline.cost import cost, describe, parameter_count
from ontogeny.problem.build import build_problem

CONFIG = """\
results: somewhere
families:
  toy:
    seeds: [0, 9]
    task: {kind: sparse_features, features: 5, examples: 20}
    model: {kind: superposition}
    training: {optimizer: {name: sgd, learning_rate: 0.1}, steps: 10, batch_size: 5}
    checkpoints: {linear: 2}
    phases: {repeats: 2}
  language:
    task: {kind: text, corpus: python, vocabulary: 64, context: 8, examples: 8, evaluation: 4}
    model: {kind: transformer, layers: 2, heads: 2, width: 8, mlp: 12}
    training: {optimizer: {name: sgd, learning_rate: 0.1}, steps: 10}
    checkpoints: {linear: 2}
"""

OTHERS = """\
  saddles:
    task: {kind: linear_teacher, inputs: 7, outputs: 4, rank: 2}
    model: {kind: linear, hidden: [3, 5]}
    training: {optimizer: {name: sgd, learning_rate: 0.1}, steps: 10}
    checkpoints: {linear: 2}
  grokking:
    task: {kind: modular_addition, modulus: 11}
    model: {kind: mlp, width: 3, hidden: 5}
    training: {optimizer: {name: sgd, learning_rate: 0.1}, steps: 10}
    checkpoints: {linear: 2}
"""


@pytest.fixture
def configfile(tmp_path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG)
    return tmp_path / "config.yaml"


@pytest.mark.end_to_end
def test_parameters_are_counted_as_the_networks_have_them(configfile):
    configfile.write_text(CONFIG + OTHERS)
    for variant in read_study(configfile)[1]:
        problem = build_problem(variant.family.task, variant.family.model, base=configfile.parent)
        params = jax.eval_shape(problem.init, jax.random.key(0))
        assert parameter_count(variant) == sum(leaf.size for leaf in jax.tree.leaves(params))


@pytest.mark.end_to_end
def test_jobs_are_those_that_snakemake_counts(configfile):
    text = Study(configfile.parent).without_jobs("--dry-run").stdout
    counted = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("total"))
    assert f"3 runs in {counted - 1} jobs" in describe(configfile)  # all is no job


def test_a_model_of_unknown_size_is_said_to_be_so(configfile):
    (configfile.parent / "mine.py").write_text("def net(shape, rngs): ...")
    configfile.write_text(CONFIG.replace("{kind: superposition}", "{kind: mine.py:net}").replace("phases: {repeats: 2}", ""))
    assert "?" in describe(configfile)


def test_losses_that_are_kept_and_other_data_are_counted(configfile):
    def toy():
        return cost(read_study(configfile)[1][0])

    plain = toy()
    more = "llc: {draws: 100, chains: 3, per_example: {examples: all, every: 30}, refine: {data: {other: {seed: 1}}}}"
    configfile.write_text(CONFIG.replace("    checkpoints: {linear: 2}\n", f"    checkpoints: {{linear: 2}}\n    {more}\n", 1))
    kept = 2 * 3 * 3 * 4 * 20 * 4  # seeds, checkpoints, chains, draws, examples, bytes
    draws = 2 * 3 * (3 * 100 - 8 * 500) * 5
    assert (toy().megabytes - plain.megabytes) * 1e6 == pytest.approx(kept + draws)
    both = toy().minutes
    configfile.write_text(configfile.read_text().replace("refine: {data: {other: {seed: 1}}}", ""))
    assert both > toy().minutes


@pytest.mark.parametrize("given", [["other.yaml"], ["--configfile", "other.yaml"], []])
def test_plan_takes_a_file_in_either_way_or_config_yaml(given, configfile, monkeypatch, capsys):
    monkeypatch.chdir(configfile.parent)
    if given:
        configfile.rename("other.yaml")
    assert main(["plan", *given]) == 0 and "3 runs in" in capsys.readouterr().out


def test_a_bad_config_is_told_and_fails(configfile, capsys):
    configfile.write_text(CONFIG.replace("steps: 10", "steps: 0"))
    assert main(["plan", "--configfile", str(configfile)]) == 1
    assert "families.toy.training.steps is 0" in capsys.readouterr().err
