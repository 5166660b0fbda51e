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
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np

import ontogeny
from benchmarks.peers_losses import LOSSES
from benchmarks.peers_page import line, means, page
from benchmarks.peers_problems import BURN_IN, CHAINS, DRAWS, INVERSE_TEMPERATURE, Problem, problems

PAGE = Path("docs/accuracy-peers.md")


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
