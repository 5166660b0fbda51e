"""`python -m benchmarks.speed`: SGLD on the toy model of superposition, ours beside a straightforward JAX program.

The work: 18 parameters, batch 500 of n = 1000, 10 chains × 500 steps (100 of them burn-in) × 20 checkpoints, float32.
Two ways of writing the same loss are timed, since it decides more than the sampler does: `examples first`, as one
writes it, and `examples last`, with the batch on the minor axis. Every measurement is a process of its own with an
empty compilation cache; programs alternate (A B A B), and medians are compared.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PROGRAMS = ("straightforward", "ontogeny")
LOSSES = ("examples first", "examples last")
CHECKPOINTS, CHAINS, DRAWS, BURN_IN, BATCH, N, FEATURES, HIDDEN = 20, 10, 400, 100, 500, 1000, 6, 2
STEP_SIZE, INVERSE_TEMPERATURE, LOCALIZATION = 1e-3, 144.765, 1.0
STEPS = CHECKPOINTS * CHAINS * (DRAWS + BURN_IN)


def examples_first(parameters: Any, batch: Any) -> Any:
    """Squared error of ReLU(Wᵀ W x + b), summed over coordinates."""
    import jax

    weight, bias = parameters["weight"], parameters["bias"]
    return ((jax.nn.relu(batch @ weight.T @ weight + bias) - batch) ** 2).sum(axis=-1)


def examples_last(parameters: Any, batch: Any) -> Any:
    """The same numbers with the batch on the minor axis."""
    import jax

    weight, columns = parameters["weight"], batch.T
    return ((jax.nn.relu(weight.T @ (weight @ columns) + parameters["bias"][:, None]) - columns) ** 2).sum(axis=0)


def workload() -> tuple[Any, Any]:
    """Checkpoints near regular polygons, and n inputs with one active feature each."""
    import jax
    import jax.numpy as jnp

    where, size, noise = jax.random.split(jax.random.key(0), 3)
    active = jax.nn.one_hot(jax.random.randint(where, (N,), 0, FEATURES), FEATURES)
    angles = 2 * jnp.pi * jnp.arange(FEATURES) / FEATURES
    weight = jnp.stack([jnp.cos(angles), jnp.sin(angles)]) + 0.1 * jax.random.normal(noise, (CHECKPOINTS, HIDDEN, FEATURES))
    return {"weight": weight, "bias": jnp.full((CHECKPOINTS, FEATURES), -0.3)}, active * jax.random.uniform(size, (N, 1))


def straightforward(loss: Any) -> Any:
    """Scan over draws, vmap over chains, lax.map over checkpoints; a pytree of parameters; burn-in left out, paired."""
    import jax
    import jax.numpy as jnp

    def at_checkpoint(center: Any, data: Any, key: Any) -> Any:
        baselines = loss(center, data)

        def step(parameters: Any, key: Any) -> Any:
            batch_key, noise_key = jax.random.split(key)
            indices = jax.random.randint(batch_key, (BATCH,), 0, N)
            value, gradient = jax.value_and_grad(lambda parameters: loss(parameters, data[indices]).mean())(parameters)
            keys = dict(zip(parameters, jax.random.split(noise_key, len(parameters)), strict=True))
            moved = {
                name: leaf
                - STEP_SIZE / 2 * (INVERSE_TEMPERATURE * gradient[name] + LOCALIZATION * (leaf - center[name]))
                + jnp.sqrt(STEP_SIZE) * jax.random.normal(keys[name], leaf.shape)
                for name, leaf in parameters.items()
            }
            return moved, value - baselines[indices].mean()

        def chain(key: Any) -> Any:
            return jax.lax.scan(step, center, jax.random.split(key, BURN_IN + DRAWS))[1][BURN_IN:]

        return jax.vmap(chain)(jax.random.split(key, CHAINS))

    program = jax.jit(lambda checkpoints, data, key: jax.lax.map(lambda center: at_checkpoint(center, data, key), checkpoints))
    return lambda checkpoints, data, key: INVERSE_TEMPERATURE * program(checkpoints, data, key).mean(axis=(1, 2))


def ours(loss: Any) -> Any:
    """`estimate_llc`, errors and diagnostics included."""
    import ontogeny

    def estimate(checkpoints: Any, data: Any, key: Any) -> Any:
        return ontogeny.estimate_llc(
            loss,
            checkpoints,
            data,
            key=key,
            sampler=ontogeny.SGLD(step_size=STEP_SIZE),
            inverse_temperature=INVERSE_TEMPERATURE,
            localization=LOCALIZATION,
            chains=CHAINS,
            draws=DRAWS,
            burn_in=BURN_IN,
            batch_size=BATCH,
        ).mean

    return estimate


def measure(program: str, loss: str, repetitions: int) -> dict[str, float]:
    """On one core where the system can pin it: CPU seconds of this process up to the first result, then of repetitions."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    import jax

    function = {"straightforward": straightforward, "ontogeny": ours}[program](
        {LOSSES[0]: examples_first, LOSSES[1]: examples_last}[loss]
    )
    checkpoints, data = workload()
    mean = float(jax.block_until_ready(function(checkpoints, data, jax.random.key(0)))[0])
    first = time.process_time()
    seconds = []
    for seed in range(1, repetitions + 1):
        start = time.process_time()
        jax.block_until_ready(function(checkpoints, data, jax.random.key(seed)))
        seconds.append(time.process_time() - start)
    return {"whole_process": first, "steps_per_second": STEPS / statistics.median(seconds), "llc": mean}


def in_a_process(program: str, loss: str, repetitions: int) -> dict[str, float]:
    """`measure` in a fresh process without a compilation cache."""
    environment = {**os.environ, "JAX_ENABLE_COMPILATION_CACHE": "false", "JAX_PLATFORMS": "cpu"}
    code = f"import json; from benchmarks.speed import measure; print(json.dumps(measure({program!r}, {loss!r}, {repetitions})))"
    finished = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return json.loads(finished.stdout.splitlines()[-1])


def medians(results: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(result[name] for result in results) for name in results[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="processes per program and loss")
    parser.add_argument("--repetitions", type=int, default=5, help="timed calls after compilation, per process")
    parser.add_argument("--output", type=Path, help="write the results here as JSON")
    arguments = parser.parse_args()
    results: dict[tuple[str, str], list[dict[str, float]]] = {(program, loss): [] for loss in LOSSES for program in PROGRAMS}
    for _ in range(arguments.rounds):
        for (program, loss), measured in results.items():
            measured.append(in_a_process(program, loss, arguments.repetitions))
    rows = [{"program": program, "loss": loss, **medians(measured)} for (program, loss), measured in results.items()]
    print(f"{'program':<16}{'loss':<16}{'whole process, CPU s':>22}{'steps/s':>12}{'llc':>8}")
    for row in rows:
        print(
            f"{row['program']:<16}{row['loss']:<16}{row['whole_process']:>22.1f}{row['steps_per_second']:>12,.0f}{row['llc']:>8.2f}"
        )
    if arguments.output:
        arguments.output.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
