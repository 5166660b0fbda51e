"""Compare samplers and batch sizes by the error of λ̂ for their time.

Run it as: python -m benchmarks.samplers config.yaml results/FAMILY/VARIANT/seed~N

Every way samples three checkpoints of a trained run. The error of a chain is the standard deviation over chains of its mean. The
bias is the mean over chains against the reference, a long run of SGHMC with a fifth of the step. CPU seconds are those of a
second call, without compiling, for each chain and checkpoint; err² × s is what counts where draws are free to choose.
"""

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from benchmarks.runs import TrainedRun, read_run
from ontogeny.sampling.calibration.spectrum import Spectrum, bias_as_a_whole, spectrum
from ontogeny.sampling.chains import sample
from ontogeny.sampling.kernels.kernel import Kernel
from ontogeny.sampling.kernels.sghmc import SGHMC
from ontogeny.sampling.kernels.sgld import SGLD
from ontogeny.sampling.kernels.sgnht import SGNHT


class Way(NamedTuple):
    name: str
    sampler: Kernel
    batch: int | None


def ways(step: float, friction: float, batches: list[int | None]) -> list[Way]:
    """Return SGLD at the step and its half, SGHMC and SGNHT at the step and its half, each on every batch size."""
    kernels = [
        kernel
        for size in (step, step / 2)
        for kernel in (SGLD(step_size=size), SGHMC(step_size=size, friction=friction), SGNHT(step_size=size, friction=friction))
    ]
    return [Way(type(kernel).__name__, kernel, batch) for batch in batches for kernel in kernels]


def measured(run: TrainedRun, way: Way, chains: int, draws: int, burn_in: int) -> tuple[np.ndarray, float]:
    """Return λ̂ of every chain [K, chains], and the CPU seconds of a chain at one checkpoint."""
    target, checkpoints = run.target(batch_size=way.batch)
    seconds = 0.0
    for attempt in range(2):
        began = time.process_time()
        drawn = sample(target, checkpoints, way.sampler, key=jax.random.key(attempt), chains=chains, draws=draws, burn_in=burn_in)
        values = np.asarray(drawn.values, np.float64)
        seconds = time.process_time() - began
    return target.inverse_temperature * values.mean(axis=-1), seconds / (chains * len(run.steps))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--step", type=float, default=1e-3)
    parser.add_argument("--friction", type=float, default=0.1)
    parser.add_argument("--batches", default="all,100", help="sizes separated by commas; all for the full batch")
    parser.add_argument("--chains", type=int, default=8)
    parser.add_argument("--draws", type=int, default=1500)
    parser.add_argument("--burn-in", type=int, default=500)
    parser.add_argument("--reference-batch", type=int, help="of the reference; the full batch unless given")
    arguments = parser.parse_args()
    run = read_run(arguments.config, arguments.run)
    batches = [None if size == "all" else int(size) for size in arguments.batches.split(",")]
    counts = arguments.chains, arguments.draws, arguments.burn_in
    exact = Way("reference", SGHMC(step_size=arguments.step / 5, friction=arguments.friction / 2), arguments.reference_batch)
    reference, _ = measured(run, exact, counts[0], 10 * counts[1], 5 * counts[2])
    density = spectrum(*run.target(), key=jax.random.key(0))
    mean, error = reference.mean(axis=1), reference.std(axis=1, ddof=1) / np.sqrt(counts[0])
    print(f"{arguments.run}, steps {run.steps}: λ̂ {', '.join(f'{m:.4g} ± {e:.2g}' for m, e in zip(mean, error, strict=True))}")
    print("| sampler | ε | friction | batch | bias, % | expected, % | error of a chain, % | s a chain | err² × s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for way in ways(arguments.step, arguments.friction, batches):
        print(row(run, way, density, mean, measured(run, way, *counts)), flush=True)


def row(run: TrainedRun, way: Way, density: Spectrum, reference: np.ndarray, found: tuple[np.ndarray, float]) -> str:
    per_chain, seconds = found
    relative = per_chain / reference[:, None]
    error = float(np.sqrt(np.mean(relative.var(axis=1, ddof=1))))
    bias, spread = float(np.mean(relative) - 1), error / np.sqrt(per_chain.shape[1])
    expected = sum(bias_as_a_whole(density, way.sampler, run.target(batch_size=way.batch)[0]))
    cells = (
        *(way.name, f"{way.sampler.step_size:g}", f"{getattr(way.sampler, 'friction', 1.0):g}", way.batch or "all"),
        *(f"{100 * bias:+.1f} ± {100 * spread:.1f}", f"{100 * expected:+.1f}", f"{100 * error:.1f}"),
        *(f"{seconds:.3g}", f"{error**2 * seconds:.2g}"),
    )
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    main()
