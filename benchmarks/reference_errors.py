"""Set λ̂ of a study beside long reference chains at a few checkpoints of some of its runs.

Run it as: python -m benchmarks.reference_errors config.yaml results/FAMILY/VARIANT/seed~N … [--mala STEP | --finer 8]

`--mala` takes MALA on the full batch, which has no bias in its step. `--finer 8` takes the study's own sampler with an eighth of
its step and eight times its burn-in and draws. λ̂ of the study is read from `health.parquet`.
"""

import argparse
import json
from pathlib import Path

import jax
import numpy as np
import pandas as pd

from benchmarks.runs import read_run
from ontogeny.estimates.llc import summarise
from ontogeny.sampling.chains import sample
from ontogeny.sampling.kernels.build import build_sampler
from ontogeny.sampling.kernels.kernel import with_step
from ontogeny.sampling.kernels.mala import MALA

MALA_CHAINS, MALA_DRAWS, MALA_BURN_IN = 16, 20_000, 2_000
CHECKPOINTS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--mala", type=float, metavar="STEP")
    way.add_argument("--finer", type=int, metavar="FACTOR")
    arguments = parser.parse_args()
    print("| run | step | λ̂ of the study | reference | apart, % |\n|---|---|---|---|---|")
    for folder in arguments.runs:
        for line in rows(arguments, folder):
            print(line, flush=True)


def rows(arguments: argparse.Namespace, folder: Path) -> list[str]:
    health = pd.read_parquet(folder / "health.parquet")
    passing = health[(health["component"] == "") & (health["verdict"] == "ok")].set_index("step")
    steps = [int(passing.index[place]) for place in np.linspace(len(passing) // 4, len(passing) - 1, CHECKPOINTS).astype(int)]
    found = reference(arguments, folder, steps)
    told = []
    for place, step in enumerate(steps):
        own, error = passing.loc[step, ["llc", "standard_error"]].astype(float)
        mean, spread = float(found.mean[place]), float(found.standard_error[place])
        apart, of_apart = 100 * (own / mean - 1), 100 * np.hypot(error, spread) / mean
        name = "/".join(folder.parts[-3:])
        told.append(
            f"| {name} | {step:,} | {own:.4g} ± {error:.2g} | {mean:.4g} ± {spread:.2g} | {apart:+.1f} ± {of_apart:.1f} |"
        )
    return told


def reference(arguments: argparse.Namespace, folder: Path, steps: list[int]):
    """Return the estimate of the reference chains at some steps of a run."""
    run, key = read_run(arguments.config, folder, steps), jax.random.key(1)
    if arguments.mala:
        target, checkpoints = run.target(batch_size=None)
        mala = MALA(step_size=arguments.mala)
        drawn = sample(target, checkpoints, mala, key=key, chains=MALA_CHAINS, draws=MALA_DRAWS, burn_in=MALA_BURN_IN)
        return summarise(drawn)
    target, checkpoints = run.target()
    settings = json.loads((folder.parent / "calibration.json").read_text())
    sampler = build_sampler(settings["sampler"])
    finer = with_step(sampler, sampler.step_size / arguments.finer)
    draws, burn_in = (arguments.finer * settings[name] for name in ("draws", "burn_in"))
    return summarise(sample(target, checkpoints, finer, key=key, chains=settings["chains"], draws=draws, burn_in=burn_in))


if __name__ == "__main__":
    main()
