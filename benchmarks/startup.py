"""`python -m benchmarks.startup`: what is felt before anything computes, in CPU seconds.

Reading and checking a config (no JAX is imported for that), and `snakemake --dry-run` of a study of 1,000 runs, a job of each
stage for every run.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
STUDY = """\
results: results
seeds: [{seeds}]
families:
  toy:
    seeds_per_job: 1
    task: {{kind: sparse_features, features: 6, examples: 1000}}
    model: {{kind: superposition, hidden: 2}}
    training: {{optimizer: {{name: sgd, learning_rate: 0.1}}, batch_size: 5, steps: 10}}
    checkpoints: {{linear: 2}}
    sweep: {{training.optimizer.learning_rate: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]}}
"""


def seconds(*command: str, folder: Path) -> float:
    """CPU seconds of a command and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], cwd=folder, check=True, capture_output=True, env=os.environ)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "config.yaml").write_text(STUDY.format(seeds=", ".join(map(str, range(125)))))
        imports = sorted(seconds("-c", "import ontogeny.config.reading", folder=folder) for _ in range(5))[2]
        print(f"import ontogeny.config.reading: {imports:.2f} s")
        dry = ["-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--dry-run", "--workflow-profile", "none"]
        print(f"snakemake --dry-run of 1,000 runs: {min(seconds(*dry, folder=folder) for _ in range(2)):.1f} s")


if __name__ == "__main__":
    main()
