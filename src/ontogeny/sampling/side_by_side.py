"""Sampling at several settings with one compiled program: kernels with other numbers, other nβ, other γ.

Settings are arguments of the program of `chains.sample`. A job that samples at other settings, with as many checkpoints, chains
and draws as another job, finds that job's program in the compilation cache.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from ontogeny.arrays.flat import Checkpoints, Parameters, single_precision
from ontogeny.arrays.parts import call_in_chunks, row_count
from ontogeny.sampling import checks
from ontogeny.sampling.chains import as_draws, bind, plan_program, program_arguments
from ontogeny.sampling.draws import Draws
from ontogeny.sampling.layout import Layout
from ontogeny.sampling.program import Settings, run_chains, stack_settings
from ontogeny.sampling.target import Target


def sample_at(
    settings: Sequence[Settings],
    target: Target,
    checkpoints: Checkpoints,
    *,
    key: Key[Array, ""],
    chains: int,
    lanes: int,
    draws: int,
    burn_in: int,
    steps: Sequence[int],
    layout: Layout | None = None,
) -> list[Draws]:
    """Return the draws at each of several settings, as `sample` would at one of them.

    One call of the program runs `lanes` chains at each checkpoint, of one setting or of several; the last chain fills up the last
    call.

    Args:
        settings: of the target, with other numbers. Whether a gradient at w* is negligible is decided at the target's own.
        chains: of each setting.
    """
    checkpoints = jax.tree.map(jnp.asarray, single_precision(checkpoints))
    program = plan_program(target, checkpoints, lanes, draws, burn_in, 1, layout)
    arguments = program_arguments(program, target, key, {})
    pairs = [(number, own) for own in settings for number in range(chains)]
    count = row_count(checkpoints)
    results = []
    for first in range(0, len(pairs), lanes):
        some = [pairs[min(place, len(pairs) - 1)] for place in range(first, first + lanes)]
        arguments["numbers"] = jnp.asarray([number for number, _ in some])
        own = stack_settings([[own for _, own in some]] * count, checkpoints)
        results.append(run_chains(target.loss, program, checkpoints=checkpoints, settings=own, **arguments))
    checks.check_baseline(results[0]["baseline"], np.asarray(steps))
    joined = {name: np.concatenate([np.asarray(each[name]) for each in results], axis=1) for name in ("values", "first_order")}

    def draws_of(place: int, own: Settings) -> Draws:
        mine = slice(place * chains, (place + 1) * chains)
        measured = {**results[0], **{name: array[:, mine] for name, array in joined.items()}}
        at = target._replace(inverse_temperature=own.inverse_temperature, localization=own.localization)
        return as_draws(measured, at, checkpoints, np.asarray(steps))

    return [draws_of(place, own) for place, own in enumerate(settings)]


def values_at(
    settings: Sequence[Settings],
    target: Target,
    checkpoint: Checkpoints,
    *,
    size: int,
    key: Key[Array, ""],
    chains: int,
    draws: int,
    collect: Mapping[str, Callable[[Parameters], Any]],
    thin: int,
) -> Float[np.ndarray, "settings chains draws"]:
    """Return the values of chains from one checkpoint at each of several settings, nothing discarded.

    Args:
        checkpoint: pytree, every leaf with a leading axis of 1.
        size: how many settings one call of the program takes, in the place of as many checkpoints.
        collect, thin: as in `sample`; they decide, as `size` does, whether the program is one that was compiled before.
    """
    checkpoint = jax.tree.map(np.asarray, single_precision(checkpoint))
    shapes = jax.tree.map(lambda leaf: np.repeat(leaf, size, axis=0), checkpoint)
    program = plan_program(target, shapes, chains, draws, 0, thin, None)
    rows = (
        jax.tree.map(lambda leaf: np.repeat(leaf, len(settings), axis=0), checkpoint),
        jax.tree.map(np.asarray, stack_settings([[own] * chains for own in settings], checkpoint)),
    )
    run = bind(program, target, key, collect)
    # As `sample` passes them: for arrays of NumPy the program would be looked up anew.
    return call_in_chunks(lambda some: run(jax.tree.map(jnp.asarray, some)), rows, size)["values"]
