"""The stochastic gradient Nosé-Hoover thermostat (Ding et al. 2014), localised, in a symmetric splitting."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ontogeny.sampling.kernels.kernel import (
    FRICTION,
    AutoStep,
    Draw,
    Limits,
    Objective,
    Randomness,
    StepSize,
    check_friction,
    check_step_size,
)
from ontogeny.sampling.posterior import LocalPosterior


class SGNHTState(NamedTuple):
    position: Float[Array, " parameters"]
    velocity: Float[Array, " parameters"]
    friction: Float[Array, ""]


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class SGNHT(AutoStep):
    """SGHMC whose friction ξ adapts, so that the noise of minibatches does not widen the distribution of the chain.

    v is the velocity times the time step and d the number of directions that move. One step is

    1. w ← w + v/2, ξ ← ξ + (|v|²/d - ε/2)/2;
    2. v ← exp(-ξ/2) v;
    3. v ← v - (ε/2) (nβ ∇L_b(w) + γ (w - w*)) + N(0, α ε);
    4. the second and then the first again.

    The symmetric splitting of Chen, Ding and Carin (2015, "On the convergence of stochastic gradient MCMC algorithms with high-
    order integrators") is of second order in the time step √(ε/2). Ding's Euler steps are of first order.

    Attributes:
        step_size: ε.
        friction: α, the noise that is added, and the first value of ξ; None or "auto" for one that `calibrate` and
            `estimate_llc` choose.
    """

    step_size: StepSize = 1e-4
    friction: float | None = 0.1

    @property
    def limits(self) -> Limits | None:
        """The splitting is stable as a leapfrog is. Its bias on a quadratic is smaller than these limits say."""
        friction = FRICTION if self.friction is None else self.friction
        return Limits(stable_below=8.0, injected=friction, thermostat=True)

    def check(self, *, full_batch: bool) -> None:
        check_step_size(self.step_size)
        check_friction(self.friction)

    def init(self, posterior: LocalPosterior, objective: Objective) -> SGNHTState:
        friction = jnp.asarray(self.friction, posterior.center.dtype)
        return SGNHTState(posterior.center, jnp.zeros_like(posterior.center), friction)

    def step(
        self,
        state: SGNHTState,
        posterior: LocalPosterior,
        objective: Objective,
        random: Randomness,
        burning_in: Bool[Array, ""] | bool = False,
    ) -> tuple[SGNHTState, Draw]:
        position = state.position + state.velocity / 2
        friction = state.friction + self.excess(state.velocity, posterior) / 2
        value, gradient = objective(position)
        force = self.step_size / 2 * posterior.potential_gradient(position, gradient)
        noise = jnp.sqrt(self.friction * self.step_size) * posterior.tangent(random.noise)
        velocity = jnp.exp(-friction / 2) * (jnp.exp(-friction / 2) * state.velocity - force + noise)
        friction = friction + self.excess(velocity, posterior) / 2
        return SGNHTState(position + velocity / 2, velocity, friction), Draw(position, value)

    def excess(self, velocity: Float[Array, " parameters"], posterior: LocalPosterior) -> Float[Array, ""]:
        """Return the excess of |v|²/d over its mean under the posterior; its mean is 0 once the chain is stationary."""
        return jnp.vdot(velocity, velocity) / posterior.dimension() - self.step_size / 2


build = SGNHT
