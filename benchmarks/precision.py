"""`python -m benchmarks.precision RESULTS`: what buys the most precision of λ̂ per gradient, on runs of a finished default study.

Chains of SGLD at the study's own ε, nβ and γ around neighbouring checkpoints of one run. The cost of a way to sample is the
gradients of single examples that it takes; its variance is that of λ̂ from one chain, over independent chains. The table gives
variance × cost beside that of the way the study samples: the gradients needed for the same error, of λ̂ and of its difference
from a checkpoint to the next, where chains meet the same noise and batches, or not.

Burn-in: from which draw on the mean over chains stays within 5% of its settled value, started at w*, or at the offset w - w* with
which the same chain ended at the checkpoint before.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from ontogeny.checkpoints import blocks as checkpoints
from ontogeny.config.reading import read_study
from ontogeny.pipeline.files import read_json
from ontogeny.problem.build import build_problem
from ontogeny.training.schedule import sampled_steps


class Around(NamedTuple):
    """A loss of examples by number, as a function of flat parameters; the study's settings; checkpoints in order."""

    loss: Callable[[Any, Any], Any]
    centers: Any
    n: int
    step_size: float
    inverse_temperature: float
    localization: float


class Way(NamedTuple):
    """How a chain is run: batches (of all n if `batch` is n), drawn anew or in passes; with control variates or without."""

    batch: int
    passes: bool = False
    control_variates: bool = False

    @property
    def cost(self) -> int:
        return self.batch * (2 if self.control_variates else 1)


def around(config_file: Path, results: Path, family: str, variant: str, count: int) -> Around:
    """`count` neighbouring sampled checkpoints, from a third of the first seed's run on."""
    _, variants = read_study(config_file)
    chosen = next(one for one in variants if (one.family_name, one.name) == (family, variant))
    seed = results / family / variant / f"seed~{chosen.seeds[0]}"
    problem = build_problem(chosen.family.task, chosen.family.model, base=config_file.parent)
    kept = sampled_steps(read_json(seed / "manifest" / "train.json")["steps"], chosen.family.llc.checkpoints)
    first = len(kept) // 3
    _, params = checkpoints.read(seed / "checkpoints", kept[first : first + count])
    calibration = read_json(results / family / variant / "calibration.json")
    unflatten = ravel_pytree({name: array[0] for name, array in params.items()})[1]
    centers = jnp.stack([ravel_pytree({name: array[place] for name, array in params.items()})[0] for place in range(count)])
    data = jax.tree.map(jnp.asarray, problem.data.sampling)

    def loss(position: Any, indices: Any) -> Any:
        return problem.loss(unflatten(position), jax.tree.map(lambda leaf: leaf[indices], data))

    numbers = (calibration["sampler"]["step_size"], calibration["inverse_temperature"], calibration["localization"])
    return Around(loss, centers, jax.tree.leaves(data)[0].shape[0], *numbers)


@partial(jax.jit, static_argnums=(0, 1, 3))
def run(work: tuple, way: Way, keys: Any, draws: int, centers: Any, offset: Any) -> tuple[Any, Any, Any]:
    """[checkpoints, chains, draws] of L_b(w) - L_b(w*) and of L_b(w*) - L_n(w*), and the last offsets w - w*.

    `keys` are [checkpoints, chains]: equal along the first axis for common random numbers.
    """
    loss, n, step_size, inverse_temperature, localization = work

    def at_checkpoint(center: Any, keys: Any, offsets: Any) -> Any:
        everything = jnp.arange(n)
        baselines = jax.lax.map(lambda index: loss(center, index[None])[0], everything)
        anchor = jax.grad(lambda position: loss(position, everything).mean())(center)

        def step(carry: Any, number: Any) -> Any:
            position, key = carry
            indices = chosen(way, key, number, n)
            gradient_of = jax.value_and_grad(lambda position: loss(position, indices).mean())
            value, gradient = gradient_of(position)
            value -= baselines[indices].mean()
            if way.control_variates:
                noise = gradient_of(center)[1] - anchor
                value, gradient = value - noise @ (position - center), gradient - noise
            drift = inverse_temperature * gradient + localization * (position - center)
            random = jax.random.normal(jax.random.fold_in(jax.random.fold_in(key, 1), number), position.shape)
            moved = position - step_size / 2 * drift + jnp.sqrt(step_size) * random
            return (moved, key), (value, baselines[indices].mean() - baselines.mean())

        def chain(key: Any, offset: Any) -> Any:
            (last, _), seen = jax.lax.scan(step, (center + offset, key), jnp.arange(draws))
            return (*seen, last - center)

        return jax.lax.map(lambda one: chain(*one), (keys, offsets))

    return jax.lax.map(lambda one: at_checkpoint(*one), (centers, keys, offset))


def chosen(way: Way, key: Any, number: Any, n: int) -> Any:
    """The examples of a step: all, independent ones, or the next part of a permutation."""
    key = jax.random.fold_in(key, 0)
    if way.batch == n:
        return jnp.arange(n)
    if not way.passes:
        return jax.random.randint(jax.random.fold_in(key, number), (way.batch,), 0, n)
    parts = n // way.batch
    order = jax.random.permutation(jax.random.fold_in(key, number // parts), n)
    return jax.lax.dynamic_slice(order, (number % parts * way.batch,), (way.batch,))


BOOTSTRAP = 200


class Spread(NamedTuple):
    """Of λ̂ from one chain: its mean, its variance, and that of differences between neighbouring checkpoints."""

    mean: float
    variance: float
    difference: float


def spread(per_chain: Any) -> Spread:
    """Over chains, a mean over checkpoints; `per_chain` is [checkpoints, chains]."""
    difference = float(np.diff(per_chain, axis=0).var(axis=1, ddof=1).mean())
    return Spread(float(per_chain.mean()), float(per_chain.var(axis=1, ddof=1).mean()), difference)


def ratios(own: Any, ours: Any, cost: float) -> str:
    """Variance × cost beside ours, of λ̂ and of differences, with errors: the bootstrap over chains, the same for both."""
    generator = np.random.default_rng(0)
    drawn = [np.arange(own.shape[1]), *(generator.integers(own.shape[1], size=own.shape[1]) for _ in range(BOOTSTRAP))]
    pairs = [(spread(own[:, some]), spread(ours[:, some])) for some in drawn]
    told = []
    for name in ("variance", "difference"):
        found = cost * np.array([getattr(one, name) / getattr(other, name) for one, other in pairs])
        told.append(f"{found[0]:.2g} ± {found[1:].std():.1g}")
    return " | ".join(told)


def settled_after(trace: np.ndarray, burn_in: int) -> int:
    """The first draw from which the mean over chains stays within 5%, in windows of a twentieth of the burn-in."""
    window = max(1, burn_in // 20)
    mean = trace.reshape(-1, trace.shape[-1]).mean(axis=0)
    mean = mean[: len(mean) // window * window].reshape(-1, window).mean(axis=1)
    settled = mean[burn_in // window :].mean()
    outside = np.flatnonzero(np.abs(mean[: burn_in // window] - settled) > 0.05 * abs(settled))
    return window * (int(outside[-1]) + 1) if len(outside) else 0


def measure(name: str, found: Around, ways: dict[str, Way], chains: int, burn_in: int, draws: int) -> None:
    """Print the rows of a family; the first way is the study's own."""
    work = (found.loss, found.n, found.step_size, found.inverse_temperature, found.localization)
    count = len(found.centers)
    nothing = jnp.zeros((count, chains, found.centers.shape[1]))
    same = jnp.broadcast_to(jax.random.split(jax.random.key(0), chains), (count, chains))
    own = jax.random.split(jax.random.key(1), (count, chains))

    def sampled(way: Way, keys: Any, offsets: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        values, baselines, last = run(work, way, keys, burn_in + draws, found.centers, offsets)
        return found.inverse_temperature * np.asarray(values), found.inverse_temperature * np.asarray(baselines), np.asarray(last)

    means = {}
    for label, way in ways.items():
        values, baselines, last = sampled(way, same, nothing)
        kept = values[..., burn_in:]
        means[label] = (kept.mean(axis=-1), way.cost)
        if len(means) > 1:
            continue
        means["  no paired baseline: L_b(w) - L_n(w*)"] = ((kept + baselines[..., burn_in:]).mean(axis=-1), way.cost)
        for every in (4, 16):
            means[f"  every {every}th draw kept"] = (kept[..., ::every].mean(axis=-1), way.cost)
        others = sampled(way, own, nothing)[0][..., burn_in:].mean(axis=-1)
        means["  other random numbers at every checkpoint"] = (others, way.cost)
        warm = sampled(way, jax.vmap(jax.vmap(partial(jax.random.fold_in, data=9)))(same), np.concatenate([last[:1], last[:-1]]))[
            0
        ]
        starts = settled_after(values[1:], burn_in), settled_after(warm[1:], burn_in)
    ours, cost = next(iter(means.values()))
    for label, (per_chain, own_cost) in means.items():
        one = spread(per_chain)
        told = f"{one.mean:.2f} ± {np.sqrt(one.variance / chains):.2f} | {np.sqrt(one.variance):.3g}"
        print(f"| {name} | {label} | {told} | {ratios(per_chain, ours, own_cost / cost)} |", flush=True)
    print(f"{name}, settled after: {starts[0]} draws from w*, {starts[1]} from the neighbour's offset", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--configfile", type=Path, default=Path("config.yaml"))
    parser.add_argument(
        "--chains", type=int, default=64, help="independent chains of the toy model; a quarter of the transformer"
    )
    arguments = parser.parse_args()
    print("| family | way | λ̂ | error of a chain's | gradients for the same error, × | for that of a difference, × |")
    print("|---|---|---|---|---|---|")
    toy = around(arguments.configfile, arguments.results, "superposition", "base", 4)
    ways = {
        "ontogeny: full batch": Way(toy.n),
        "batches of 100": Way(100),
        "batches of 100, control variates": Way(100, control_variates=True),
        "batches of 100, in passes": Way(100, passes=True),
        "batches of 20": Way(20),
    }
    measure("superposition", toy, ways, arguments.chains, 500, 1500)
    network = around(arguments.configfile, arguments.results, "induction", "layers~2", 2)
    ways = {
        "ontogeny: batches of 32": Way(32),
        "batches of 32, control variates": Way(32, control_variates=True),
        "batches of 32, in passes": Way(32, passes=True),
        "batches of 8": Way(8),
    }
    measure("induction", network, ways, arguments.chains // 4, 50, 100)


if __name__ == "__main__":
    main()
