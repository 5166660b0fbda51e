"""The embedding of numbers in its dominant Fourier plane, and its Fourier spectrum (Nanda et al. 2023)."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import Params, Recorded, Task

SITE = "embedding"
Embedding = Float[Array, "numbers width"]


def embedded(network: Network, task: Task) -> tuple[str, ...]:
    """Return a phrase unless the network embeds pairs of numbers."""
    pairs = jnp.zeros((1, 2), jnp.int32)
    sites = jax.eval_shape(lambda key: network.activations(network.init(key), pairs), jax.random.key(0))
    fits = SITE in sites and len(sites[SITE].shape) == 3
    return () if fits else (f"activations of a site {SITE} [batch, 2, width]",)


NEEDS = Needs(methods=("activations",), shape=("numbers",), more=embedded)


def build(network: Network, task: Task) -> Mapping[str, Recorded]:
    """Return `coordinates` [numbers, 2], `frequency` [] of their plane, and `spectrum` [numbers // 2]."""
    numbers = jnp.arange(task.shape["numbers"])

    def embedding(params: Params) -> Embedding:
        return network.activations(params, jnp.stack([numbers, numbers], axis=1))[SITE][:, 0]

    return {
        "coordinates": lambda params: plane_coordinates(embedding(params)),
        "frequency": lambda params: dominant(spectrum(embedding(params))),
        "spectrum": lambda params: spectrum(embedding(params)),
    }


def waves(embedding: Embedding) -> Float[Array, "2 frequencies width"]:
    """Return the sums over a of the embedding times cos(2π k a / p) and sin(2π k a / p), for k = 1 to p // 2."""
    count = len(embedding)
    angles = 2 * jnp.pi * jnp.outer(jnp.arange(1.0, count // 2 + 1), jnp.arange(float(count))) / count
    return jnp.stack([jnp.cos(angles), jnp.sin(angles)]) @ embedding


def spectrum(embedding: Embedding) -> Float[Array, " frequencies"]:
    """Return the share of each frequency k = 1 to p // 2 in the variance of the embedding over the numbers; they sum to 1.

    By Parseval, the sums of squares of `waves` count twice, except that of k = p / 2 where p is even.
    """
    power = jnp.sum(waves(embedding) ** 2, axis=(0, 2))
    if len(embedding) % 2 == 0:
        power = power.at[-1].divide(2.0)
    return power / jnp.maximum(power.sum(), jnp.finfo(power.dtype).tiny)


def dominant(shares: Float[Array, " frequencies"]) -> Int[Array, ""]:
    """Return the frequency of the largest share."""
    return jnp.argmax(shares) + 1


def plane_coordinates(embedding: Embedding) -> Float[Array, "numbers 2"]:
    """Return the numbers in the plane of the dominant frequency's cosine and sine directions, with their mean at the origin.

    The first axis is the cosine direction, the second the part of the sine direction at right angles to it.
    """
    cosine, sine = waves(embedding)[:, dominant(spectrum(embedding)) - 1]
    first = unit(cosine)
    second = unit(sine - (sine @ first) * first)
    return (embedding - embedding.mean(0, keepdims=True)) @ jnp.stack([first, second], axis=1)


def unit(vector: Float[Array, " width"]) -> Float[Array, " width"]:
    return vector / jnp.maximum(jnp.linalg.norm(vector), jnp.finfo(vector.dtype).tiny)
