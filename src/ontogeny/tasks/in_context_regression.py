"""Linear regression in context (Raventós et al. 2023; Hoogland et al. 2024; Carroll et al. 2025).

A sequence has a map t of its own, K vectors x ~ N(0, I), and y = t · x + noise of variance σ². Its tokens are (0, x₁), (y₁, 0),
(0, x₂), …; the network predicts y_k at the token of x_k. With M maps to draw t from, the exact Bayes posterior mean is dMMSE;
with t ~ N(0, I) it is ridge regression with penalty σ². The sets of maps are nested: M maps are the first M of any larger set.
"""

from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ontogeny.arrays.parts import mapped
from ontogeny.config.tasks.in_context_regression import InContextRegression as Config
from ontogeny.problem.problem import Batch, Data, RandomKey, Task

WIDE = 2.0
"""The standard deviation of x in the sequences `wide_inputs`; it is 1 in training."""

LARGEST_PART = 2**22
"""dMMSE is computed for so many (pair, map) at a time, 16 MiB for each intermediate result."""

Tokens = Float[Array, "batch time token"]
Predictions = Float[Array, "batch pairs"]


def build(config: Config, *, batch_size: int, base: Path) -> Task:
    """Return the task. Training draws new sequences at every step; the maps and the fixed sequences come from `config.seed`."""
    maps, fixed = drawn_once(config)
    predictors = {"ridge": lambda tokens: ridge(tokens, config.noise_variance)}
    if maps is not None:
        predictors["dmmse"] = lambda tokens: dmmse(tokens, maps, config.noise_variance)
    return Task(
        data=Data(
            train=lambda key, step: draw(config, maps, jax.random.fold_in(key, step), batch_size),
            sampling=fixed.pop("sampling"),
            evaluation=fixed.pop("evaluation"),
        ),
        output_loss=lambda outputs, targets: squared_error(predicted(outputs), targets),
        divergence=lambda outputs, others: squared_error(predicted(outputs), predicted(others)),
        shape=config.shape,
        provides={
            "predictors": predictors,
            "bayes": "ridge" if maps is None else "dmmse",
            "out_of_distribution": fixed,
        },
    )


@partial(jax.jit, static_argnums=0)
def drawn_once(config: Config) -> tuple[Float[Array, "maps dimensions"] | None, dict[str, Batch]]:
    """Return the maps, and the sequences that stay the same during training. One program makes all, to compile less."""
    keys = [jax.random.fold_in(jax.random.key(config.seed), part) for part in range(5)]
    maps = None if config.diversity is None else draw_maps(keys[0], config.diversity, config.dimensions)
    return maps, {
        "sampling": draw(config, maps, keys[1], config.examples),
        "evaluation": draw(config, maps, keys[2], config.evaluation),
        "unseen_maps": draw(config, None, keys[3], config.evaluation),
        "wide_inputs": draw(config, maps, keys[4], config.evaluation, spread=WIDE),
    }


def draw_maps(key: RandomKey, count: int, dimensions: int) -> Float[Array, "maps dimensions"]:
    """Return the first `count` maps from N(0, I); the first of them do not depend on `count`."""
    return jax.vmap(lambda index: jax.random.normal(jax.random.fold_in(key, index), (dimensions,)))(jnp.arange(count))


def draw(
    config: Config, maps: Float[Array, "maps dimensions"] | None, key: RandomKey, count: int, *, spread: float = 1.0
) -> Batch:
    """Return the tokens and the y of `count` sequences.

    Args:
        maps: to draw the map of a sequence from; None draws it from N(0, I).
        spread: the standard deviation of x.
    """
    map_key, x_key, noise_key = jax.random.split(key, 3)
    if maps is None:
        chosen = jax.random.normal(map_key, (count, config.dimensions))
    else:
        chosen = maps[jax.random.randint(map_key, (count,), 0, len(maps))]
    x = spread * jax.random.normal(x_key, (count, config.pairs, config.dimensions))
    noise = config.noise_variance**0.5 * jax.random.normal(noise_key, (count, config.pairs))
    y = jnp.einsum("bkd,bd->bk", x, chosen) + noise
    return interleaved(x, y), y


def interleaved(x: Float[Array, "batch pairs dimensions"], y: Predictions) -> Tokens:
    """Return the tokens (0, x₁), (y₁, 0), (0, x₂), …"""
    of_x = jnp.pad(x, ((0, 0), (0, 0), (1, 0)))
    of_y = jnp.pad(y[..., None], ((0, 0), (0, 0), (0, x.shape[-1])))
    return jnp.stack([of_x, of_y], axis=2).reshape(len(x), 2 * x.shape[1], -1)


def pairs_of(tokens: Tokens) -> tuple[Float[Array, "batch pairs dimensions"], Predictions]:
    """Return x and y of tokens."""
    return tokens[:, ::2, 1:], tokens[:, 1::2, 0]


def predicted(outputs: Float[Array, "batch time 1"]) -> Predictions:
    """Return what a network predicts for each y: its output at the token of the x before it."""
    return outputs[:, ::2, 0]


def squared_error(predictions: Predictions, targets: Predictions) -> Float[Array, " batch"]:
    """Return the squared error averaged over the pairs of a sequence."""
    return jnp.mean((predictions - targets) ** 2, axis=-1)


def ridge(tokens: Tokens, noise_variance: float) -> Predictions:
    """Return x_k · (XᵀX + σ² I)⁻¹ Xᵀ y of the k - 1 earlier pairs: the posterior mean under t ~ N(0, I)."""
    x, y = pairs_of(tokens)
    gram = earlier(x[..., :, None] * x[..., None, :]) + noise_variance * jnp.eye(x.shape[-1])[None, None]
    weights = jnp.linalg.solve(gram, earlier(x * y[..., None])[..., None])[..., 0]
    return jnp.sum(x * weights, axis=-1)


def dmmse(tokens: Tokens, maps: Float[Array, "maps dimensions"], noise_variance: float) -> Predictions:
    """Return x_k · E[t | the k - 1 earlier pairs], t uniform on the maps: their mean, weighted by the likelihoods (dMMSE)."""

    def of_part(tokens: Tokens) -> Predictions:
        x, y = pairs_of(tokens)
        of_each = jnp.einsum("bkd,md->bkm", x, maps)
        log_likelihood = -earlier((y[..., None] - of_each) ** 2) / (2 * noise_variance)
        return jnp.sum(jax.nn.softmax(log_likelihood, axis=-1) * of_each, axis=-1)

    return mapped(of_part, tokens, max(1, 2 * LARGEST_PART // (tokens.shape[1] * len(maps))))


def earlier(terms: Float[Array, "batch pairs *shape"]) -> Float[Array, "batch pairs *shape"]:
    """Return the sum of the terms of the earlier pairs, for every pair."""
    return jnp.cumsum(terms, axis=1) - terms
