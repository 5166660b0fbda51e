"""A small study in a folder of its own, run by the Snakefile of the checkout."""

import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["snakemake.cli", "snakemake.report.html_reporter", "snakemake.storage", "pandas", "pydantic"])

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
    model: {kind: transformer, layers: 1, heads: 2, width: 8}
    training: {optimizer: {name: adamw, learning_rate: 1e-2}, batch_size: 8, steps: 40}
    checkpoints: {linear: 9}
    llc:
      {inverse_temperature: 10, localization: 10, chains: 2, draws: 8, burn_in: 2, batch_size: 8, checkpoints: 8,
       refine: {components: [layers.0.heads.*]}}
"""
WORDS = "the union of the states is strong and the people of the states are free and the work goes on . "


@dataclass(frozen=True)
class Study:
    """A folder with a config.yaml; `code` is the folder of the Snakefile."""

    folder: Path
    code: Path = ROOT

    def snakemake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run Snakemake as users do."""
        command = [sys.executable, "-m", "snakemake", *self.options(), *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=600)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
        return done

    def without_jobs(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake where it starts no job; all its words are in `stdout`.

        A process that has imported Snakemake forks for it. The import takes longer than a dry run.
        """
        with tempfile.NamedTemporaryFile("r") as log:
            command = [*self.options(), *arguments]
            process = FORKS.Process(target=run_in_fork, args=(self.folder, self.code / "src", log.name, command))
            process.start()
            process.join()
            return subprocess.CompletedProcess(command, process.exitcode or 0, log.read(), "")

    def options(self) -> list[str]:
        return ["--snakefile", str(self.code / "Snakefile"), "--cores", "2", "--workflow-profile", "none"]

    def planned(self, *arguments: str) -> dict[str, int]:
        """Return rule -> jobs that a dry run would start, without `all`."""
        done = self.without_jobs("--dry-run", *arguments)
        assert done.returncode == 0, done.stdout
        table = re.findall(r"^(\w+) +(\d+)$", done.stdout, flags=re.MULTILINE)
        return {rule: int(count) for rule, count in table if rule not in ("all", "total")}

    def edit(self, old: str, new: str) -> None:
        path = self.folder / "config.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


def run_in_fork(folder: Path, packages: Path, log: str, arguments: Sequence[str]) -> None:
    """Run Snakemake in this process, in a folder, with the ontogeny of `packages`; write what it prints into a log."""
    with open(log, "w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(folder)
    sys.path.insert(0, str(packages))
    from snakemake.cli import main

    main(arguments)


def make_study(folder: Path) -> Study:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "corpus.txt").write_text("\n".join(WORDS * 40 for _ in range(20)))
    return Study(folder)


def mark_as_done(study: Study) -> None:
    """Make every declared output of a study without any result behind it, and let Snakemake record it as made."""
    _, *rows = re.split(r"^output_file\t", study.without_jobs("--summary").stdout, flags=re.MULTILINE)[-1].splitlines()
    for row in rows:
        path = study.folder / row.split("\t")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"digests": {}}' if path.suffix == ".json" else "")
    done = study.without_jobs("--touch", "--forceall")
    assert rows and done.returncode == 0, done.stdout
