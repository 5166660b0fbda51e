"""Sampling the local posterior around checkpoints: one call of a compiled program over checkpoints × chains × draws.

`sample` may be called again with another key, other checkpoints, data, step size, nβ, γ or mask. Nothing is compiled anew as long
as `loss` is the same object and the shapes are the same. The data is an argument of the program, never a constant in it, so JAX's
persistent cache keeps the compiled program small and finds it in the next process.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from jaxtyping import Array, Key
from tqdm import tqdm

from ontogeny.arrays.flat import Checkpoints, Mask, Parameters, parameter_count, shapes_of_one, single_precision
from ontogeny.arrays.parts import call_in_chunks, row_count
from ontogeny.sampling import checks
from ontogeny.sampling.draws import Draws
from ontogeny.sampling.kernels.kernel import Kernel
from ontogeny.sampling.layout import Layout, choose_layout, even_size
from ontogeny.sampling.over_devices import spread_over
from ontogeny.sampling.program import Program, Settings, run_chains, same_settings
from ontogeny.sampling.target import Target


def sample(
    target: Target,
    checkpoints: Checkpoints,
    sampler: Kernel,
    *,
    key: Key[Array, ""],
    chains: int = 8,
    draws: int = 500,
    burn_in: int = 200,
    collect: Mapping[str, Callable[[Parameters], Any]] | None = None,
    thin: int = 1,
    steps: Sequence[int] | None = None,
    progress: bool = False,
    layout: Layout | None = None,
) -> Draws:
    """Run `chains` chains around every checkpoint.

    The random numbers are a function of (key, chain, block of 16 draws), the same at every checkpoint. Checkpoints, and chains
    where there are fewer checkpoints than devices, are spread over all devices of the process.

    Args:
        target: the local posterior, made by `Target.of`.
        checkpoints: pytree, every leaf with a leading axis of K checkpoints. Half precision is raised to float32.
        sampler: the kernel and its numbers.
        key: of the random numbers.
        chains, draws, burn_in: chains at each checkpoint, and the draws of each that are kept and that are discarded before them.
        collect: name -> a function of the parameters, evaluated at every `thin`-th kept draw. What a function closes over becomes
            part of the compiled program; the arguments of a `jax.tree_util.Partial` are arguments of it.
        thin: see `collect`.
        steps: labels of the checkpoints; None for 0 … K-1.
        progress: show a bar over checkpoints, which then run one group after another.
        layout: how the work is laid out; a stored layout keeps the order of summation. None for the one that suits the loss and
            the backend.

    Raises:
        ValueError: naming the argument, its value, and what was expected; or the loss is not finite at a checkpoint.
    """
    checks.check_counts(chains=(chains, 1), draws=(draws, 1), burn_in=(burn_in, 0), thin=(thin, 1))
    checks.check_key(key)
    checks.check_sampler(sampler)
    sampler.check(full_batch=target.full_batch)
    count = checks.leading_axis(checkpoints, "checkpoints", "K checkpoints", checks.STACK)
    checks.check_steps(steps, count)
    checkpoints = jax.tree.map(jnp.asarray, single_precision(checkpoints))
    program = plan_program(target, checkpoints, chains, draws, burn_in, thin, layout)
    settings = same_settings(settings_of(target, sampler), checkpoints, chains)
    run = bind(program, target, key, collect or {})
    side_by_side = program.layout.checkpoints * program.spread[0]
    rows = (checkpoints, settings)
    measured = with_progress(run, rows, side_by_side) if progress else run(rows)
    labels = np.arange(count) if steps is None else np.asarray(steps)
    checks.check_baseline(measured["baseline"], labels)
    return as_draws(measured, target, checkpoints, labels)


def settings_of(target: Target, sampler: Kernel) -> Settings:
    return Settings(sampler, target.inverse_temperature, target.localization)


def as_draws(measured: Mapping[str, Any], target: Target, checkpoints: Checkpoints, labels: np.ndarray) -> Draws:
    """Return what the program measured, with what is known of its target."""
    return Draws(
        **measured,
        inverse_temperature=target.inverse_temperature,
        localization=target.localization,
        n=target.n,
        batch_size=target.batch_size,
        dimension=free_parameters(checkpoints, target.mask) - (target.projection is not None),
        steps=labels,
    )


def plan_program(
    target: Target, checkpoints: Checkpoints, chains: int, draws: int, burn_in: int, thin: int, layout: Layout | None
) -> Program:
    """Return what the compiled program depends on: counts, how the work is laid out, and over which devices it is spread."""
    count = row_count(checkpoints)
    spread = spread_over(jax.local_device_count(), count, chains)
    on_one_device = -(-count // spread[0])
    if layout is None:
        examples, chains_together = target.examples_per_step, chains // spread[1]
        layout = choose_layout(target.loss, shapes_of_one(checkpoints), target.data, examples, chains_together, on_one_device)
    return Program(
        chains=chains,
        draws=draws,
        burn_in=burn_in,
        batch_size=target.batch_size,
        layout=layout._replace(checkpoints=even_size(on_one_device, layout.checkpoints)),
        spread=spread,
        normal_to_gradient=target.projection == "gradient",
        control_variates=target.control_variates and not target.full_batch,
        thin=thin,
    )


def bind(
    program: Program, target: Target, key: Key[Array, ""], collect: Mapping[str, Callable[[Parameters], Any]]
) -> Callable[[tuple[Checkpoints, Settings]], dict[str, Any]]:
    """Return the compiled program as a function of the checkpoints and the settings of every chain at each of them."""
    arguments = program_arguments(program, target, key, collect)
    return lambda rows: run_chains(target.loss, program, checkpoints=rows[0], settings=rows[1], **arguments)


def program_arguments(
    program: Program, target: Target, key: Key[Array, ""], collect: Mapping[str, Callable[[Parameters], Any]]
) -> dict[str, Any]:
    """Return the arguments of the compiled program that are the same for all checkpoints and settings."""
    return {
        "data": target.data,
        "key": key,
        "numbers": jnp.arange(program.chains),
        "inverse_temperature": target.inverse_temperature,
        "localization": target.localization,
        "mask": target.mask,
        "collect": {name: f if isinstance(f, Partial) else Partial(f) for name, f in collect.items()},
    }


def with_progress(run: Callable[[Any], dict[str, Any]], rows: tuple[Checkpoints, Settings], size: int) -> dict[str, Any]:
    """Run the program on `size` checkpoints after another, with a bar."""
    with tqdm(total=row_count(rows), desc="sampling", unit="checkpoint") as bar:
        return call_in_chunks(run, rows, size, lambda done: bar.update(done - bar.n))


def free_parameters(checkpoints: Checkpoints, mask: Mask | None) -> int:
    """Return the number of parameters that may move."""
    if mask is None:
        return parameter_count(checkpoints)
    return int(sum(np.count_nonzero(leaf) for leaf in jax.tree.leaves(mask)))
