"""The Fourier circuit of modular addition (Nanda et al. 2023): key frequencies, restricted and excluded loss.

The logits of all p² pairs are projected on functions of a + b mod p, by their mean over the pairs of each sum, and then on the
key frequencies among these. Nanda et al. take the key frequencies of the trained network at every step. Here a frequency is a
key one when it holds at least `KEY` times its even share of the energy of the embedding at the checkpoint itself, so that the
observables know nothing of later checkpoints.
"""

from collections.abc import Mapping

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import Batch, ObservableFunction, Params, Task

KEY = 2.0
"""A key frequency has this many times the even share 1 / (p // 2) of the embedding's energy."""
MOST_NUMBERS = 199
"""The largest p whose whole table of logits is made."""
MOST_FREQUENCIES = 32
"""With at most this many frequencies, `frequency_share` tells the share of each."""


def small_table(network: Network, task: Task) -> tuple[str, ...]:
    """Return a phrase unless the logits of all pairs fit in memory."""
    fits = task.shape["numbers"] == task.shape["classes"] <= MOST_NUMBERS
    return () if fits else (f"as many classes as numbers, at most {MOST_NUMBERS}",)


NEEDS = Needs(methods=("number_embedding",), shape=("numbers", "classes"), more=small_table)

Table = Float[Array, "numbers numbers classes"]


def build(network: Network, task: Task) -> Mapping[str, ObservableFunction]:
    """Return `fourier_gini`, `key_frequencies`, `key_frequency_share`, `restricted_loss` and `excluded_loss`.

    Where they are few, `frequency_share` of each component `frequencies.k` too. The restricted loss is that of the constant and
    the key frequencies on held-out pairs, the excluded loss that of everything but the key frequencies on the pairs of the local
    posterior; both are in nats.
    """
    numbers = task.shape["numbers"]
    pairs = jnp.stack(jnp.meshgrid(jnp.arange(numbers), jnp.arange(numbers), indexing="ij"), axis=-1).reshape(-1, 2)

    def shares(params: Params) -> Float[Array, " frequencies"]:
        return energy_shares(network.apply(params, method="number_embedding"))

    def parts(params: Params) -> tuple[Table, Table]:
        logits = network.apply(params, pairs).reshape(numbers, numbers, -1)
        return restricted_and_excluded(logits, is_key(shares(params)))

    def mean_loss(logits: Table, batch: Batch) -> Float[Array, ""]:
        inputs, targets = batch
        return task.output_loss(logits[inputs[:, 0], inputs[:, 1]], targets).mean()

    measured: dict[str, ObservableFunction] = {
        "fourier_gini": lambda params: gini(jnp.sqrt(shares(params))),
        "key_frequencies": lambda params: jnp.sum(is_key(shares(params))),
        "key_frequency_share": lambda params: jnp.sum(shares(params), where=is_key(shares(params))),
        "restricted_loss": lambda params: mean_loss(parts(params)[0], task.data.evaluation),
        "excluded_loss": lambda params: mean_loss(parts(params)[1], task.data.sampling),
    }
    if numbers // 2 <= MOST_FREQUENCIES:
        measured["frequency_share"] = lambda params: {f"frequencies.{k + 1}": share for k, share in enumerate(shares(params))}
    return measured


def energy_shares(embedding: Float[Array, "numbers width"]) -> Float[Array, " frequencies"]:
    """Return the share of each frequency 1 … p // 2 in the energy of the embedding, its mean over the numbers left out."""
    numbers = len(embedding)
    energy = jnp.sum(jnp.abs(jnp.fft.rfft(embedding, axis=0)[1:]) ** 2, axis=1)
    twice = jnp.where(2 * jnp.arange(1, len(energy) + 1) == numbers, 1.0, 2.0)  # p / 2 has a cosine only
    energy = energy * twice
    return energy / energy.sum()


def is_key(shares: Float[Array, " frequencies"]) -> Bool[Array, " frequencies"]:
    """Return which frequencies hold at least `KEY` times their even share."""
    return shares >= KEY / len(shares)


def gini(values: Float[Array, " values"]) -> Float[Array, ""]:
    """Return the Gini coefficient of non-negative values: 0 where they are equal, near 1 where one has everything."""
    count = len(values)
    weights = 2 * jnp.arange(1, count + 1, dtype=values.dtype) - count - 1
    return jnp.sum(weights * jnp.sort(values)) / (count * jnp.sum(values))


def restricted_and_excluded(logits: Table, key: Bool[Array, " frequencies"]) -> tuple[Table, Table]:
    """Return the logits of the constant and the key frequencies of a + b alone, and the logits without these frequencies.

    The two add up to the logits and their mean over all pairs.
    """
    circuit = key_part(of_sums(logits), key)
    numbers = len(logits)
    spread = circuit[(jnp.arange(numbers)[:, None] + jnp.arange(numbers)[None]) % numbers]
    return logits.mean((0, 1), keepdims=True) + spread, logits - spread


def of_sums(logits: Table) -> Float[Array, "numbers classes"]:
    """Return the mean of the logits over the pairs of each sum: their projection on functions of a + b."""
    first = jnp.arange(len(logits))
    second = (first[:, None] - first[None]) % len(logits)  # [sum, a] -> b
    return logits[first[None], second].mean(axis=1)


def key_part(values: Float[Array, "numbers classes"], key: Bool[Array, " frequencies"]) -> Float[Array, "numbers classes"]:
    """Return the part of functions on Z/p that lies in the key frequencies."""
    kept = jnp.concatenate([jnp.zeros(1, bool), key])
    return jnp.fft.irfft(jnp.where(kept[:, None], jnp.fft.rfft(values, axis=0), 0), n=len(values), axis=0)
