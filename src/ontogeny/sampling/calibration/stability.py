"""Whether a step size suits the curvature, from the stationary variance of a kernel on a quadratic (`kernel.Limits`)."""

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from ontogeny.sampling.kernels.kernel import Kernel, Limits

LARGEST_BIAS = 0.02
"""Share of λ̂ by which a step may bias its worst direction. Over all directions together the bias is smaller."""
LARGEST_WHOLE_BIAS = 0.05
"""Share of λ̂ by which a step and the noise of minibatches may bias it before the check `step_size` fails."""


class Stability(NamedTuple):
    """What a step size does where the curvature is largest.

    Attributes:
        kind: "stable"; "too long", where a bias exceeds `largest_bias`; "unstable", where chains diverge or pilot chains died.
        value: ε (nβ h_max + γ).
        step_bias: the share of λ̂ that the step adds in the stiffest direction; infinity where chains diverge.
        noise_bias: the share of λ̂ that the noise of minibatches adds at most.
        largest_bias: the share that each of them may reach.
        stable_below: the value from which chains diverge.
        longest_step: of a step that is too long, the longest with no larger bias; of an unstable one, the step from which chains
            diverge. None for a stable step.
        dead_chains, pilot_chains: the pilot chains that died, of all; 0 of 0 where none were run or none died.
        whole_bias: the share of λ̂ that the step and the noise add over all directions together (`spectrum.bias_as_a_whole`); None
            where it was not measured.
    """

    kind: Literal["stable", "too long", "unstable"]
    value: float
    step_bias: float
    noise_bias: float
    largest_bias: float
    stable_below: float
    longest_step: float | None = None
    dead_chains: int = 0
    pilot_chains: int = 0
    whole_bias: float | None = None

    @property
    def bias(self) -> float:
        """The bias of λ̂ in the worst direction, as a share of it."""
        return self.step_bias + self.noise_bias

    def fails(self, *, extrapolated: bool = False) -> bool:
        """Return whether λ̂ as a whole is biased by more than 5%; where that was not measured, whether its worst direction is.

        Richardson's extrapolation leaves what is of second order in the step: about the square of the bias.
        """
        bias = self.bias if self.whole_bias is None else self.whole_bias
        return (bias**2 if extrapolated else bias) > LARGEST_WHOLE_BIAS


def stability(
    sampler: "Kernel",
    inverse_temperature: float,
    curvature: float,
    localization: float,
    minibatch_noise: float = 0.0,
    largest_bias: float = LARGEST_BIAS,
) -> Stability:
    """Return what the step of a sampler comes to at the largest Hessian eigenvalue h_max.

    Args:
        sampler: with a number as its step, and with `limits`.
        curvature: h_max.
        minibatch_noise: s²/b, the variance of a minibatch gradient in its noisiest direction.
        largest_bias: the share of λ̂ that the step and the noise may each add.
    """
    limits, step = sampler.limits, sampler.step_size
    assert limits is not None and step is not None
    stiffness = inverse_temperature * curvature + localization
    value = step * stiffness
    if not value < limits.stable_below:
        bound = limits.stable_below / stiffness
        return Stability("unstable", value, math.inf, 0.0, largest_bias, limits.stable_below, bound)
    step_bias = 1 / (1 - max(value, 0.0) / limits.stable_below) - 1
    noise_bias = step * inverse_temperature**2 * minibatch_noise / (4 * limits.injected)
    if max(step_bias, noise_bias) <= largest_bias * (1 + 1e-6):
        return Stability("stable", value, step_bias, noise_bias, largest_bias, limits.stable_below)
    longest = longest_step(limits, inverse_temperature, curvature, localization, minibatch_noise, largest_bias)
    return Stability("too long", value, step_bias, noise_bias, largest_bias, limits.stable_below, longest)


def longest_step(
    limits: "Limits", inverse_temperature: float, curvature: float, localization: float, minibatch_noise: float, bias: float
) -> float:
    """Return the largest ε at which neither the step nor the noise of minibatches adds more than the share `bias`."""
    stiffest = inverse_temperature * max(curvature, 0.0) + localization
    by_step = limits.stable_below * bias / (1 + bias) / stiffest if stiffest > 0 else math.inf
    noise = inverse_temperature**2 * minibatch_noise
    by_noise = 4 * limits.injected * bias / noise if noise > 0 else math.inf
    return min(by_step, by_noise)


def in_words(stability: Stability) -> str:
    """Return the sentence that says what a step comes to, for people."""
    value = f"ε (nβ h_max + γ) = {stability.value:.3g}"
    if not math.isfinite(stability.step_bias):
        return (
            f"unstable: {value} is not below {stability.stable_below:.3g}; chains diverge where the curvature is largest. "
            f"step_size must be below {stability.longest_step:.3g}"
        )
    biases = f"{value}, a step-size bias of at most {100 * stability.step_bias:.1f}%"
    if stability.noise_bias:
        biases += f" and up to {100 * stability.noise_bias:.1f}% from the noise of minibatches"
    if stability.whole_bias is not None:
        biases += f"; over all directions {100 * stability.whole_bias:.1f}%"
    if stability.kind == "unstable":
        return f"unstable: {stability.dead_chains} of {stability.pilot_chains} pilot chains died; {biases}"
    if stability.kind == "too long":
        limit = f"step_size {stability.longest_step:.2g} keeps within {100 * stability.largest_bias:g}%"
        return f"too long: {biases}; {limit}"
    return f"stable: {biases}"
