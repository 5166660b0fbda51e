"""The losses of single examples at the draws, for `sample(collect=...)`."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
from jax.tree_util import Partial
from jaxtyping import Array, Float

from ontogeny.arrays.flat import Parameters
from ontogeny.arrays.memory import choose_microbatch
from ontogeny.arrays.parts import mapped
from ontogeny.sampling.objective import Examples, Loss


@dataclass(frozen=True)
class LossesAt:
    """(examples, params) -> the loss of each example, in parts where all at once overflow the cache.

    Two of them are equal where `loss` is, so that a compiled program is found again.
    """

    loss: Loss

    def __call__(self, examples: Examples, params: Parameters) -> Float[Array, " batch"]:
        n = jax.tree.leaves(examples)[0].shape[0]
        microbatch = choose_microbatch(self.loss, params, examples, n)
        return mapped(lambda part: self.loss(params, part), examples, microbatch)


def per_example_losses(loss: Loss, examples: Examples) -> Callable[[Parameters], Float[Array, " batch"]]:
    """Return a function of the parameters for `sample(..., collect={"losses": …})`: the loss of each of some examples.

    The examples are arguments of the compiled program, as the data is: others of the same shape compile nothing anew.
    """
    return Partial(LossesAt(loss), examples)
