"""A task, a model and an observable are added to a copy of the package by their own files alone."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from small_study import ROOT

FILES = {
    "config/tasks/slope.py": '''
"""The card of the task `slope`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ontogeny.config.cards import TaskSection
from ontogeny.config.section import AtLeastTwo


class Slope(TaskSection):
    """The network learns the slope of a line."""

    kind: Annotated[Literal["slope"], Field(description="The kind `slope` selects this task.")]
    slope: Annotated[float, Field(description="The line has this slope.")] = 2.0
    examples: Annotated[AtLeastTwo, Field(description="The data set has this many examples, n.")] = 20

    same_network: ClassVar = ("slope", "examples")

    @property
    def shape(self) -> Mapping[str, int]:
        return {"coordinates": 1}
''',
    "tasks/slope.py": '''
"""A line through the origin."""

from pathlib import Path

import jax.numpy as jnp

from ontogeny.config.tasks.slope import Slope as Config
from ontogeny.problem.problem import Data, Task


def build(config: Config, *, batch_size: int, base: Path) -> Task:
    """Return the task of fitting y = slope · x on evenly spaced x."""
    x = jnp.linspace(-1.0, 1.0, config.examples)[:, None]
    batch = x, config.slope * x
    return Task(
        data=Data(train=lambda key, step: batch, sampling=batch, evaluation=batch),
        output_loss=lambda outputs, targets: ((outputs - targets) ** 2).sum(-1) / 2,
        shape=config.shape,
        provides={"slope": config.slope},
    )
''',
    "config/models/ray.py": '''
"""The card of the model `ray`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ontogeny.config.cards import ModelSection
from ontogeny.config.section import Positive


class Ray(ModelSection):
    """The network multiplies its input by a number."""

    kind: Annotated[Literal["ray"], Field(description="The kind `ray` selects this model.")]
    spread: Annotated[Positive, Field(description="The number has this standard deviation at step 0.")] = 0.1

    needs: ClassVar = frozenset({"coordinates"})
    seeds_per_job: ClassVar = 4

    def parameters(self, shape: Mapping[str, int]) -> int:
        return shape["coordinates"]
''',
    "models/ray.py": '''
"""A linear map of one coordinate."""

from collections.abc import Callable, Mapping

import jax
from flax import nnx

from ontogeny.config.models.ray import Ray as Config


class Ray(nnx.Module):
    """The map x ↦ w x."""

    def __init__(self, spread: float, coordinates: int, rngs: nnx.Rngs):
        self.weight = nnx.Param(spread * jax.random.normal(rngs.params(), (1, coordinates)))

    def __call__(self, x):
        return x * self.weight[...]

    def learnt_slope(self):
        return self.weight[0, 0]


def build(config: Config, shape: Mapping[str, int]) -> Callable[[nnx.Rngs], Ray]:
    """Return the function that makes the module."""
    return lambda rngs: Ray(config.spread, shape["coordinates"], rngs)
''',
    "observables/slope.py": '''
"""The slope that a network has learnt."""

from collections.abc import Mapping

from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import ObservableFunction, Task

NEEDS = Needs(methods=("learnt_slope",), provides=("slope",))


def build(network: Network, task: Task) -> Mapping[str, ObservableFunction]:
    """Return `slope_share`, the learnt slope over the true one."""
    return {"slope_share": lambda params: network.apply(params, method="learnt_slope") / task.provides["slope"]}
''',
    "observables/slope.card.yaml": """
observables:
  slope_share:
    title: share of the slope
    unit: learnt / true
    meaning: The learnt slope over the true one.
rules:
  - name: slope learning
    conditions: [{observable: slope_share, direction: rise, by: 0.5}]
    evidence: [slope_share]
""",
}
STUDY = """
results: results
families:
  line:
    seeds: [0]
    task: {kind: slope, examples: 10}
    model: {kind: ray}
    training: {optimizer: {name: sgd, learning_rate: 0.5}, batch_size: 10, steps: 40}
    checkpoints: {every: 1}
    llc: {sampler: {kind: sgld, step_size: 1e-3}, refine: {data: {steep: {slope: 3.0}}}}
"""
SCRIPT = """
import json
from pathlib import Path
import pandas as pd
from ontogeny.config.reading import ConfigError, read_study, validate_study, load
from ontogeny.pipeline.plan import Plan, blocks

path = Path("config.yaml")
plan = Plan(*read_study(path), path.parent)
block = blocks(plan.variants[0])[0].name
specification = {
    kind: json.loads(plan.specification(kind, "line", "base", block)) for kind in ("train", "observe", "detect", "run_pages")
}
wrong = load(path)
wrong["families"]["line"]["model"] = {"kind": "mlp"}
try:
    fault = validate_study(wrong, path)
except ConfigError as error:
    fault = str(error)
from ontogeny.pipeline.cost import describe
table = describe(path)

from ontogeny.jobs import observe, train
from ontogeny.jobs.job import Job
for job in (train, observe):
    kind = job.__name__.rpartition(".")[2]
    names = {"family": "line", "variant": "base", "block": block}
    job.run(Job(name=kind, results=Path("results"), specification=specification[kind], **names))

from ontogeny import config
from ontogeny.config.observables import Label
from ontogeny.report.labels import given_labels, label
from ontogeny.trajectory import assemble
from ontogeny.transitions.detection.curves import curves_of
from ontogeny.transitions.evidence import Change
from ontogeny.transitions.naming import name_with_reasons, rules_of
rows = pd.read_parquet(f"results/line/base/seed~0/observables.parquet")
curve = next(curve for curve in curves_of(rows) if curve.observable == "slope_share")
change = Change(curve.values[0], curve.values[-1], 0.0)
section = config.Transitions.model_validate(specification["detect"]["transitions"])
key = ("slope_share", "")
with given_labels({name: Label(**entry) for name, entry in specification["run_pages"]["labels"].items()}):
    labels = label("slope_share")
print(json.dumps({
    "block": block,
    "table": table,
    "fault": fault,
    "observables": sorted(set(rows["observable"])),
    "last": curve.values[-1],
    "name": name_with_reasons({key: change}, {key: curve}, {"slope_share"}, rules_of(section.rules, section.least_changes))[0],
    "label": labels,
}))
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kind")
    package = folder / "src" / "ontogeny"
    shutil.copytree(ROOT / "src" / "ontogeny", package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in FILES.items():
        assert not (package / name).exists()
        (package / name).write_text(text.removeprefix("\n"))
    (folder / "config.yaml").write_text(STUDY)
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=folder, env=environment, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.end_to_end
def test_the_config_knows_the_kinds_their_sizes_and_what_fits(result):
    assert result["block"] == "seeds~0-3"
    assert "?" not in result["table"]
    assert "model mlp needs a task with classes, numbers; this task has coordinates" in result["fault"]


@pytest.mark.end_to_end
def test_the_observable_is_measured_where_it_fits(result):
    assert result["observables"] == ["evaluation_loss", "loss", "slope_share"]
    assert result["last"] == pytest.approx(1, abs=0.02)


@pytest.mark.end_to_end
def test_its_label_is_on_pages_and_its_rule_names_transitions(result):
    assert result["label"] == ["share of the slope", "learnt / true", "The learnt slope over the true one."]
    assert result["name"] == "slope learning"
