"""`python -m benchmarks.checkpoints`: the share of training time that saving checkpoints takes, for the default study.

Trains the first block of each family of config.yaml as the pipeline does, into a temporary folder, and takes the
processor time of the saves and of all the rest (training with its compilation) apart.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from ontogeny.pipeline import devices


def measure(variant, base: Path) -> dict[str, float]:
    """Seconds of training and of saving for the first block of a variant."""
    from ontogeny.jobs.train import LIMITS, Segment, save, trained_blocks
    from ontogeny.pipeline.plan import blocks
    from ontogeny.problem.build import build_problem
    from ontogeny.training import loop as training
    from ontogeny.training.optimizers import build_optimizer
    from ontogeny.training.schedule import checkpoint_steps

    family, block = variant.family, blocks(variant)[0]
    problem = build_problem(family.task, family.model, batch_size=family.training.batch_size, base=base)
    optimizer = build_optimizer(family.training)
    kept = checkpoint_steps(family.checkpoints, family.training.steps)
    state = training.initial_state(problem, optimizer, block.lanes)
    saving, began = 0.0, time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        for piece in trained_blocks(variant.name, problem, optimizer, state, block.lanes, Segment(None, kept), LIMITS):
            started = time.process_time()
            folders = {Path(folder) / str(seed): "benchmark" for seed in block.seeds}
            save(Path(folder), folders, piece, [block.lanes.index(seed) for seed in block.seeds], 0.0)
            saving += time.process_time() - started
    seconds = time.process_time() - began - saving
    checkpoints = len(kept) * len(block.seeds)
    return {"checkpoints": checkpoints, "training_seconds": seconds, "saving_seconds": saving, "share": saving / seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configfile", type=Path, default=Path("config.yaml"))
    parser.add_argument("--output", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    devices.prepare()
    from ontogeny.config.reading import read_study

    _, variants = read_study(arguments.configfile)
    rows = {f"{one.family_name}/{one.name}": measure(one, arguments.configfile.parent) for one in variants}
    for name, row in rows.items():
        each = 1000 * row["saving_seconds"] / row["checkpoints"]
        print(
            f"{name}: {row['checkpoints']:.0f} checkpoints, {row['training_seconds']:.1f} s of training, {each:.2f} ms a save,",
            end=" ",
        )
        print(f"{100 * row['share']:.1f}% of training time")
    if arguments.output:
        arguments.output.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
