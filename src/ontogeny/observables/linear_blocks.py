"""Measure what each linear block of rank one has learnt, and give the learning coefficient that is known of all together.

A block of size d has λ = d/2 at zero and d - 1/2 where it has rank one (`theory.linear_blocks`). It counts as learnt where its
map is longer than half of its target, whose length is 1.
"""

from collections.abc import Mapping

import jax.numpy as jnp
from jaxtyping import Array, Float

from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import ObservableFunction, Params, Task
from ontogeny.theory.linear_blocks import learning_coefficient

LEARNT = 0.5
"""A block is learnt where |b aᵀ| exceeds this share of its target's length."""
NEEDS = Needs(methods=("factors",), provides=("blocks",))


def build(network: Network, task: Task) -> Mapping[str, ObservableFunction]:
    """Return `block_loss` and `product_norm` of each component `blocks.i`, `learnt_blocks`, and `exact_llc`."""
    sizes = task.provides["blocks"]
    before, after = (jnp.asarray([learning_coefficient(size, learnt)[0] for size in sizes], float) for learnt in (False, True))

    def by_block(values: Float[Array, " blocks"]) -> dict[str, Float[Array, ""]]:
        return {f"blocks.{i}": values[i] for i in range(len(sizes))}

    def learnt(params: Params) -> Float[Array, " blocks"]:
        return (product_norms(network, params) > LEARNT).astype(float)

    return {
        "block_loss": lambda params: by_block(block_losses(network, params)),
        "product_norm": lambda params: by_block(product_norms(network, params)),
        "learnt_blocks": lambda params: learnt(params).sum(),
        "exact_llc": lambda params: jnp.sum(before + (after - before) * learnt(params)),
    }


def block_losses(network: Network, params: Params) -> Float[Array, " blocks"]:
    """Return ½ |b aᵀ - e_1 e_1ᵀ|² of each block."""
    return jnp.stack(
        [
            jnp.sum((b[:, None] * a[None] - jnp.zeros((len(b), len(a))).at[0, 0].set(1.0)) ** 2) / 2
            for a, b in network.apply(params, method="factors")
        ]
    )


def product_norms(network: Network, params: Params) -> Float[Array, " blocks"]:
    """Return |b aᵀ| = |a| |b| of each block."""
    return jnp.stack([jnp.linalg.norm(a) * jnp.linalg.norm(b) for a, b in network.apply(params, method="factors")])
