"""`python -m benchmarks.profile`: where the time of sampling goes, as shares, on the work of `benchmarks.speed`.

A JAX trace of the compiled program, one core. Every operation that XLA runs counts to what it is for: matrix products with what
is fused to them, the rest of the loss and its gradient, random numbers, batches (gathering), and the rest (the update, the trace
of values, copies); a fused operation to what its last one is for. The one pass over all data at w* is a kind of its own, counted
as often as it comes in the whole work, since the trace has fewer draws. What no operation accounts for is `between`; tracing
itself takes time for each operation, most where they are small.
"""

import argparse
import gzip
import json
import re
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.cores import pin
from benchmarks.speed_workloads import WORKLOADS, problem
from ontogeny.sampling.objective import PASS_AT_CENTER

DRAWS = {"tms": 320, "dln": 48, "tf": 16, "tfl": 8}
CHECKPOINTS = {"tms": 20, "dln": 5, "tf": 1, "tfl": 1}
"""Side by side or one after another: a trace holds a million events."""
INSTRUCTION = re.compile(r"^\s*(?:ROOT )?%?([\w.-]+) = .*?\s([\w-]+)\((.*)$", re.MULTILINE)
COMPUTATION = re.compile(r"^%?([\w.-]+) \(.*?\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
CONTAINERS = {"while", "call", "conditional"}
KINDS = ("products", "rest of the gradient", "random numbers", "batches", "pass at w*", "rest", "between")


def kinds_of(program: str) -> dict[str, str]:
    """Instruction -> what it is for, from the text of a compiled program."""
    bodies = dict(COMPUTATION.findall(program))
    kinds = {}
    for name, operation, rest in INSTRUCTION.findall(program):
        called = re.search(r"calls=%?([\w.-]+)", rest)
        source = re.search(r'op_name="([^"]*)"', rest)
        products = operation == "dot" or (called is not None and " dot(" in bodies.get(called[1], ""))
        if operation not in CONTAINERS:
            told = kind_of(source[1] if source else "")
            kinds[name] = "products" if products and told != "pass at w*" else told
    return kinds


def kind_of(source: str) -> str:
    """What an operation without a product is for, by the JAX operations that it came from."""
    if PASS_AT_CENTER in source:
        return "pass at w*"
    if any(word in source for word in ("threefry", "random", "erf_inv", "_normal", "_uniform")):
        return "random numbers"
    if "jvp" in source:
        return "rest of the gradient"
    return "batches" if "take" in source or source.endswith("gather") else "rest"


def trace(name: str) -> tuple[str, Any]:
    """The text of the compiled program, and the events of one run of it."""
    import jax

    import ontogeny
    from benchmarks import speed_jax
    from ontogeny.sampling.chains import plan_program, program_arguments, settings_of
    from ontogeny.sampling.program import run_chains, same_settings

    work, (checkpoints, data), loss = WORKLOADS[name], problem(name), speed_jax.loss_of(name)
    some = {leaf: jax.numpy.asarray(array[: CHECKPOINTS[name]]) for leaf, array in checkpoints.items()}
    settings = speed_jax.settings(work)
    sampler, chains = settings.pop("sampler"), settings.pop("chains")
    target = ontogeny.Target.of(loss, data, some, **settings)
    program = plan_program(target, some, chains, draws=DRAWS[name], burn_in=0, thin=1, layout=None)

    rows = {"checkpoints": some, "settings": same_settings(settings_of(target, sampler), some, chains)}

    def run(seed: int) -> None:
        arguments = program_arguments(program, target, jax.random.key(seed), {})
        jax.block_until_ready(run_chains(loss, program, **rows, **arguments))

    run(0)
    text = (
        run_chains.lower(loss, program, **rows, **program_arguments(program, target, jax.random.key(0), {})).compile().as_text()
    )
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder, create_perfetto_trace=True):
            run(1)
        file = next(Path(folder).rglob("*.trace.json.gz"))
        return str(text), json.loads(gzip.decompress(file.read_bytes()))["traceEvents"]


def shares(program: str, events: Any, name: str) -> dict[str, float]:
    """Kind -> share of the time of the program, with as many draws for each pass at w* as the work has."""
    kinds, seconds, whole = kinds_of(program), defaultdict(float), 0.0
    for event in events:
        if event.get("ph") == "X" and event["name"] in kinds:
            seconds[kinds[event["name"]]] += event["dur"]
        elif event.get("ph") == "X" and event["name"].startswith("ThunkExecutor::Execute"):
            whole = max(whole, event["dur"])
    seconds["between"] = max(whole - sum(seconds.values()), 0.0)
    seconds["pass at w*"] *= DRAWS[name] / (WORKLOADS[name].draws + WORKLOADS[name].burn_in)
    return {kind: seconds[kind] / sum(seconds.values()) for kind in KINDS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", nargs="+", default=list(DRAWS), choices=list(DRAWS))
    arguments = parser.parse_args()
    pin()
    print(f"| work | {' | '.join(KINDS)} |\n|---{'|---' * len(KINDS)}|")
    for name in arguments.work:
        found = shares(*trace(name), name)
        print(f"| {name} | {' | '.join(f'{100 * found[kind]:.0f}%' for kind in KINDS)} |", flush=True)


if __name__ == "__main__":
    main()
