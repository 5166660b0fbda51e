"""What a sampler is: a frozen dataclass of its numbers with a pure `init` and `step`, one file each.

A kernel sees the local posterior through `objective`, the batch's loss above that of w* and its gradient, through the
random numbers it is handed, and through a `LocalPosterior` that says the rest. It calls `objective` once a step.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from jaxtyping import Array, Bool, Float

from ontogeny.sampling.posterior import LocalPosterior

Objective = Callable[[Float[Array, "parameters"]], tuple[Float[Array, ""], Float[Array, "parameters"]]]
"""w -> (L_b(w) - L_b(w*), ∇L_b(w)) on the step's batch b."""


class Randomness(NamedTuple):
    """The random numbers of a step. What a kernel does not use is never computed."""

    noise: Float[Array, "parameters"]  # standard normal
    uniform: Float[Array, ""]  # on [0, 1)


class Draw(NamedTuple):
    """A draw of the chain, and its loss above that of w* on the batch it was measured on."""

    position: Float[Array, "parameters"]
    value: Float[Array, ""]


class Kernel(Protocol):
    """The interface of every sampler. Its numbers are traced: other values compile nothing anew."""

    @property
    def step_size(self) -> float: ...

    def check(self, *, full_batch: bool) -> None:
        """Raise ValueError if a number is out of bounds, or the kernel needs the full batch and does not get it."""
        ...

    def init(self, posterior: LocalPosterior, objective: Objective) -> Any:
        """The state at w*; `objective` is that of the full data."""
        ...

    def step(
        self, state: Any, posterior: LocalPosterior, objective: Objective, random: Randomness, burning_in: Bool[Array, ""]
    ) -> tuple[Any, Draw]:
        """The next state, and a draw whose loss was read before the batch moved it."""
        ...
