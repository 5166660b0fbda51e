"""`python -m benchmarks.layouts`: steps a second of the layout that is chosen, and of those beside it.

On the work of `benchmarks.speed`, one pinned core, after compilation; layouts alternate, the best of the rounds counts. What is
chosen follows from the loss alone; this table says what a choice by the clock would gain.
"""

import argparse
import time
from typing import Any

from benchmarks.cores import pin
from benchmarks.speed_workloads import WORKLOADS, problem

DRAWS = {"tms": 160, "dln": 48, "tf": 16, "tfl": 8}


def beside(chosen: Any, work: Any) -> list[Any]:
    """The chosen layout, and what differs from it by one switch or a factor of two."""
    if chosen.microbatch is not None:
        sizes = (max(chosen.microbatch // 2, 1), 2 * chosen.microbatch, 4 * chosen.microbatch, None)
        return [chosen, *(chosen._replace(microbatch=size) for size in sizes)]
    half = max(1, chosen.checkpoints // 2)
    other = chosen._replace(vectorize_chains=not chosen.vectorize_chains)
    return [chosen, other, chosen._replace(checkpoints=half), chosen._replace(checkpoints=1), other._replace(checkpoints=1),
            chosen._replace(microbatch=work.batch_size // 2)]  # fmt: skip


def measure(name: str, rounds: int) -> None:
    """Print a row per layout."""
    import jax

    import ontogeny
    from benchmarks import speed_jax
    from ontogeny.sampling.layout import choose_layout

    work, (checkpoints, data), loss = WORKLOADS[name], problem(name), speed_jax.loss_of(name)
    shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), checkpoints)
    chosen = choose_layout(loss, shapes, data, work.batch_size, work.chains, work.checkpoints)

    def seconds(layout: Any, seed: int) -> float:
        start = time.process_time()
        traces = ontogeny.sample(
            loss,
            checkpoints,
            data,
            key=jax.random.key(seed),
            draws=DRAWS[name],
            burn_in=0,
            layout=layout,
            **speed_jax.settings(work),
        )
        jax.block_until_ready(traces.values)
        return time.process_time() - start

    layouts = list(dict.fromkeys(beside(chosen, work)))
    for layout in layouts:
        seconds(layout, 0)
    taken = [[seconds(layout, number) for layout in layouts] for number in range(1, rounds + 1)]
    steps = work.checkpoints * work.chains * DRAWS[name]
    best = [min(column) for column in zip(*taken, strict=True)]
    for layout, used in zip(layouts, best, strict=True):
        chains = "together" if layout.vectorize_chains else "in turn"
        print(
            f"| {name}{', chosen' if layout == chosen else ''} "
            f"| {layout.checkpoints} | {chains} | {layout.microbatch or 'whole'} "
            f"| {steps / used:,.4g} | {best[0] / used:.2f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", nargs="+", default=list(DRAWS), choices=list(DRAWS))
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    pin()
    print("| work | checkpoints side by side | chains | micro-batch | steps/s | × the chosen one's |\n|---|---|---|---|---|---|")
    for name in arguments.work:
        measure(name, arguments.rounds)


if __name__ == "__main__":
    main()
