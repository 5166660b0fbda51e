"""The random keys of a run: one for each purpose, from its seed."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

INITIALISE, TRAIN, SAMPLE = 0, 1, 2
"""Folded into the key of a seed."""


def seed_keys(seeds: Sequence[int], purpose: int) -> Key[Array, " seeds"]:
    """Keys of the seeds for initialisation (purpose 0) or training (purpose 1)."""
    return jax.vmap(lambda seed: jax.random.fold_in(jax.random.key(seed), purpose))(jnp.asarray(seeds, jnp.uint32))
