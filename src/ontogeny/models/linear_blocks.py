"""Independent linear maps of rank one, b_i a_iᵀ: singular at zero, with learning coefficients that are known."""

from collections.abc import Callable, Mapping
from itertools import accumulate

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from ontogeny.config.models.linear_blocks import LinearBlocksModel as Config
from ontogeny.problem.problem import Predicate


class LinearBlocks(nnx.Module):
    """The map x ↦ (b_1 a_1ᵀ x_1, b_2 a_2ᵀ x_2, …), where x_i are the inputs of block i."""

    def __init__(self, sizes: list[int], inward: Float[Array, " inputs"], outward: Float[Array, " inputs"]):
        self.sizes = tuple(sizes)
        self.inward, self.outward = nnx.Param(inward), nnx.Param(outward)

    def __call__(self, x: Float[Array, "batch inputs"]) -> Float[Array, "batch inputs"]:
        projected, outward = x * self.inward[...][None], self.outward[...][None]
        return jnp.concatenate(
            [projected[:, place].sum(axis=1, keepdims=True) * outward[:, place] for place in places(self.sizes)], axis=1
        )

    def factors(self) -> list[tuple[Float[Array, " size"], Float[Array, " size"]]]:
        """Return a_i and b_i of each block."""
        inward, outward = self.inward[...], self.outward[...]
        return [(inward[place], outward[place]) for place in places(self.sizes)]

    def components(self) -> Mapping[str, Predicate]:
        """Return the predicates of `blocks.i`, the parameters of block i."""
        return {f"blocks.{i}": of_block(place) for i, place in enumerate(places(self.sizes))}


def places(sizes: tuple[int, ...]) -> list[slice]:
    """Return where each block lies among all coordinates."""
    return [slice(end - size, end) for size, end in zip(sizes, accumulate(sizes), strict=True)]


def of_block(place: slice) -> Predicate:
    """Return the predicate of the parameters of one block."""
    return lambda shapes: {"inward": (place,), "outward": (place,)}


def build(config: Config, shape: Mapping[str, int]) -> Callable[[nnx.Rngs], LinearBlocks]:
    """Return the function that makes the module for a task with this many `blocks` of these sizes.

    A block that starts at a multiple s of its target e_1 e_1ᵀ has a = b = √s e_1.
    """
    sizes = [shape[f"blocks.{i}"] for i in range(shape["blocks"])]
    start = [None] * len(sizes) if config.start is None else config.start

    def make(rngs: nnx.Rngs) -> LinearBlocks:
        drawn = config.spread * jax.random.normal(rngs.params(), (2, sum(sizes)))
        for place, multiple in zip(places(tuple(sizes)), start, strict=True):
            if multiple is not None:
                drawn = drawn.at[:, place].set(0.0).at[:, place.start].set(multiple**0.5)
        return LinearBlocks(sizes, drawn[0], drawn[1])

    return make
