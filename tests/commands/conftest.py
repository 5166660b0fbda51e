"""A study whose jobs all have their declared outputs and specifications, and no results behind them."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from ontogeny.__main__ import main
from ontogeny.config.reading import read_study
from ontogeny.pipeline.plan import Plan
from ontogeny.pipeline.status import output, planned_jobs

CONFIG = """\
results: results
seeds: [0, 1]
families:
  toy:
    task: {kind: sparse_features, examples: 50}
    model: {kind: superposition}
    training: {optimizer: {name: sgd, learning_rate: 0.05}, batch_size: 10, steps: 200}
    checkpoints: {linear: 9}
    llc: {chains: 2, draws: 20, burn_in: 5}
  heads:
    task: {kind: text, corpus: python, vocabulary: 64, context: 8, examples: 32, evaluation: 16}
    model: {kind: transformer, layers: 1, heads: 2, width: 8}
    training: {optimizer: {name: adamw, learning_rate: 1e-2}, batch_size: 8, steps: 40}
    checkpoints: {linear: 9}
    llc: {chains: 2, draws: 8, burn_in: 2, checkpoints: 8, sensitivity: off}
    sweep: {model.layers: [1, 2]}
"""


@dataclass(frozen=True)
class Folder:
    """The folder of a study, in which commands are called."""

    path: Path
    capsys: pytest.CaptureFixture[str]

    def call(self, *arguments: str, status: int = 0) -> str:
        """Call a command; return what it prints, its errors included."""
        self.capsys.readouterr()
        assert main(list(arguments)) == status
        return "".join(self.capsys.readouterr())

    def edit(self, old: str, new: str) -> None:
        text = (self.path / "config.yaml").read_text()
        assert old in text
        (self.path / "config.yaml").write_text(text.replace(old, new))

    @property
    def plan(self) -> Plan:
        return Plan(*read_study(Path("config.yaml")), Path())


@pytest.fixture
def study(tmp_path, monkeypatch, capsys) -> Folder:
    """The study, with nothing run."""
    (tmp_path / "config.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return Folder(tmp_path, capsys)


@pytest.fixture
def done(study) -> Folder:
    """The study, all of whose jobs look done."""
    for place, job in enumerate(planned_jobs(study.plan)):
        recorded = Path("results") / study.plan.specification_file(*job)
        made = output(study.plan, job)
        for path, text in ((recorded, study.plan.specification(*job)), (made, '{"digests": {}}')):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        os.utime(recorded, (place, place))
    return study
