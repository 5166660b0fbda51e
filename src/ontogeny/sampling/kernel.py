"""What a sampler is: a frozen dataclass of its numbers with a pure `init` and `step`, one file each.

A kernel sees the local posterior through `objective`, the batch's loss above that of w* and its gradient, through the
random numbers it is handed, and through a `LocalPosterior` that says the rest.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from jaxtyping import Array, Bool, Float, Key

from ontogeny.sampling.posterior import LocalPosterior

Objective = Callable[[Float[Array, "parameters"]], tuple[Float[Array, ""], Float[Array, "parameters"]]]
"""w -> (L_b(w) - L_b(w*), ∇L_b(w)) on the step's batch b."""


class Randomness(NamedTuple):
    """The random numbers of a step. What a kernel does not use is never computed."""

    noise: Float[Array, "parameters"]  # standard normal
    uniform: Float[Array, ""]  # on [0, 1)
    key: Key[Array, ""]  # for libraries that draw their own


class Draw(NamedTuple):
    """A draw of the chain, and its loss above that of w* on the batch it was measured on."""

    position: Float[Array, "parameters"]
    value: Float[Array, ""]


class Kernel(Protocol):
    """The interface of every sampler. Its numbers are traced: other values compile nothing anew."""

    @property
    def step_size(self) -> float | str: ...

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


def check_step_size(step_size: float | str) -> None:
    """Raise ValueError unless ε is a positive finite number."""
    if isinstance(step_size, str):
        raise ValueError(f"sampler: step_size must be a number, or 'auto' where it can be calibrated, got {step_size!r}")
    check_positive("step_size", step_size)


def check_positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"sampler: {name} must be positive and finite, got {value}")


def check_full_batch(kernel: str, full_batch: bool) -> None:
    if not full_batch:
        raise ValueError(f"batch_size: {kernel} takes the full batch; leave batch_size out, or sample with SGLD")
