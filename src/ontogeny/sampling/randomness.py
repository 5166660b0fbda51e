"""The random numbers of a chain: a function of (key, chain, block of 16 draws), and of nothing else.

The first draws of the first chains therefore stay the same when there are more draws, chains or checkpoints, and every checkpoint
of a run gets the same batches and the same noise (common random numbers).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key, UInt32

BLOCK = 16
"""Draws whose random numbers are drawn at once: one call of the generator for 16 steps of a small model."""
LARGEST_AT_ONCE = 2**22
"""Parameters up to which the noise of a block is drawn at once; that of 16 draws takes 256 MB here."""

RandomKey = Key[Array, ""]
Place = Int[Array, ""]
"""The place of a draw in its block, from 0."""


def block_key(key: RandomKey, chain: Int[Array, ""] | int, block: Int[Array, ""] | int) -> RandomKey:
    return jax.random.fold_in(jax.random.fold_in(key, chain), block)


def noise(
    key: RandomKey, parameters: int, dtype: jnp.dtype, largest: int = LARGEST_AT_ONCE
) -> Callable[[Place], Float[Array, " parameters"]]:
    """Return the standard normal noise of a block of draws, as a function of the place of a draw, given `block_key`.

    Up to `largest` parameters the noise of the block is drawn at once. Above, each draw has a key of its own and its noise is
    drawn
    when it is needed: 16 times less memory, and other numbers than the block's.
    """
    key = jax.random.fold_in(key, 0)
    if parameters > largest:
        return lambda place: jax.random.normal(jax.random.fold_in(key, place), (parameters,), dtype)
    block = jax.random.normal(key, (BLOCK, parameters), dtype)
    return lambda place: block[place]


def uniforms(key: RandomKey, dtype: jnp.dtype) -> Float[Array, "16"]:
    """Return uniform numbers on [0, 1) for a block of draws, given `block_key`."""
    return jax.random.uniform(jax.random.fold_in(key, 2), (BLOCK,), dtype)


def batches(key: RandomKey, batch_size: int, n: int) -> Int[Array, "16 {batch_size}"]:
    """Return minibatches for a block of draws: indices below n, independent and uniform, with replacement, given `block_key`."""
    key = jax.random.fold_in(key, 1)
    if n > 2**16:
        return jax.random.randint(key, (BLOCK, batch_size), 0, n)
    return multiply_shift(jax.random.bits(key, (BLOCK, 1 + -(-batch_size // 2)), jnp.uint32), batch_size, n)


def multiply_shift(words: UInt32[Array, "rows words"], batch_size: int, n: int) -> Int[Array, "rows {batch_size}"]:
    """Return indices below n ≤ 65536, two from each word but the first, by Lemire's multiply-shift on 16 bits.

    16 bits alone favour some indices (by up to a factor of 2 at large n). The first word of the row moves its lattice of 65536
    points by a uniform fraction of a step, which makes every index uniform to within 2^-32.
    """
    fraction = (words[:, :1] >> 16) * n >> 16
    halves = jnp.concatenate([words[:, 1:] & 0xFFFF, words[:, 1:] >> 16], axis=1)[:, :batch_size]
    return ((halves * n + fraction) >> 16).astype(jnp.int32)
