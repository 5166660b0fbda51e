"""Sampling the local posterior around checkpoints: one compiled program over checkpoints × chains × draws.

`sample` may be called again with another key, other checkpoints, data, step size, nβ, γ or mask: as long as `loss` is
the same object and the shapes are the same, nothing is compiled anew. The data is an argument of the program, never a
constant in it, so JAX's persistent cache keeps the compiled program small and finds it in the next process.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key
from tqdm import tqdm

from ontogeny.sampling import checks, randomness
from ontogeny.sampling.calibration import resolve
from ontogeny.sampling.layout import Layout, choose_layout
from ontogeny.sampling.objective import Loss, paired_objective, per_example, take
from ontogeny.sampling.parameters import flatten, unflatten_like
from ontogeny.sampling.sgld import SGLD, LocalPosterior


@dataclass(frozen=True, kw_only=True)
class Traces:
    """What the chains saw.

    Attributes:
        values: L_b(w) - L_b(w*), read before the step that uses batch b; NaN where the chain is dead. Burn-in excluded.
        baseline: L_n(w*) on the full data.
        inverse_temperature: nβ.
        localization: γ.
        n: the number of examples, None for a potential.
        steps: the checkpoints' labels.
        collected: what `collect` returned, its leaves with leading axes [K, chains, ⌈draws / thin⌉].
    """

    values: Float[Array, "checkpoints chains draws"]
    baseline: Float[Array, "checkpoints"]
    inverse_temperature: float
    localization: float
    n: int | None
    steps: Int[np.ndarray, "checkpoints"]
    collected: Any = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the compiled program depends on, beside the loss and the shapes."""

    chains: int
    draws: int
    burn_in: int
    batch_size: int | None
    layout: Layout
    collect: Callable[[Any], Any] | None
    thin: int


def sample(
    loss: Loss,
    checkpoints: Any,
    data: Any = None,
    *,
    key: Key[Array, ""],
    sampler: SGLD,
    inverse_temperature: float | None = None,
    localization: float = 1.0,
    chains: int = 8,
    draws: int = 500,
    burn_in: int = 200,
    batch_size: int | None = None,
    n: int | None = None,
    mask: Any = None,
    steps: Sequence[int] | None = None,
    progress: bool = False,
    collect: Callable[[Any], Any] | None = None,
    thin: int = 1,
) -> Traces:
    """Run `chains` chains around every checkpoint.

    The random numbers are a function of (key, chain, block of 16 draws), the same at every checkpoint.

    Args:
        loss: (params, batch) -> [batch]; a scalar where data is None. Keep the same object to reuse its compilation.
        checkpoints: pytree, every leaf with a leading axis of K checkpoints.
        data: pytree of arrays with a leading axis of n examples; None for a potential.
        sampler: the kernel and its numbers.
        inverse_temperature: nβ; None for n / log n.
        localization: γ.
        batch_size: examples per step, drawn independently with replacement; None for all n.
        mask: pytree of 0 and 1 shaped like one checkpoint; parameters at 0 stay where they are.
        steps: the checkpoints' labels; None for 0 … K-1.
        progress: show a bar over checkpoints, which then run one at a time.
        collect: a function of the parameters, evaluated at every `thin`-th kept draw.

    Raises:
        ValueError: naming the argument, its shape or value, and what was expected.
    """
    checks.check_counts(chains=(chains, 1), draws=(draws, 1), burn_in=(burn_in, 0), thin=(thin, 1))
    if not (math.isfinite(localization) and localization >= 0):
        raise ValueError(f"localization: must be finite and not negative, got {localization}")
    sampler.check()
    count = checks.check_checkpoints(checkpoints, steps)
    resolved = resolve(data, n=n, batch_size=batch_size, inverse_temperature=inverse_temperature)
    checkpoints, data, mask = jax.tree.map(jnp.asarray, (checkpoints, data, mask))
    checks.check_finite(data, "data")
    if mask is not None:
        checks.check_mask(mask, checkpoints)
    examples = resolved.batch_size or resolved.n or 1
    checks.check_loss(loss, checkpoints, data, examples)
    settings = Settings(
        chains=chains,
        draws=draws,
        burn_in=burn_in,
        batch_size=resolved.batch_size,
        layout=choose_layout(loss, jax.tree.map(lambda leaf: leaf[0], checkpoints), data, examples, chains),
        collect=collect,
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
    )
    values, baseline, collected = one_by_one(program, checkpoints, count) if progress else program(checkpoints=checkpoints)
    return Traces(
        values=values,
        baseline=baseline,
        inverse_temperature=resolved.inverse_temperature,
        localization=float(localization),
        n=resolved.n,
        steps=np.arange(count) if steps is None else np.asarray(steps),
        collected=collected,
    )


def one_by_one(program: Callable[..., Any], checkpoints: Any, count: int) -> Any:
    """The program on one checkpoint after another, with a bar."""

    def at(place: int) -> Any:
        return jax.block_until_ready(program(checkpoints=jax.tree.map(lambda leaf: leaf[place : place + 1], checkpoints)))

    parts = [at(place) for place in tqdm(range(count), desc="sampling", unit="checkpoint")]
    return jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *parts)


@partial(jax.jit, static_argnames=("loss", "settings"))
def run_chains(
    loss: Loss,
    settings: Settings,
    *,
    checkpoints: Any,
    data: Any,
    key: Key[Array, ""],
    sampler: SGLD,
    inverse_temperature: float,
    localization: float,
    mask: Any,
) -> tuple[Float[Array, "checkpoints chains draws"], Float[Array, "checkpoints"], Any]:
    """The compiled program: values, baselines and what was collected; a map over checkpoints of the chains of one."""
    unflatten = unflatten_like(checkpoints)
    flat_mask = None if mask is None else flatten(jax.tree.map(lambda leaf: leaf[None].astype(float), mask))[0]

    def at_checkpoint(center: Float[Array, "parameters"]) -> Any:
        posterior = LocalPosterior(center, inverse_temperature, localization)
        baselines = per_example(loss, unflatten(center), data, settings.layout.microbatch)
        chain = partial(run_chain, loss, unflatten, settings, data, baselines, key, sampler, posterior, flat_mask)
        numbers = jnp.arange(settings.chains)
        together = settings.layout.vectorize_chains and settings.chains > 1
        values, collected = jax.vmap(chain)(numbers) if together else jax.lax.map(chain, numbers)
        return values, jnp.mean(baselines), collected

    return jax.lax.map(at_checkpoint, flatten(checkpoints))


def run_chain(
    loss: Loss,
    unflatten: Callable[[Array], Any],
    settings: Settings,
    data: Any,
    baselines: Array,
    key: Key[Array, ""],
    sampler: SGLD,
    posterior: LocalPosterior,
    mask: Array | None,
    chain: Int[Array, ""],
) -> tuple[Float[Array, "draws"], Any]:
    """One chain from w*: its values after burn-in, and what `collect` saw at every `thin`-th of them.

    Random numbers come in blocks of 16 draws. The inner loop's bound is dynamic, so that the last block stops where
    the draws end and the step is compiled once.
    """
    center, total = posterior.center, settings.burn_in + settings.draws
    objective = paired_objective(loss, unflatten, settings.layout.microbatch)
    collect = (lambda parameters: None) if settings.collect is None else settings.collect

    def run_block(block: Array, carry: Any) -> Any:
        key_of_block = randomness.block_key(key, chain, block)
        noise = randomness.noise(key_of_block, center.size, center.dtype)
        noise = noise if mask is None else noise * mask
        indices = None if settings.batch_size is None else randomness.batches(key_of_block, settings.batch_size, baselines.size)
        first = block * randomness.BLOCK

        def step(draw: Array, carry: Any) -> Any:
            state, values, collected = carry
            batch = (data, baselines) if indices is None else take((data, baselines), indices[draw - first])
            value, gradient = objective(state.position, *batch)
            gradient = gradient if mask is None else gradient * mask
            collected = keep(collected, collect, unflatten(state.position), draw - settings.burn_in, settings.thin)
            return sampler.step(state, gradient, noise[draw - first], posterior), values.at[draw].set(value), collected

        return jax.lax.fori_loop(first, jnp.minimum(first + randomness.BLOCK, total), step, carry)

    kept = -(-settings.draws // settings.thin)
    shapes = jax.eval_shape(lambda: collect(unflatten(center)))
    start = (
        sampler.init(center),
        jnp.zeros(total, baselines.dtype),
        jax.tree.map(lambda leaf: jnp.zeros((kept, *leaf.shape), leaf.dtype), shapes),
    )
    state, values, collected = jax.lax.fori_loop(0, -(-total // randomness.BLOCK), run_block, start)
    return nan_once_dead(values, state.position)[settings.burn_in :], collected


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


def nan_once_dead(values: Float[Array, "draws"], last: Float[Array, "parameters"]) -> Float[Array, "draws"]:
    """NaN from the first value on that is not finite; where only the last position is not finite, at the last value."""
    alive = jnp.cumprod(jnp.isfinite(values).astype(jnp.int32)).astype(bool)
    alive = alive.at[-1].set(alive[-1] & jnp.isfinite(last).all())
    return jnp.where(alive, values, jnp.nan)
