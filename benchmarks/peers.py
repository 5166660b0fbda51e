"""`python -m benchmarks.peers`: the error of λ̂ beside devinterp 2.0.1's, on the same work, where the answer is known.

The same loss, written once for both; the same data, w*, ε, nβ, γ, chains, draws, burn-in and batch size, hence as many
gradients; float32. The truth of a row is nβ E[L(w) - L(w*)] under the local posterior itself, at its nβ and γ: what
both samplers approximate, without the bias of step or batch. The error is the root of the mean square over seeds.

devinterp is run in two ways. `llc()`: its documented function with its defaults (32 batches for the initial loss, the
same batches in every chain, burn-in averaged in). `by hand`: the best that its arguments and stored draws offer (a whole
pass over the data for the initial loss, own batches in every chain, burn-in left out).

It lives in an environment of its own, made once by one of

    uv venv .peers && uv pip install -p .peers devinterp==2.0.1 torch
    UV_PROJECT_ENVIRONMENT=.peers uv sync --only-group peers
"""

import argparse
import json
import math
import os
import subprocess
import tempfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import numpy as np
from scipy.integrate import dblquad

import ontogeny
from benchmarks.peers_losses import LOSSES

PAGE = Path("docs/accuracy-peers.md")
N = 1000
INVERSE_TEMPERATURE = N / math.log(N)
CHAINS, DRAWS, BURN_IN = 4, 500, 200
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A loss, its data, its w*, the settings, and the truth."""

    name: str
    loss: str
    parameters: Arrays
    data: Arrays
    truth: float
    step_size: float
    localization: float = 1.0
    batch_size: int | None = None
    noisy: bool = True

    @cached_property
    def settings(self) -> dict[str, Any]:
        return {
            "step_size": self.step_size,
            "inverse_temperature": INVERSE_TEMPERATURE,
            "localization": self.localization,
            "chains": CHAINS,
            "draws": DRAWS,
            "burn_in": BURN_IN,
        }

    @cached_property
    def stream(self) -> int:
        """Where the seeds of this row start: rows do not share random numbers."""
        return zlib.crc32(f"{self.name} {self.batch_size}".encode()) % 10**9


def float32(arrays: Arrays) -> Arrays:
    return {name: np.ascontiguousarray(leaf, dtype=np.float32) for name, leaf in arrays.items()}


def gaussian_truth(curvatures: np.ndarray, localization: float) -> float:
    """R1 with ε → 0: Σ nβ h / 2 / (nβ h + γ)."""
    stiffness = INVERSE_TEMPERATURE * curvatures
    return float((stiffness / 2 / (stiffness + localization)).sum())


def quadratic(curvatures: np.ndarray, *, batch_size: int | None, step_size: float) -> Problem:
    """½ Σ h (w - z)² with z ~ N(0, 1/h), centred: the model is well specified."""
    generator = np.random.default_rng(0)
    z = generator.standard_normal((N, len(curvatures))) / np.sqrt(curvatures)
    return Problem(
        name=f"quadratic, d = {len(curvatures)}, h in [{curvatures.min():g}, {curvatures.max():g}]",
        loss="quadratic",
        parameters=float32({"w": np.zeros(len(curvatures))}),
        data=float32({"z": z - z.mean(axis=0), "curvature": np.tile(curvatures, (N, 1))}),
        truth=gaussian_truth(curvatures, 1.0),
        step_size=step_size,
        batch_size=batch_size,
    )


def crossing_truth(first: int, second: int, localization: float) -> float:
    """nβ E[w₁^2k₁ w₂^2k₂] under exp(-nβ w₁^2k₁ w₂^2k₂ - γ |w|²/2) on the plane, by quadrature."""

    def energy(x: float, y: float) -> float:
        return INVERSE_TEMPERATURE * x ** (2 * first) * y ** (2 * second)

    def density(x: float, y: float) -> float:
        return math.exp(-energy(x, y) - localization * (x * x + y * y) / 2)

    edge = 8 / math.sqrt(localization)
    total = dblquad(density, 0, edge, 0, edge, epsabs=1e-10)[0]
    return dblquad(lambda x, y: energy(x, y) * density(x, y), 0, edge, 0, edge, epsabs=1e-10)[0] / total


def crossing(first: int, second: int, *, noise: float, spread: bool, batch_size: int | None) -> Problem:
    """w₁^2k₁ w₂^2k₂ at the origin, with label noise of a standard deviation or weights that are exponentially spread."""
    generator = np.random.default_rng(1)
    labels, weights = noise * generator.standard_normal(N), generator.exponential(size=N) if spread else np.ones(N)
    kind = f"label noise {noise:g}" if noise else "weighted examples, no noise"
    return Problem(
        name=f"normal crossing ({first}, {second}), {kind}",
        loss=f"crossing {first} {second}",
        parameters=float32({"w": np.zeros(2)}),
        data=float32({"noise": labels - labels.mean(), "weight": weights / weights.mean()}),
        truth=crossing_truth(first, second, 10.0),
        step_size=1e-3,
        localization=10.0,
        batch_size=batch_size,
        noisy=noise > 0,
    )


def linear_network(widths: list[int], *, noise: float, batch_size: int | None) -> Problem:
    """Layers with singular values 2, white inputs, and label noise orthogonal to them: w* is an exact minimum of full rank."""
    generator = np.random.default_rng(2)
    inputs = np.linalg.qr(generator.standard_normal((N, widths[0])))[0] * math.sqrt(N)
    layers = [orthogonal(generator, *shape) * 2 for shape in zip(widths[1:], widths[:-1], strict=True)]
    labels = noise * generator.standard_normal((N, widths[-1]))
    labels -= inputs @ (inputs.T @ labels) / N
    curvatures = np.linalg.eigvalsh(product_curvature(layers))
    return Problem(
        name=f"linear network {widths}, " + (f"label noise {noise:g}" if noise else "no noise"),
        loss="linear network",
        parameters=float32({f"layer{place}": layer for place, layer in enumerate(layers)}),
        data=float32({"x": inputs, "y": inputs @ product(layers).T + labels}),
        truth=gaussian_truth(curvatures[curvatures > 1e-6], 1.0),
        step_size=0.04 / (INVERSE_TEMPERATURE * curvatures.max()),
        batch_size=batch_size,
        noisy=noise > 0,
    )


def orthogonal(generator: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """A random matrix whose singular values are all 1."""
    left, _, right = np.linalg.svd(generator.standard_normal((rows, columns)), full_matrices=False)
    return left @ right


def product(layers: list[np.ndarray]) -> np.ndarray:
    return np.linalg.multi_dot(layers[::-1])


def product_curvature(layers: list[np.ndarray]) -> np.ndarray:
    """J Jᵀ of the product map, Σ (above aboveᵀ) ⊗ (belowᵀ below): with white inputs it has the Hessian's spectrum."""
    total = 0
    for place in range(len(layers)):
        above = np.eye(layers[-1].shape[0])
        for layer in layers[:place:-1]:
            above = above @ layer
        below = np.eye(layers[0].shape[1])
        for layer in layers[:place]:
            below = layer @ below
        total = total + np.kron(above @ above.T, below.T @ below)
    return np.asarray(total)


def problems() -> Iterator[Problem]:
    spectra = [np.ones(1), np.geomspace(0.5, 2, 10), np.ones(100)]
    shapes = [[5, 5, 5], [4, 4, 4, 4]]
    for batch_size in (20, None):
        for spectrum in spectra:
            yield quadratic(spectrum, batch_size=batch_size, step_size=2e-4)
    for first, second in ((1, 1), (1, 2)):
        yield crossing(first, second, noise=0.25, spread=False, batch_size=50)
        yield crossing(first, second, noise=0, spread=True, batch_size=50)
        yield crossing(first, second, noise=0.25, spread=False, batch_size=None)
    for widths in shapes:
        yield linear_network(widths, noise=1, batch_size=50)
        yield linear_network(widths, noise=0, batch_size=50)
        yield linear_network(widths, noise=1, batch_size=None)


def ours(problem: Problem, seeds: range) -> list[float]:
    settings = {**problem.settings}
    sampler = ontogeny.SGLD(step_size=settings.pop("step_size"))
    checkpoints = {name: leaf[None] for name, leaf in problem.parameters.items()}

    def estimate(seed: int) -> float:
        found = ontogeny.estimate_llc(
            LOSSES[problem.loss],
            checkpoints,
            problem.data,
            key=jax.random.fold_in(jax.random.key(seed), problem.stream),
            sampler=sampler,
            batch_size=problem.batch_size,
            **settings,
        )
        return float(found.mean[0])

    return [estimate(seed) for seed in seeds]


def without_burn_in(problem: Problem, repetitions: int) -> tuple[float, float, float]:
    """On full batches both samplers are one Markov chain: our error over the error with burn-in averaged in, the same draws."""
    settings = {**problem.settings, "chains": repetitions * CHAINS, "burn_in": 0, "draws": BURN_IN + DRAWS}
    sampler = ontogeny.SGLD(step_size=settings.pop("step_size"))
    checkpoints = {name: leaf[None] for name, leaf in problem.parameters.items()}
    traces = ontogeny.sample(
        LOSSES[problem.loss], checkpoints, problem.data, key=jax.random.key(2**20), sampler=sampler, **settings
    )
    values = INVERSE_TEMPERATURE * np.asarray(traces.values, dtype=float).reshape(repetitions, CHAINS, -1)
    return ratio(values[..., BURN_IN:].mean(axis=(1, 2)) - problem.truth, values.mean(axis=(1, 2)) - problem.truth, paired=True)


Ask = Callable[[dict[str, Any]], dict[str, list[float]]]


@contextmanager
def peer(environment: Path) -> Iterator[Ask]:
    """A process in the peer's environment that answers requests one after another."""
    command = [str(environment.absolute() / "bin" / "python"), "-m", "benchmarks.peers_devinterp"]
    variables = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
    process = subprocess.Popen(command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    sent, received = process.stdin, process.stdout
    assert sent is not None
    assert received is not None

    def ask(request: dict[str, Any]) -> dict[str, list[float]]:
        print(json.dumps(request), file=sent, flush=True)
        answer = received.readline()
        if not answer:
            raise RuntimeError(f"{' '.join(command)} ended with status {process.wait()}; what it wrote is above")
        return json.loads(answer)

    with process:
        yield ask
        sent.close()


def theirs(ask: Ask, problem: Problem, seeds: range) -> dict[str, list[float]]:
    """λ̂ of devinterp's `llc()` and `by hand`; on full batches both are read from the same draws."""
    with tempfile.TemporaryDirectory() as folder:
        for kind, arrays in (("parameters", problem.parameters), ("data", problem.data)):
            Path(folder, kind).mkdir()
            for name, leaf in arrays.items():
                np.save(Path(folder, kind, f"{name}.npy"), leaf)
        request = {"loss": problem.loss, "folder": folder, "batch_size": problem.batch_size, "settings": problem.settings}
        request["stream"] = problem.stream
        defaults = ask({**request, "seeds": list(seeds), "variant": "defaults"})
        full = problem.batch_size is None
        by_hand = defaults if full else ask({**request, "seeds": list(seeds), "variant": "by hand"})
    return {"llc()": defaults["llc"], "by hand": by_hand["draws"]}


def measure(ask: Ask, problem: Problem, seeds: int) -> dict[str, list[float]]:
    """λ̂ by program and seed, a few seeds of each in turn."""
    found: dict[str, list[float]] = {"ontogeny": [], "llc()": [], "by hand": []}
    for first in range(0, seeds, 10):
        some = range(first, min(first + 10, seeds))
        for program, values in {"ontogeny": ours(problem, some), **theirs(ask, problem, some)}.items():
            found[program] += values
    return found


def root_mean_square(errors: np.ndarray) -> np.ndarray:
    return np.sqrt((errors**2).mean(axis=-1))


def ratio(errors: np.ndarray, other: np.ndarray, paired: bool = False) -> tuple[float, float, float]:
    """Our error over the other's, its 95% interval over resampled seeds; `paired`: a seed means the same draws in both."""
    generator = np.random.default_rng(0)
    places = generator.integers(errors.size, size=(2, 2000, errors.size))
    resampled = errors[places[0]], other[places[0 if paired else 1]]
    low, high = np.quantile(root_mean_square(resampled[0]) / root_mean_square(resampled[1]), [0.025, 0.975])
    return float(root_mean_square(errors) / root_mean_square(other)), float(low), float(high)


def row(problem: Problem, found: dict[str, list[float]]) -> dict[str, Any]:
    errors = {program: np.array(values) - problem.truth for program, values in found.items()}
    return {
        "problem": problem.name,
        "batch": problem.batch_size,
        "noisy": problem.noisy,
        "truth": problem.truth,
        "seeds": len(found["ontogeny"]),
        "rmse": {program: float(root_mean_square(error)) for program, error in errors.items()},
        "bias": {program: float(error.mean()) for program, error in errors.items()},
        "ratio": {program: ratio(errors["ontogeny"], errors[program]) for program in ("llc()", "by hand")},
        "without_burn_in": None if problem.batch_size else without_burn_in(problem, 200),
        "values": found,
    }


def table(rows: list[dict[str, Any]]) -> str:
    columns = ["problem", "seeds", "exact", "ontogeny", "`llc()`", "ours / theirs", "by hand", "ours / theirs"]
    if not rows[0]["batch"]:
        columns.append("ours / `llc()`, same draws")
    head = ["| " + " | ".join(columns) + " |", "|---|" + "--:|" * (len(columns) - 1)]
    return "\n".join(head + [line(one) for one in rows])


def line(one: dict[str, Any]) -> str:
    def error(program: str) -> str:
        return f"{one['rmse'][program]:.3g} ({one['bias'][program]:+.2g})"

    cells = [one["problem"], str(one["seeds"]), f"{one['truth']:.4g}", error("ontogeny")]
    for program in ("llc()", "by hand"):
        cells += [error(program), interval(one["ratio"][program])]
    if one["without_burn_in"]:
        cells.append(interval(one["without_burn_in"]))
    return "| " + " | ".join(cells) + " |"


def interval(found: tuple[float, float, float]) -> str:
    return "{:.2f} [{:.2f}, {:.2f}]".format(*found)


def geometric_mean(rows: list[dict[str, Any]], program: str) -> float:
    return float(np.exp(np.mean([np.log(one["ratio"][program][0]) for one in rows])))


def means(rows: list[dict[str, Any]]) -> str:
    """Geometric means of the ratio, over groups of rows."""
    groups = {
        "minibatches, all": [one for one in rows if one["batch"]],
        "minibatches, noisy labels": [one for one in rows if one["batch"] and one["noisy"]],
        "minibatches, no noise": [one for one in rows if one["batch"] and not one["noisy"]],
        "full batches": [one for one in rows if not one["batch"]],
    }
    head = ["| geometric mean of ours / theirs | rows | `llc()` | by hand |", "|---|--:|--:|--:|"]
    lines = [
        f"| {name} | {len(some)} | {geometric_mean(some, 'llc()'):.2f} | {geometric_mean(some, 'by hand'):.2f} |"
        for name, some in groups.items()
        if some
    ]
    return "\n".join(head + lines)


def lost(rows: list[dict[str, Any]]) -> str:
    """The comparisons where our error is above 1.05 × theirs, surely or perhaps."""
    lines = []
    for one in rows:
        found = {**one["ratio"], "`llc()`'s reading of the same draws": one["without_burn_in"] or (0, 0, 0)}
        kind = f"batches of {one['batch']}" if one["batch"] else "full batch"
        lines += [
            f"- {one['problem']}, {kind}, beside {program}: {interval(values)}, "
            + ("surely" if values[1] > 1 else "within the noise of the seeds")
            for program, values in found.items()
            if values[0] > 1.05
        ]
    return "\n".join(lines or ["- none"])


def page(rows: list[dict[str, Any]]) -> str:
    minibatch, full = [one for one in rows if one["batch"]], [one for one in rows if not one["batch"]]
    sizes = "quadratics 20, the others 50"
    return f"""# The error of λ̂ beside devinterp 2.0.1

Written by `python -m benchmarks.peers --write`. The program's text says how the environment of devinterp is made.

{TEXT.format(chains=CHAINS, draws=DRAWS, burn_in=BURN_IN, n=N, nbeta=INVERSE_TEMPERATURE, gradients=CHAINS * (DRAWS + BURN_IN))}

## Figures

{means(rows)}

Asked for: 0.5 over the minibatch rows, 1.05 in each row of the full batches.

## Minibatches (of {sizes})

{table(minibatch)}

## Full batches

{table(full)}

## Rows where our error is above 1.05 × theirs

{lost(rows)}
"""


TEXT = """Root of the mean square error over seeds, its mean (the bias) in brackets; 95% intervals over resampled seeds.

**The same work.** Loss (one source for JAX and PyTorch), data, w*, ε, nβ = {nbeta:.3f}, γ, batch size, {chains} chains of
{burn_in} steps of burn-in and {draws} draws: {gradients} gradients each, float32, n = {n}. Plain SGLD in both: devinterp's
default `sgmcmc_sgld`, whose update is ours. ε, γ: 2e-4, 1 (quadratics); 1e-3, 10 (crossings); .04 / (nβ h_max), 1 (networks).

**Exact** is nβ E[L(w) - L(w*)] under the local posterior, which neither step nor batch enters: Σ nβ h / 2 / (nβ h + γ) for the
quadratics, the same with the Hessian's non-zero eigenvalues for the networks (Laplace's approximation on a smooth fibre),
quadrature for the crossings. What step and batch add counts as an error of both.

**devinterp in two ways.**

- `llc()`: as documented, `devinterp.slt.llc.llc`'s llc_mean with every argument that the work does not fix left at its
  default: `num_init_loss_batches=32`, `match_sampling_input_ids_across_chains=True`, `shuffle=True`. It averages burn-in
  in, by its docstring.
- by hand: `num_init_loss_batches` for one whole pass, `match_sampling_input_ids_across_chains=False`, and λ̂ from the stored
  `sampling_loss`, which has no burn-in. A user has to know to do it.

Both take `observables={{}}`: they cost evaluations and do not enter λ̂. A "sequence" is the number of an example, of one loss, by
`loss_fn`. The full batch is one sequence whose loss is the mean over all examples; there both ways read the same draws, and
`by hand` is the same Markov chain and the same average as ours: its ratio is 1 but for the noise of the seeds. `llc()` averages
the burn-in of that chain in; what this alone does is measured in the last column, on 200 repetitions of our own chains.
Ours draws batches independently, with replacement. devinterp goes through a permutation of the data and replays it: a batch
is read just after all the others of its pass have moved the chain away from it, which adds to λ̂ (the bias of `by hand`
where labels have noise).

**Where the difference comes from.** Ours subtracts the loss at w* on the same batch. Theirs subtracts a mean over other
batches, whose error, times nβ, stays in λ̂ however long the chains. Where labels have no noise the loss at w* is 0 and there
is nothing to pair."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, default=Path(".peers"), help="the virtual environment with devinterp")
    parser.add_argument("--seeds", type=int, default=12, help="seeds of a minibatch row")
    parser.add_argument("--full-batch-seeds", type=int, default=24, help="seeds of a full-batch row")
    parser.add_argument("--processes", type=int, default=2, help="rows at a time, each with a process of the peer")
    parser.add_argument("--only", default="", help="problems whose name contains this")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE}")
    parser.add_argument("--output", type=Path, help="keep every estimate here as JSON; rows that it has are not measured again")
    arguments = parser.parse_args()
    chosen = [problem for problem in problems() if arguments.only in problem.name]
    places = range(len(chosen))
    rows = kept(arguments.output, chosen)
    left = [place for place in places if place not in rows]

    def some(first: int) -> None:
        with peer(arguments.peers) as ask:
            for place in left[first :: arguments.processes]:
                seeds = arguments.seeds if chosen[place].batch_size else arguments.full_batch_seeds
                rows[place] = row(chosen[place], measure(ask, chosen[place], seeds))
                print(line(rows[place]), flush=True)
                if arguments.output:
                    arguments.output.write_text(json.dumps([rows[place] for place in sorted(rows)], indent=1) + "\n")

    with ThreadPoolExecutor(arguments.processes) as pool:
        list(pool.map(some, range(arguments.processes)))
    report([rows[place] for place in places], write=arguments.write)


def kept(output: Path | None, chosen: list[Problem]) -> dict[int, dict[str, Any]]:
    """The rows of an earlier run, by the place of their problem."""
    if not (output and output.exists()):
        return {}
    found = {(one["problem"], one["batch"]): one for one in json.loads(output.read_text())}
    names = [(problem.name, problem.batch_size) for problem in chosen]
    return {place: found[name] for place, name in enumerate(names) if name in found}


def report(rows: list[dict[str, Any]], *, write: bool) -> None:
    print(means(rows))
    if write:
        PAGE.write_text(page(rows))


if __name__ == "__main__":
    main()
