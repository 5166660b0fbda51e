"""Checkpoints and chains over the devices of a process, and checkpoints of one device in groups."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, Float, Int


def spread_over(devices: int, checkpoints: int, chains: int) -> tuple[int, int]:
    """How many devices share the checkpoints, and how many the chains of one: as leaves the least work for the busiest.

    Of equals, the one with the most along the checkpoints: the pass over the data at w* is then nowhere made twice.
    """

    def busiest(spread: tuple[int, int]) -> int:
        return -(-checkpoints // spread[0]) * (chains // spread[1])

    spreads = [
        (along, across)
        for along in range(min(devices, checkpoints), 0, -1)
        for across in range(1, devices // along + 1)
        if chains % across == 0
    ]
    return min(spreads, key=busiest)


def over_devices(
    program: Callable[[Array, Array, Any], dict[str, Any]],
    spread: tuple[int, int],
    centers: Float[Array, "checkpoints parameters"],
    numbers: Int[Array, " chains"],
    shared: Any,
) -> dict[str, Any]:
    """`program` on all checkpoints and chains, each device with its own; the last checkpoint fills up what is left over."""
    devices = math.prod(spread)
    if devices == 1:
        return program(centers, numbers, shared)
    mesh = Mesh(np.reshape(jax.local_devices()[:devices], spread), ("checkpoints", "chains"))
    count = len(centers)
    filled = jnp.concatenate([centers, jnp.repeat(centers[-1:], -count % spread[0], axis=0)])
    of_checkpoint, of_chain = PartitionSpec("checkpoints"), PartitionSpec("checkpoints", "chains")
    seen = jax.shard_map(
        program,
        mesh=mesh,
        in_specs=(of_checkpoint, PartitionSpec("chains"), PartitionSpec()),
        out_specs={
            **dict.fromkeys(("baseline", "gradient_norm"), of_checkpoint),
            **dict.fromkeys(("values", "first_order", "collected"), of_chain),
        },
        check_vma=False,
    )(filled, numbers, shared)
    return jax.tree.map(lambda leaf: leaf[:count], seen)


def in_groups(program: Callable[[Array], Any], centers: Float[Array, "checkpoints parameters"], size: int) -> Any:
    """`program` on groups of `size` checkpoints, one after another; the last checkpoint fills up the last group."""
    count = len(centers)
    filled = jnp.concatenate([centers, jnp.repeat(centers[-1:], -count % size, axis=0)])
    seen = jax.lax.map(program, filled.reshape(-1, size, centers.shape[1]))
    return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:])[:count], seen)
