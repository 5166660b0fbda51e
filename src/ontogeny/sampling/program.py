"""The compiled program of sampling: a map over checkpoints of the chains of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from jaxtyping import Array, Float, Int, Key

from ontogeny.arrays.flat import Checkpoints, Mask, Parameters, flatten, flatten_mask, unflatten_like, unit
from ontogeny.arrays.parts import padded_map, row_count
from ontogeny.sampling import randomness
from ontogeny.sampling.kernels.kernel import Kernel, Objective, Randomness
from ontogeny.sampling.layout import Layout
from ontogeny.sampling.objective import Examples, Loss, anchored, at_center, paired_objective, take
from ontogeny.sampling.over_devices import over_devices
from ontogeny.sampling.posterior import LocalPosterior

Collect = Mapping[str, Callable[[Parameters], Any]]


@dataclass(frozen=True, kw_only=True)
class Program:
    """What the compiled program depends on, beside the loss and the shapes.

    Attributes:
        chains, draws, burn_in: as in `chains.sample`.
        batch_size: examples of one step, None for all.
        layout: how the work of one device is laid out.
        spread: the number of devices that share the checkpoints, and that share the chains of one checkpoint.
        normal_to_gradient: whether chains stay in the hyperplane normal to ∇L_n(w*).
        control_variates: whether the noise that minibatches have at w* is subtracted.
        thin: functions in `collect` are evaluated at every `thin`-th draw.
    """

    chains: int
    draws: int
    burn_in: int
    batch_size: int | None
    layout: Layout
    spread: tuple[int, int]
    normal_to_gradient: bool
    control_variates: bool
    thin: int


class Settings(NamedTuple):
    """What chains may differ in: the kernel with its numbers, nβ and γ.

    As an argument of the program every number has the axes [checkpoints, chains], so that chains at other settings compile
    nothing anew.
    """

    sampler: Kernel
    inverse_temperature: Any
    localization: Any


def stack_settings(rows: Sequence[Sequence[Settings]], checkpoints: Checkpoints) -> Settings:
    """Return settings whose numbers have the axes [checkpoints, chains], from those of each chain at each checkpoint."""
    dtype = jax.eval_shape(flatten, checkpoints).dtype

    def stacked(*numbers: Any) -> Array:
        array = np.asarray(numbers)
        kept = array if array.dtype == bool else array.astype(dtype)
        return jnp.asarray(kept.reshape(len(rows), -1))

    return jax.tree.map(stacked, *(settings for row in rows for settings in row))


def same_settings(settings: Settings, checkpoints: Checkpoints, chains: int) -> Settings:
    """Return settings for every chain at every checkpoint."""
    return stack_settings([[settings] * chains] * row_count(checkpoints), checkpoints)


@partial(jax.jit, static_argnames=("loss", "program"))
def run_chains(
    loss: Loss,
    program: Program,
    *,
    checkpoints: Checkpoints,
    settings: Settings,
    numbers: Int[Array, " chains"],
    data: Examples | None,
    key: Key[Array, ""],
    inverse_temperature: float,
    localization: float,
    mask: Mask | None,
    collect: Mapping[str, Partial],
) -> dict[str, Any]:
    """Return the fields of `Draws` that are measured.

    Args:
        settings: of every chain at every checkpoint.
        numbers: of the chains, which their random numbers follow from.
        inverse_temperature, localization: nβ and γ at which a gradient at w* counts as negligible (`LocalPosterior`).
    """
    unflatten = unflatten_like(checkpoints)
    flat_mask = None if mask is None else flatten_mask(mask, checkpoints)

    def at_checkpoints(rows: Any, numbers: Array, shared: Any) -> dict[str, Any]:
        data, key, inverse_temperature, localization, flat_mask, collect = shared

        def around(center: Float[Array, " parameters"]) -> Around:
            baselines, anchor = at_center(loss, unflatten, center, data, program.layout.center)
            posterior = LocalPosterior(center, inverse_temperature, localization, flat_mask)
            gradient = posterior.tangent(anchor)
            if program.normal_to_gradient:
                posterior = posterior._replace(normal=jnp.where(posterior.is_negligible(gradient), 0.0, unit(gradient)))
            return Around(center, posterior.normal, anchor, gradient, baselines)

        def at_group(rows: tuple[Float[Array, "group parameters"], Settings]) -> dict[str, Any]:
            centers, settings = rows
            group = jax.lax.map(around, centers)
            chain = partial(run_chain, loss, unflatten, program, data, key, flat_mask, group, collect)
            chains = (numbers, swapped(settings))
            together = program.layout.vectorize_chains and numbers.size > 1
            measured = jax.vmap(chain, out_axes=1)(*chains) if together else swapped(jax.lax.map(lambda one: chain(*one), chains))
            return {
                "baseline": jax.vmap(jnp.mean)(group.baselines),
                "gradient_norm": jnp.linalg.norm(group.gradient, axis=1),
                **measured,
            }

        return padded_map(at_group, rows, program.layout.checkpoints)

    shared = (data, key, inverse_temperature, localization, flat_mask, collect)
    return over_devices(at_checkpoints, program.spread, flatten(checkpoints), settings, numbers, shared)


class Around(NamedTuple):
    """What is known at a checkpoint before its chains start. For a group of checkpoints, every field has a leading axis.

    Attributes:
        center: w*.
        normal: unit vector normal to the hyperplane that chains stay in; None for no hyperplane.
        anchor: ∇L_n(w*).
        gradient: the part of ∇L_n(w*) along which chains may move.
        baselines: the loss of every example at w*; of a potential, a single number.
    """

    center: Float[Array, "*group parameters"]
    normal: Float[Array, "*group parameters"] | None
    anchor: Float[Array, "*group parameters"]
    gradient: Float[Array, "*group parameters"]
    baselines: Float[Array, "*group n"] | Float[Array, "*group"]


def swapped(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), tree)


def run_chain(
    loss: Loss,
    unflatten: Callable[[Array], Parameters],
    program: Program,
    data: Examples | None,
    key: Key[Array, ""],
    mask: Float[Array, " parameters"] | None,
    group: Around,
    collect: Collect,
    chain: Int[Array, ""],
    settings: Settings,
) -> dict[str, Any]:
    """Run one chain from w* of every checkpoint of a group; return its values after burn-in and what `collect` returned.

    All checkpoints of the group get the same noise and the same batches, so these are drawn and gathered once. Random numbers
    come in blocks of 16 draws. The bound of the inner loop is dynamic: the last block stops where the draws end, and the step is
    compiled once.

    Args:
        settings: of this chain at every checkpoint of the group; its numbers have the axis [group].
    """
    size, parameters = group.center.shape
    total, n = program.burn_in + program.draws, group.baselines[0].size
    dtype = group.center.dtype
    paired = paired_objective(loss, unflatten, program.layout.microbatch)
    # Checkpoints last: the baselines of one example lie side by side, and a batch gathers rows.
    examples = (data, group.baselines.T)

    def of_group(function: Callable[..., Any], *arguments: Any) -> Any:
        """Call `function` for every checkpoint of the group, without a loop where there is a single one."""
        if size == 1:
            alone = function(*jax.tree.map(lambda leaf: leaf[0], arguments))
            return jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], alone)
        return jax.vmap(function)(*arguments)

    def posterior_and_objective(
        around: Around, settings: Settings, batch: Any, baselines: Float[Array, " batch"]
    ) -> tuple[LocalPosterior, Objective]:
        objective = anchored(paired, around.center, around.anchor) if program.control_variates else paired
        posterior = LocalPosterior(around.center, settings.inverse_temperature, settings.localization, mask, around.normal)
        return posterior, lambda position: objective(position, batch, baselines)

    def collected_at(position: Float[Array, " parameters"]) -> dict[str, Any]:
        parameters = unflatten(position)
        return {name: function(parameters) for name, function in collect.items()}

    def run_block(block: Array, carry: Any) -> Any:
        key_of_block = randomness.block_key(key, chain, block)
        noise = randomness.noise(key_of_block, parameters, dtype)
        uniforms = randomness.uniforms(key_of_block, dtype)
        indices = None if program.batch_size is None else randomness.batches(key_of_block, program.batch_size, n)
        first = block * randomness.BLOCK

        def step(number: Array, carry: Any) -> Any:
            place, draw_number = number - first, number - program.burn_in
            batch, baselines = examples if indices is None else take(examples, indices[place])
            random = Randomness(noise(place), uniforms[place], jax.random.fold_in(key_of_block, 3 + place))

            def step_of(around: Around, settings: Settings, baselines: Float[Array, " batch"], carry: Any) -> Any:
                state, values, first_order, collected = carry
                posterior, objective = posterior_and_objective(around, settings, batch, baselines)
                state, draw = settings.sampler.step(state, posterior, objective, random, draw_number < 0)
                first_order += jnp.where(draw_number < 0, 0.0, jnp.vdot(around.gradient, draw.position - around.center))
                collected = with_draw(collected, collected_at, draw.position, draw_number, program.thin)
                return state, values.at[number].set(draw.value), first_order, collected

            return of_group(step_of, group, settings, baselines.T, carry)

        return jax.lax.fori_loop(first, jnp.minimum(first + randomness.BLOCK, total), step, carry)

    def start(around: Around, settings: Settings) -> Any:
        posterior, objective = posterior_and_objective(around, settings, data, around.baselines)
        shapes = jax.eval_shape(collected_at, around.center)
        return (
            settings.sampler.init(posterior, objective),
            jnp.zeros(total, group.baselines.dtype),
            jnp.zeros((), dtype),
            jax.tree.map(lambda leaf: jnp.zeros((-(-program.draws // program.thin), *leaf.shape), leaf.dtype), shapes),
        )

    carry = jax.lax.fori_loop(0, -(-total // randomness.BLOCK), run_block, of_group(start, group, settings))
    state, values, first_order, collected = carry
    values = jax.vmap(nan_once_dead)(values, state.position)[:, program.burn_in :]
    return {"values": values, "first_order": first_order / program.draws, "collected": collected}


def with_draw(
    collected: Any, collect: Callable[[Array], Any], position: Float[Array, " parameters"], draw: Int[Array, ""], thin: int
) -> Any:
    """Return `collected` with what `collect` returns at a position written into it, if this is a draw to collect."""
    if not jax.tree.leaves(collected):
        return collected
    is_collected = (draw >= 0) & (draw % thin == 0)
    empty = jax.tree.map(lambda buffer: jnp.zeros_like(buffer[0]), collected)
    new = jax.lax.cond(is_collected, collect, lambda position: empty, position)
    outside = jnp.iinfo(jnp.int32).max
    row = jnp.where(is_collected, draw // thin, outside)
    return jax.tree.map(lambda buffer, leaf: buffer.at[row].set(leaf, mode="drop"), collected, new)


def nan_once_dead(values: Float[Array, " draws"], last: Float[Array, " parameters"]) -> Float[Array, " draws"]:
    """Return the values, NaN from the first that is not finite; if only the last position is not finite, at the last value."""
    alive = jnp.cumprod(jnp.isfinite(values).astype(jnp.int32)).astype(bool)
    alive = alive.at[-1].set(alive[-1] & jnp.isfinite(last).all())
    return jnp.where(alive, values, jnp.nan)
