"""Print what a smaller share of the localisation costs.

Run it as: python -m benchmarks.localisation config.yaml results/FAMILY/VARIANT/seed~N

For a grid of nβ and γ, from the spectrum of the Hessian at three checkpoints of a trained run: the share of λ̂ that γ decides, λ̂
of the quadratic, how far above L(w*) chains then sit, the longest step that biases no direction by more than 2%, and the steps
that the flattest direction takes to settle with SGHMC at critical damping.
"""

import argparse
import math
from pathlib import Path

import jax
import numpy as np

from benchmarks.runs import read_run
from ontogeny.sampling.calibration.spectrum import filled, spectrum
from ontogeny.sampling.calibration.stability import longest_step
from ontogeny.sampling.kernels.kernel import suitable_friction, with_step
from ontogeny.sampling.kernels.sghmc import SGHMC

FACTORS = (1, 3, 10, 30)
LOCALIZATIONS = (100.0, 30.0, 10.0, 3.0, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("run", type=Path)
    arguments = parser.parse_args()
    run = read_run(arguments.config, arguments.run)
    target, checkpoints = run.target()
    density = spectrum(target, checkpoints, key=jax.random.key(0), iterations=16)
    print(
        f"{arguments.run}: steps {', '.join(map(str, run.steps))}; tr H {listed(density.trace)}; h_max {listed(density.largest)}"
    )
    print("| nβ | γ | share that γ decides | λ̂ of the quadratic | nats above L(w*) | step | steps to settle |")
    print("|---|---|---|---|---|---|---|")
    for factor in FACTORS:
        for localization in LOCALIZATIONS:
            print(row(density, target.inverse_temperature * factor, localization))


def row(density, n_beta: float, localization: float) -> str:
    llc = np.sum(density.weights * filled(density.nodes, n_beta, localization), axis=1) / 2
    limits = with_step(SGHMC(friction=0.1), 1.0).limits
    step = longest_step(limits, n_beta, float(density.largest.max()), localization, 0.0, 0.02)
    settling = math.ceil(5 / suitable_friction(step, localization))
    share = density.held_by_localization(n_beta, localization)
    cells = (
        f"{n_beta:.4g}",
        f"{localization:g}",
        listed(share, 2),
        listed(llc),
        listed(llc / n_beta, 2),
        f"{step:.2g}",
        settling,
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def listed(values: np.ndarray, digits: int = 3) -> str:
    return ", ".join(f"{value:.{digits}g}" for value in values)


if __name__ == "__main__":
    main()
