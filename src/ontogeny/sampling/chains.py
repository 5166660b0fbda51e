"""Sampling the local posterior around checkpoints: one compiled program over checkpoints × chains × draws.

`sample` may be called again with another key, other checkpoints, data, step size, nβ, γ or mask: as long as `loss` is
the same object and the shapes are the same, nothing is compiled anew. The data is an argument of the program, never a
constant in it, so JAX's persistent cache keeps the compiled program small and finds it in the next process.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from jaxtyping import Array, Float, Int, Key
from tqdm import tqdm

from ontogeny.arrays.flat import flatten, flatten_mask, unflatten_like
from ontogeny.sampling import checks, randomness
from ontogeny.sampling.calibration.curvature import unit
from ontogeny.sampling.draws import Draws
from ontogeny.sampling.kernels.kernel import Kernel, Objective, Randomness
from ontogeny.sampling.layout import Layout, choose_layout, even_size
from ontogeny.sampling.objective import Loss, anchored, at_center, paired_objective, take
from ontogeny.sampling.over_devices import in_groups, over_devices, spread_over
from ontogeny.sampling.posterior import LocalPosterior
from ontogeny.sampling.target import check_and_resolve


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the compiled program depends on, beside the loss and the shapes."""

    chains: int
    draws: int
    burn_in: int
    batch_size: int | None
    layout: Layout
    spread: tuple[int, int]
    normal_to_gradient: bool
    control_variates: bool
    thin: int


Projection = Literal["gradient"]
"""`gradient`: chains stay in the hyperplane through w* that is normal to ∇L_n(w*)."""


def sample(
    loss: Loss,
    checkpoints: Any,
    data: Any = None,
    *,
    key: Key[Array, ""],
    sampler: Kernel,
    inverse_temperature: float | None = None,
    localization: float = 1.0,
    chains: int = 8,
    draws: int = 500,
    burn_in: int = 200,
    batch_size: int | None = None,
    n: int | None = None,
    mask: Any = None,
    projection: Projection | None = None,
    control_variates: bool = False,
    steps: Sequence[int] | None = None,
    progress: bool = False,
    collect: Callable[[Any], Any] | None = None,
    thin: int = 1,
    layout: Layout | None = None,
) -> Draws:
    """Run `chains` chains around every checkpoint.

    The random numbers are a function of (key, chain, block of 16 draws), the same at every checkpoint. Checkpoints, and chains
    where there are fewer checkpoints than devices, are spread over all devices of the process.

    Args:
        loss: (params, batch) -> [batch]; a scalar where data is None. Keep the same object to reuse its compilation.
        checkpoints: pytree, every leaf with a leading axis of K checkpoints.
        data: pytree of arrays with a leading axis of n examples; None for a potential.
        sampler: the kernel and its numbers.
        inverse_temperature: nβ; None for n / log n.
        localization: γ.
        batch_size: examples per step, drawn independently with replacement; None for all n.
        mask: pytree of 0 and 1 shaped like one checkpoint; parameters at 0 stay where they are.
        projection: "gradient" keeps chains in the hyperplane through w* normal to ∇L_n(w*), where w* is no minimum; where
            it is one, to `LocalPosterior.is_negligible`, nothing is taken out.
        control_variates: take the noise of minibatches at w* out of losses and gradients (`anchored`), at the cost of a second
            gradient a step; nothing to take out with the full batch.
        steps: the checkpoints' labels; None for 0 … K-1.
        progress: show a bar over checkpoints, which then run a group at a time.
        collect: a function of the parameters, evaluated at every `thin`-th kept draw. What it closes over becomes part of the
            compiled program; the arguments of a `jax.tree_util.Partial` are arguments of it.
        layout: one that was kept, so that what is sampled later is summed in the same order; None for the one that suits the
            loss and the backend.

    Raises:
        ValueError: naming the argument, its shape or value, and what was expected.
    """
    checks.check_counts(chains=(chains, 1), draws=(draws, 1), burn_in=(burn_in, 0), thin=(thin, 1))
    checks.check_choice("projection", projection, (None, *get_args(Projection)))
    resolved = check_and_resolve(
        loss,
        checkpoints,
        data,
        key=key,
        sampler=sampler,
        inverse_temperature=inverse_temperature,
        localization=localization,
        batch_size=batch_size,
        n=n,
        mask=mask,
        steps=steps,
    )
    checkpoints, data, mask = jax.tree.map(jnp.asarray, (checkpoints, data, mask))
    count = len(jax.tree.leaves(checkpoints)[0])
    labels = np.arange(count) if steps is None else np.asarray(steps)
    spread = spread_over(jax.local_device_count(), count, chains)
    if layout is None:
        shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), checkpoints)
        examples = resolved.batch_size or resolved.n or 1
        layout = choose_layout(loss, shapes, data, examples, chains // spread[1], -(-count // spread[0]))
    settings = Settings(
        chains=chains,
        draws=draws,
        burn_in=burn_in,
        batch_size=resolved.batch_size,
        layout=layout._replace(checkpoints=even_size(-(-count // spread[0]), layout.checkpoints)),
        spread=spread,
        normal_to_gradient=projection == "gradient",
        control_variates=control_variates and resolved.batch_size is not None,
        thin=thin,
    )
    program = partial(
        run_chains,
        loss,
        settings,
        data=data,
        key=key,
        sampler=sampler,
        inverse_temperature=resolved.inverse_temperature,
        localization=float(localization),
        mask=mask,
        collect=collect if collect is None or isinstance(collect, Partial) else Partial(collect),
    )
    size = settings.layout.checkpoints * spread[0]
    seen = with_progress(program, checkpoints, count, size) if progress else program(checkpoints=checkpoints)
    checks.check_baseline(seen["baseline"], labels)
    return Draws(
        **seen,
        inverse_temperature=resolved.inverse_temperature,
        localization=float(localization),
        n=resolved.n,
        dimension=free_parameters(checkpoints, mask) - (projection is not None),
        steps=labels,
    )


def free_parameters(checkpoints: Any, mask: Any) -> int:
    if mask is None:
        return sum(leaf[0].size for leaf in jax.tree.leaves(checkpoints))
    return int(sum(np.count_nonzero(leaf) for leaf in jax.tree.leaves(mask)))


def with_progress(program: Callable[..., Any], checkpoints: Any, count: int, size: int) -> Any:
    """The program on `size` checkpoints after another, with a bar; the last checkpoint fills up what is left over."""
    parts = []
    with tqdm(total=count, desc="sampling", unit="checkpoint") as bar:
        for first in range(0, count, size):
            places = np.minimum(np.arange(first, first + size), count - 1)
            some = jax.tree.map(lambda leaf, places=places: leaf[places], checkpoints)
            parts.append(jax.block_until_ready(program(checkpoints=some)))
            bar.update(min(size, count - first))
    return jax.tree.map(lambda *leaves: jnp.concatenate(leaves)[:count], *parts)


@partial(jax.jit, static_argnames=("loss", "settings"))
def run_chains(
    loss: Loss,
    settings: Settings,
    *,
    checkpoints: Any,
    data: Any,
    key: Key[Array, ""],
    sampler: Kernel,
    inverse_temperature: float,
    localization: float,
    mask: Any,
    collect: Partial | None = None,
) -> dict[str, Any]:
    """The compiled program, a map over checkpoints of the chains of one: the fields of `Draws` that are measured."""
    unflatten = unflatten_like(checkpoints)
    flat_mask = None if mask is None else flatten_mask(mask, checkpoints)

    def at_checkpoints(centers: Array, numbers: Array, shared: Any) -> dict[str, Any]:
        data, key, sampler, inverse_temperature, localization, flat_mask, collect = shared

        def around(center: Float[Array, " parameters"]) -> Around:
            baselines, anchor = at_center(loss, unflatten, center, data, settings.layout.center)
            posterior = LocalPosterior(center, inverse_temperature, localization, flat_mask)
            gradient = posterior.tangent(anchor)
            if settings.normal_to_gradient:
                posterior = posterior._replace(normal=jnp.where(posterior.is_negligible(gradient), 0.0, unit(gradient)))
            return Around(center, posterior.normal, anchor, gradient, baselines)

        def at_group(centers: Float[Array, "group parameters"]) -> dict[str, Any]:
            group = jax.lax.map(around, centers)
            local = LocalPosterior(centers[0], inverse_temperature, localization, flat_mask)
            chain = partial(run_chain, loss, unflatten, settings, data, key, sampler, local, group, collect)
            together = settings.layout.vectorize_chains and numbers.size > 1
            seen = jax.vmap(chain, out_axes=1)(numbers) if together else swapped(jax.lax.map(chain, numbers))
            return {
                "baseline": jax.vmap(jnp.mean)(group.baselines),
                "gradient_norm": jnp.linalg.norm(group.gradient, axis=1),
                **seen,
            }

        return in_groups(at_group, centers, settings.layout.checkpoints)

    shared = (data, key, sampler, inverse_temperature, localization, flat_mask, collect)
    return over_devices(at_checkpoints, settings.spread, flatten(checkpoints), jnp.arange(settings.chains), shared)


class Around(NamedTuple):
    """What is known at a checkpoint before its chains start; of a group, with a leading axis.

    Attributes:
        normal: of the hyperplane that chains stay in, None for none.
        anchor: ∇L_n(w*), and `gradient` its part along which chains may move.
        baselines: the loss of every example at w*; of a potential, a single one.
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
    unflatten: Callable[[Array], Any],
    settings: Settings,
    data: Any,
    key: Key[Array, ""],
    sampler: Kernel,
    local: LocalPosterior,
    group: Around,
    collect: Callable[[Any], Any] | None,
    chain: Int[Array, ""],
) -> dict[str, Any]:
    """One chain from w* of every checkpoint of a group: its values after burn-in, and what `collect` saw at every `thin`-th.

    All meet the same noise and the same batches, so these are drawn and gathered once for the group. Random numbers come in
    blocks of 16 draws; the inner loop's bound is dynamic, so that the last block stops where the draws end and the step is
    compiled once. `local` has all that the posteriors of the group share.
    """
    size, parameters = group.center.shape
    total, n = settings.burn_in + settings.draws, group.baselines[0].size
    dtype = group.center.dtype
    paired = paired_objective(loss, unflatten, settings.layout.microbatch)
    collect = collect or (lambda parameters: None)
    # Checkpoints last: those of one example lie side by side, and a batch gathers rows.
    examples = (data, group.baselines.T)

    def of_group(function: Callable[..., Any], *arguments: Any) -> Any:
        """`function` of every checkpoint of the group, the loop over a single one left out."""
        if size == 1:
            alone = function(*jax.tree.map(lambda leaf: leaf[0], arguments))
            return jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], alone)
        return jax.vmap(function)(*arguments)

    def posterior_and_objective(
        around: Around, batch: Any, baselines: Float[Array, " batch"]
    ) -> tuple[LocalPosterior, Objective]:
        objective = anchored(paired, around.center, around.anchor) if settings.control_variates else paired
        posterior = local._replace(center=around.center, normal=around.normal)
        return posterior, lambda position: objective(position, batch, baselines)

    def run_block(block: Array, carry: Any) -> Any:
        key_of_block = randomness.block_key(key, chain, block)
        noise = randomness.noise(key_of_block, parameters, dtype)
        uniforms = randomness.uniforms(key_of_block, dtype)
        indices = None if settings.batch_size is None else randomness.batches(key_of_block, settings.batch_size, n)
        first = block * randomness.BLOCK

        def step(number: Array, carry: Any) -> Any:
            place, kept = number - first, number - settings.burn_in
            batch, baselines = examples if indices is None else take(examples, indices[place])
            random = Randomness(noise[place], uniforms[place], jax.random.fold_in(key_of_block, 3 + place))

            def step_of(around: Around, baselines: Float[Array, " batch"], carry: Any) -> Any:
                state, values, first_order, collected = carry
                posterior, objective = posterior_and_objective(around, batch, baselines)
                state, draw = sampler.step(state, posterior, objective, random, kept < 0)
                first_order += jnp.where(kept < 0, 0.0, jnp.vdot(around.gradient, draw.position - around.center))
                collected = keep(collected, collect, unflatten(draw.position), kept, settings.thin)
                return state, values.at[number].set(draw.value), first_order, collected

            return of_group(step_of, group, baselines.T, carry)

        return jax.lax.fori_loop(first, jnp.minimum(first + randomness.BLOCK, total), step, carry)

    def start(around: Around) -> Any:
        posterior, objective = posterior_and_objective(around, data, around.baselines)
        shapes = jax.eval_shape(lambda: collect(unflatten(around.center)))
        return (
            sampler.init(posterior, objective),
            jnp.zeros(total, group.baselines.dtype),
            jnp.zeros((), dtype),
            jax.tree.map(lambda leaf: jnp.zeros((-(-settings.draws // settings.thin), *leaf.shape), leaf.dtype), shapes),
        )

    carry = jax.lax.fori_loop(0, -(-total // randomness.BLOCK), run_block, of_group(start, group))
    state, values, first_order, collected = carry
    values = jax.vmap(nan_once_dead)(values, state.position)[:, settings.burn_in :]
    return {"values": values, "first_order": first_order / settings.draws, "collected": collected}


def keep(collected: Any, collect: Callable[[Any], Any], parameters: Any, draw: Array, thin: int) -> Any:
    """`collected` with what `collect` sees written to its place, if this draw is one of those kept."""
    if not jax.tree.leaves(collected):
        return collected
    kept = (draw >= 0) & (draw % thin == 0)
    empty = jax.tree.map(lambda buffer: jnp.zeros_like(buffer[0]), collected)
    seen = jax.lax.cond(kept, collect, lambda parameters: empty, parameters)
    outside = jnp.iinfo(jnp.int32).max
    return jax.tree.map(
        lambda buffer, leaf: buffer.at[jnp.where(kept, draw // thin, outside)].set(leaf, mode="drop"), collected, seen
    )


def nan_once_dead(values: Float[Array, " draws"], last: Float[Array, " parameters"]) -> Float[Array, " draws"]:
    """NaN from the first value on that is not finite; where only the last position is not finite, at the last value."""
    alive = jnp.cumprod(jnp.isfinite(values).astype(jnp.int32)).astype(bool)
    alive = alive.at[-1].set(alive[-1] & jnp.isfinite(last).all())
    return jnp.where(alive, values, jnp.nan)
