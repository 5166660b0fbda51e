"""`python -m benchmarks.training`: steps a second of the compiled training loop, and what its parts bring.

The same training, batch for batch: by ontogeny's loop; by whole batches, where that takes micro-batches; by a straightforward
Optax loop, one jitted step called from Python, as in notebooks; and of a toy model, eight seeds stacked, as a job trains them
(one after another they take eight times as long as one). The work is that of `benchmarks.speed` under Adam, and config.yaml's.

After compilation, on one pinned core, in CPU seconds; programs alternate (A B A B), and ratios are taken within a round.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import optax

from benchmarks import speed_jax, speed_workloads
from benchmarks.cores import pin
from benchmarks.speed import code
from benchmarks.speed_workloads import WORKLOADS
from ontogeny.arrays.memory import choose_microbatch
from ontogeny.config.reading import read_study
from ontogeny.problem.build import build_problem
from ontogeny.problem.keys import TRAIN, seed_keys
from ontogeny.problem.problem import Data, Problem
from ontogeny.training import loop as training
from ontogeny.training.optimizers import build_optimizer

CONFIG = Path(__file__).parent.parent / "config.yaml"
STEPS = {"tms": 10000, "dln": 600, "tf": 40, "tfl": 20, "superposition": 20000, "induction": 100}  # one to three seconds
SEEDS, TOYS = range(8), ("tms", "superposition")
RATIOS = {
    "× whole batches'": ("ontogeny", "whole batches"),
    "× that of a loop in Python": ("ontogeny", "in Python"),
    "8 seeds stacked × one": ("stacked", "ontogeny"),
}
Program = Callable[[], Any]


def subject(name: str) -> tuple[Problem, optax.GradientTransformation]:
    """A workload under Adam, or a family of config.yaml (the last variant) as it is trained."""
    if name in WORKLOADS:
        return of_workload(name), optax.adam(1e-3)
    family = [variant.family for variant in read_study(CONFIG)[1] if variant.family_name == name][-1]
    problem = build_problem(family.task, family.model, batch_size=family.training.batch_size, base=CONFIG.parent)
    return problem, build_optimizer(family.training)


def of_workload(name: str) -> Problem:
    """The problem of a workload, from its first checkpoint on; batches are drawn anew at every step."""
    work, (checkpoints, arrays) = WORKLOADS[name], speed_workloads.problem(name)
    examples: Any = jax.tree.map(jnp.asarray, arrays)
    start = {leaf: jnp.asarray(array[0]) for leaf, array in checkpoints.items()}

    def batch(key: Any, step: Any) -> Any:
        indices = jax.random.randint(jax.random.fold_in(key, step), (work.batch_size,), 0, work.n)
        return jax.tree.map(lambda leaf: leaf[indices], examples)

    data = Data(train=batch, sampling=examples, evaluation=examples)
    return Problem(init=lambda key: start, loss=speed_jax.loss_of(name), data=data)


def compiled(problem: Problem, optimizer: optax.GradientTransformation, seeds: Sequence[int], steps: int) -> Program:
    """Parameters of the seeds after ontogeny's own loop; every leaf has a leading axis of seeds."""
    advance = training.compile_training(problem, optimizer)
    state, keys = training.initial_state(problem, optimizer, seeds), seed_keys(seeds, TRAIN)
    return lambda: advance(state, keys, jnp.array([0]), jnp.array([steps]))[0].params


def in_python(problem: Problem, optimizer: optax.GradientTransformation, seed: int, steps: int) -> Program:
    """Parameters after the loop of a notebook, which takes batches inside its jitted step and never waits for a loss."""

    @jax.jit
    def step(params: Any, state: Any, key: Any, number: Any) -> tuple[Any, Any, Any]:
        batch = problem.data.train(key, number)
        loss, gradient = jax.value_and_grad(lambda params: problem.loss(params, batch).mean())(params)
        updates, state = optimizer.update(gradient, state, params)
        return optax.apply_updates(params, updates), state, loss

    stacked = training.initial_state(problem, optimizer, [seed]), seed_keys([seed], TRAIN)
    first, key = jax.tree.map(lambda leaf: leaf[0], stacked)

    def run() -> Any:
        params, state = first
        for number in range(steps):
            params, state, _ = step(params, state, key, number)
        return params

    return run


def seconds(program: Program) -> float:
    start = time.process_time()
    jax.block_until_ready(program())
    return time.process_time() - start


def measure(name: str, rounds: int) -> dict[str, Any]:
    """Sizes of batches, and steps a second of every program in each round; a step of each seed is one."""
    (problem, optimizer), steps = subject(name), STEPS[name]
    batch = problem.data.train(jax.random.key(0), jnp.asarray(0))
    count = jax.tree.leaves(batch)[0].shape[0]
    microbatch = choose_microbatch(problem.loss, problem.init(jax.random.key(0)), batch, count)
    programs = {"ontogeny": compiled(problem, optimizer, [0], steps), "in Python": in_python(problem, optimizer, 0, steps)}
    if microbatch is not None:
        programs["whole batches"] = compiled(problem, optimizer, [0], steps)
        with mock.patch.object(training, "choose_microbatch", return_value=None):
            seconds(programs["whole batches"])
    if name in TOYS:
        programs["stacked"] = compiled(problem, optimizer, SEEDS, steps)
    for program in programs.values():
        seconds(program)
    taken = [{program: seconds(run) for program, run in programs.items()} for _ in range(rounds)]
    rates = {one: [steps * (len(SEEDS) if one == "stacked" else 1) / each[one] for each in taken] for one in programs}
    return {"code": code(), "work": name, "batch": count, "microbatch": microbatch, "steps_per_second": rates}


def ratio(rates: dict[str, list[float]], one: str, other: str) -> str:
    """The median over rounds of one speed in units of another, and the lowest and highest."""
    if one not in rates or other not in rates:
        return ""
    each = [mine / its for mine, its in zip(rates[one], rates[other], strict=True)]
    return f"{statistics.median(each):.2f} ({min(each):.2f} to {max(each):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--works", nargs="+", default=list(STEPS), choices=list(STEPS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, help="write the rows here as JSON")
    arguments = parser.parse_args()
    pin()
    print(f"| work | micro-batch | steps/s | {' | '.join(RATIOS)} |\n|---|---|---|{'---|' * len(RATIOS)}")
    rows = []
    for name in arguments.works:
        rows.append(row := measure(name, arguments.rounds))
        rates = row["steps_per_second"]
        cells = [f"{row['microbatch'] or 'whole'} of {row['batch']}", f"{statistics.median(rates['ontogeny']):,.4g}"]
        print(f"| {' | '.join([name, *cells, *(ratio(rates, *pair) for pair in RATIOS.values())])} |", flush=True)
    if arguments.output:
        arguments.output.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
