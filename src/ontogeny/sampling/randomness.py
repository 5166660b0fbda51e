"""The random numbers of a chain: a function of (key, chain, block of 16 draws), and of nothing else.

So the first draws of the first chains stay what they are when there are more draws, chains or checkpoints, and every
checkpoint of a run meets the same batches and the same noise (common random numbers).
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key, UInt32

BLOCK = 16
"""Draws whose random numbers are drawn at once: one call of the generator for 16 steps of a small model."""

RandomKey = Key[Array, ""]


def block_key(key: RandomKey, chain: Int[Array, ""] | int, block: Int[Array, ""] | int) -> RandomKey:
    return jax.random.fold_in(jax.random.fold_in(key, chain), block)


def noise(key: RandomKey, parameters: int, dtype: jnp.dtype) -> Float[Array, "16 {parameters}"]:
    """Standard normal noise for a block of draws, given `block_key`."""
    return jax.random.normal(jax.random.fold_in(key, 0), (BLOCK, parameters), dtype)


def uniforms(key: RandomKey, dtype: jnp.dtype) -> Float[Array, "16"]:
    """Uniform numbers on [0, 1) for a block of draws, given `block_key`."""
    return jax.random.uniform(jax.random.fold_in(key, 2), (BLOCK,), dtype)


def batches(key: RandomKey, batch_size: int, n: int) -> Int[Array, "16 {batch_size}"]:
    """Minibatches for a block of draws: indices below n, independent and uniform, with replacement, given `block_key`."""
    key = jax.random.fold_in(key, 1)
    if n > 2**16:
        return jax.random.randint(key, (BLOCK, batch_size), 0, n)
    return multiply_shift(jax.random.bits(key, (BLOCK, 1 + -(-batch_size // 2)), jnp.uint32), batch_size, n)


def multiply_shift(words: UInt32[Array, "rows words"], batch_size: int, n: int) -> Int[Array, "rows {batch_size}"]:
    """Indices below n ≤ 65536, two from each word but the first, by Lemire's multiply-shift on 16 bits.

    16 bits alone favour some indices (by up to a factor of 2 at large n). The row's first word moves its lattice of
    65536 points by a uniform fraction of a step, which makes every index uniform to within 2^-32.
    """
    fraction = (words[:, :1] >> 16) * n >> 16
    halves = jnp.concatenate([words[:, 1:] & 0xFFFF, words[:, 1:] >> 16], axis=1)[:, :batch_size]
    return ((halves * n + fraction) >> 16).astype(jnp.int32)
