"""Checkpoints and chains over the devices of a process."""

import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, Float, Int, PyTree, Shaped

from ontogeny.arrays.parts import filled

PER_CHECKPOINT = ("baseline", "gradient_norm")
"""Results that have no axis of chains."""
PER_CHAIN = ("values", "first_order", "collected")


def spread_over(devices: int, checkpoints: int, chains: int) -> tuple[int, int]:
    """Return how many devices share the checkpoints and how many the chains of one: the least work for the busiest device.

    Of equals the function takes the one with the most devices along the checkpoints, so that the pass over the data at w* is made
    once.
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
    program: Callable[[tuple[Array, Any], Array, Any], dict[str, Any]],
    spread: tuple[int, int],
    centers: Float[Array, "checkpoints parameters"],
    settings: PyTree[Shaped[Array, "checkpoints chains"]],
    numbers: Int[Array, " chains"],
    shared: Any,
) -> dict[str, Any]:
    """Run `program` on all checkpoints and chains, each device on its own; the last checkpoint fills up what is left over."""
    devices = math.prod(spread)
    if devices == 1:
        return program((centers, settings), numbers, shared)
    mesh = Mesh(np.reshape(jax.local_devices()[:devices], spread), ("checkpoints", "chains"))
    of_checkpoint, of_chain = PartitionSpec("checkpoints"), PartitionSpec("checkpoints", "chains")
    results = jax.shard_map(
        program,
        mesh=mesh,
        in_specs=((of_checkpoint, of_chain), PartitionSpec("chains"), PartitionSpec()),
        out_specs=dict.fromkeys(PER_CHECKPOINT, of_checkpoint) | dict.fromkeys(PER_CHAIN, of_chain),
        check_vma=False,
    )(filled((centers, settings), spread[0]), numbers, shared)
    return jax.tree.map(lambda leaf: leaf[: len(centers)], results)
