"""The interface of samplers: a frozen dataclass of numbers with a pure `init` and `step`, one file each.

A kernel gets the local posterior as `objective` (the batch's loss above that of w*, and its gradient) and as a `LocalPosterior`,
and the random numbers of every step.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from jaxtyping import Array, Bool, Float, Key

from ontogeny.sampling.checks import check_number
from ontogeny.sampling.posterior import LocalPosterior

Objective = Callable[[Float[Array, " parameters"]], tuple[Float[Array, ""], Float[Array, " parameters"]]]
"""w -> (L_b(w) - L_b(w*), ∇L_b(w)) on the step's batch b."""


StepSize = Any
"""ε, a positive number. None, or its synonym "auto", stands for a step that `calibrate` and `estimate_llc` choose."""


class AutoStep:
    """Let a sampler be made with `step_size="auto"` or `friction="auto"`, which are kept as None."""

    step_size: StepSize

    def __post_init__(self) -> None:
        for name in ("step_size", "friction"):
            value = getattr(self, name, 0.0)
            if isinstance(value, str) and value == "auto":
                object.__setattr__(self, name, None)


FRICTION, LEAST_FRICTION = 0.1, 0.02
"""α where it is chosen and the localisation is 0, and the least that is chosen."""


def suitable_friction(step_size: float, localization: float) -> float:
    """Return the friction that damps the flattest direction critically: α = 2 √(ε γ / 2), so that it settles fastest.

    Directions of curvature h oscillate with a frequency √(ε (nβ h + γ) / 2) per step; the flattest has that of γ alone.
    """
    if localization == 0:
        return FRICTION
    return min(1.0, max(LEAST_FRICTION, math.sqrt(2 * step_size * localization)))


def with_friction(sampler: Any, localization: float) -> Any:
    """Return the sampler with its friction chosen where it is None; it has a number as its step."""
    if getattr(sampler, "friction", 0.0) is not None:
        return sampler
    return replace(sampler, friction=suitable_friction(sampler.step_size, localization))


def with_step(sampler: Any, step_size: float) -> Any:
    """Return the sampler with another step size."""
    return replace(sampler, step_size=float(step_size))


class Randomness(NamedTuple):
    """The random numbers of a step. Those that a kernel does not use are never computed."""

    noise: Float[Array, " parameters"]  # standard normal
    uniform: Float[Array, ""]  # on [0, 1)
    key: Key[Array, ""]  # for libraries that draw their own


class State(Protocol):
    """What a kernel carries from step to step: a pytree with the position. A chain whose position is not finite is dead."""

    @property
    def position(self) -> Any: ...


class Draw(NamedTuple):
    """A draw of the chain, and its loss above that of w* on the batch it was measured on."""

    position: Float[Array, " parameters"]
    value: Float[Array, ""]


class Limits(NamedTuple):
    """How a kernel with step ε errs on a quadratic of curvature h, with a = nβ h + γ and minibatches of b examples.

    Attributes:
        stable_below: chains diverge from ε a = `stable_below` on; below it λ̂ is too high by the factor
            1 / (1 - ε a / `stable_below`).
        injected: the share of ε that the kernel injects as noise. The noise of minibatch gradients adds the share
            ε (nβ)² s² / (4 b `injected`) to the variance, s² being the variance of the gradient of an example in that direction.
        thermostat: whether the kernel takes out the mean of that noise over all directions.
    """

    stable_below: float
    injected: float
    thermostat: bool = False


class Kernel(Protocol):
    """The interface of every sampler. Its numbers are traced: other values compile nothing anew."""

    @property
    def step_size(self) -> StepSize: ...

    @property
    def limits(self) -> "Limits | None":
        """The bounds of the step size; None where `calibrate` cannot choose it."""
        ...

    def check(self, *, full_batch: bool) -> None:
        """Raise ValueError if a number is out of bounds, or the kernel needs the full batch and does not get it."""
        ...

    def init(self, posterior: LocalPosterior, objective: Objective) -> State:
        """Return the state at w*; `objective` is that of the full data."""
        ...

    def step(
        self, state: Any, posterior: LocalPosterior, objective: Objective, random: Randomness, burning_in: Bool[Array, ""]
    ) -> tuple[State, Draw]:
        """Return the next state, and a draw whose loss was read before the batch moved it."""
        ...


def check_step_size(step_size: StepSize) -> None:
    """Raise ValueError unless ε is a positive finite number."""
    if step_size is None or isinstance(step_size, str):
        raise ValueError(f"sampler: step_size must be a number here, got {step_size!r}; estimate_llc and calibrate choose one")
    check_positive("step_size", step_size)


def check_positive(name: str, value: float) -> None:
    check_number(f"sampler: {name}", value)
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"sampler: {name} must be positive and finite, got {value}")


def check_full_batch(kernel: str, full_batch: bool) -> None:
    if not full_batch:
        raise ValueError(f"batch_size: {kernel} takes the full batch; leave batch_size out, or sample with SGLD")


def check_friction(friction: float | None) -> None:
    if friction is None or isinstance(friction, str):
        raise ValueError(f"sampler: friction must be a number here, got {friction!r}; estimate_llc and calibrate choose one")
    if not 0 < friction <= 1:
        raise ValueError(f"sampler: friction must lie above 0 and not above 1, got {friction}")
