"""Sample the same checkpoints at many settings: cells of step, nβ and γ, which are traced, so that one program serves all.

Cells of a small network run side by side and share their random numbers and batches; those of a larger one run one after another
in the program that `sample` compiles.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key

from ontogeny.arrays.flat import Checkpoints, Mask, flatten, shapes_of_one, single_precision
from ontogeny.arrays.parts import call_in_chunks, row_count
from ontogeny.sampling import checks
from ontogeny.sampling.chains import free_parameters, plan_program
from ontogeny.sampling.draws import Draws
from ontogeny.sampling.layout import choose_layout, even_size
from ontogeny.sampling.objective import Examples, Loss
from ontogeny.sampling.program import Program, Settings, run_chains
from ontogeny.sampling.target import Target, check_inverse_temperature, check_localization


def sample_cells(
    target: Target,
    checkpoints: Checkpoints,
    cells: Sequence[Settings],
    *,
    key: Key[Array, ""],
    chains: int,
    draws: int,
    burn_in: int,
    steps: Sequence[int] | None = None,
    report: Callable[[int], object] = lambda count: None,
) -> list[Draws]:
    """Run chains around every checkpoint at the settings of every cell, with the same random numbers in all cells.

    Args:
        target: what the cells have in common; its nβ and γ are not used.
        checkpoints: pytree, every leaf with a leading axis of K checkpoints. Half precision is raised to float32.
        cells: samplers of one class with their settings.
        key, chains, draws, burn_in, steps: as in `sample`.
        report: called with the number of cells that are done.

    Raises:
        ValueError: naming the argument, its value, and what was expected; or the loss is not finite at a checkpoint.
    """
    checks.check_counts(cells=(len(cells), 1), chains=(chains, 1), draws=(draws, 1), burn_in=(burn_in, 0))
    checks.check_key(key)
    for cell in cells:
        cell.sampler.check(full_batch=target.full_batch)
        check_inverse_temperature(cell.inverse_temperature)
        check_localization(cell.localization)
    checks.check_steps(steps, row_count(checkpoints))
    checkpoints = jax.tree.map(jnp.asarray, single_precision(checkpoints))
    program, together = plan_cells(target, checkpoints, len(cells), chains, draws, burn_in)
    shared = {"checkpoints": checkpoints, "data": target.data, "key": key, "mask": target.mask}
    run = partial(side_by_side if together > 1 else alone, target.loss, program, **shared)
    stacked = jax.tree.map(lambda *numbers: np.asarray(numbers), *cells)
    measured = call_in_chunks(lambda chunk: run(cells=chunk), stacked, together, report)
    labels = np.arange(row_count(checkpoints)) if steps is None else np.asarray(steps)
    checks.check_baseline(measured["baseline"][0], labels)
    dimension = free_parameters(checkpoints, target.mask) - (target.projection is not None)
    return [
        Draws(
            **jax.tree.map(lambda leaf, place=place: leaf[place], measured),
            inverse_temperature=cell.inverse_temperature,
            localization=cell.localization,
            n=target.n,
            batch_size=target.batch_size,
            dimension=dimension,
            steps=labels,
        )
        for place, cell in enumerate(cells)
    ]


def plan_cells(
    target: Target, checkpoints: Checkpoints, cells: int, chains: int, draws: int, burn_in: int
) -> tuple[Program, int]:
    """Return the program of a cell, and how many cells run side by side: as many as the layout of their checkpoints allows.

    With more than one device, cells run one after another, each over all devices.
    """
    program = plan_program(target, checkpoints, chains, draws, burn_in, 1, None)
    count = row_count(checkpoints)
    if program.spread != (1, 1):
        return program, 1
    examples = target.examples_per_step
    layout = choose_layout(target.loss, shapes_of_one(checkpoints), target.data, examples, chains, cells * count)
    return program, even_size(cells, layout.checkpoints // count)


def alone(loss: Loss, program: Program, *, cells: Settings, **shared: Any) -> dict[str, Any]:
    """Run the single cell of a chunk."""
    measured = run_cell(loss, program, jax.tree.map(lambda numbers: numbers[0], cells), **shared)
    return jax.tree.map(lambda leaf: leaf[None], measured)


@partial(jax.jit, static_argnums=(0, 1))
def side_by_side(loss: Loss, program: Program, *, cells: Settings, **shared: Any) -> dict[str, Any]:
    """Run all cells of a chunk. What does not depend on the cell, such as noise and batches, is computed once."""
    return jax.vmap(partial(run_cell, loss, program, **shared))(cells)


def run_cell(
    loss: Loss,
    program: Program,
    cell: Settings,
    *,
    checkpoints: Checkpoints,
    data: Examples | None,
    key: Key[Array, ""],
    mask: Mask | None,
) -> dict[str, Any]:
    """Run the chains of one cell, all at its settings."""
    dtype = jax.eval_shape(flatten, checkpoints).dtype

    def for_every_chain(number: Any) -> Array:
        array = jnp.asarray(number)
        return jnp.broadcast_to(array if array.dtype == bool else array.astype(dtype), (row_count(checkpoints), program.chains))

    return run_chains(
        loss,
        program,
        checkpoints=checkpoints,
        settings=jax.tree.map(for_every_chain, cell),
        numbers=jnp.arange(program.chains),
        data=data,
        key=key,
        inverse_temperature=cell.inverse_temperature,
        localization=cell.localization,
        mask=mask,
        collect={},
    )
