"""A small study in a folder of its own, run by the Snakefile of the checkout."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SNAKEMAKE = [sys.executable, "-m", "snakemake"]

CONFIG = """\
results: results
seeds: [0, 1]
families:
  toy:
    task: {kind: sparse_features, examples: 50}
    model: {kind: superposition, start: {polygon: 4, noise: 0.05}}
    training: {optimizer: {name: sgd, learning_rate: 0.05}, batch_size: 10, steps: 200}
    checkpoints: {linear: 9}
    llc: {sampler: {kind: sgld, step_size: 1e-3}, chains: 2, draws: 20, burn_in: 5}
  induction:
    seeds: [0]
    task: {kind: text, corpus: corpus.txt, vocabulary: 64, context: 8, repeat: 0.5, examples: 32, evaluation: 16}
    model: {kind: transformer, layers: 2, heads: 2, width: 8}
    training: {optimizer: {name: adamw, learning_rate: 1e-2}, batch_size: 8, steps: 40}
    checkpoints: {linear: 9}
    llc:
      {inverse_temperature: 10, localization: 10, chains: 2, draws: 8, burn_in: 2, batch_size: 8, checkpoints: 8,
       refine: {components: [layers.1.heads.*]}}
"""
WORDS = "the union of the states is strong and the people of the states are free and the work goes on . "


@dataclass(frozen=True)
class Study:
    """A folder with a config.yaml; `code` is the folder of the Snakefile."""

    folder: Path
    code: Path = ROOT

    def snakemake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [
            *SNAKEMAKE,
            "--snakefile",
            str(self.code / "Snakefile"),
            "--cores",
            "2",
            "--workflow-profile",
            "none",
            *arguments,
        ]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=600)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
        return done

    def planned(self, *arguments: str) -> dict[str, int]:
        """Rule -> jobs that a dry run would start; `all` is left out."""
        done = self.snakemake("--dry-run", *arguments)
        table = re.findall(r"^(\w+) +(\d+)$", done.stdout + done.stderr, flags=re.MULTILINE)
        return {rule: int(count) for rule, count in table if rule not in ("all", "total")}

    def edit(self, old: str, new: str) -> None:
        path = self.folder / "config.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


def make_study(folder: Path) -> Study:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "corpus.txt").write_text("\n".join(WORDS * 40 for _ in range(20)))
    return Study(folder)
