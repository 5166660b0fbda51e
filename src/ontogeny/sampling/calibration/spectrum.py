"""The density of the Hessian's eigenvalues at checkpoints, by stochastic Lanczos quadrature, and what a step adds to all of λ̂.

The stiffest direction says when chains diverge. λ̂ is a sum over all directions, and its bias is the mean of theirs: often a few
percent where the stiffest direction has twenty. Ghorbani, Krishnan and Xiao (2019, "An investigation into neural net optimization
via Hessian eigenvalue density") describe the quadrature.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from ontogeny.arrays.flat import Checkpoints, Mask, flatten, flatten_mask, single_precision, unflatten_like
from ontogeny.sampling.calibration.curvature import hessian_product, lanczos_basis, some_examples
from ontogeny.sampling.calibration.stability import Stability
from ontogeny.sampling.kernels.kernel import Kernel
from ontogeny.sampling.objective import Examples, Loss
from ontogeny.sampling.target import Target

PROBES, ITERATIONS, EXAMPLES = 2, 10, 32
Nodes = Float[np.ndarray, "checkpoints nodes"]


class Spectrum(NamedTuple):
    """Eigenvalues of the Hessian of L_n at checkpoints, as quadrature nodes with weights.

    Attributes:
        nodes: Ritz values.
        weights: how many directions each stands for; they sum to the number of directions that may move.
        noise_nodes: Ritz values as the gradients of single examples see them.
        noise_weights: the variance of these gradients along the directions of each; they sum to the trace of their covariance.
    """

    nodes: Nodes
    weights: Nodes
    noise_nodes: Nodes
    noise_weights: Nodes

    @property
    def trace(self) -> Float[np.ndarray, " checkpoints"]:
        """tr H (Hutchinson's estimate)."""
        return np.sum(self.weights * self.nodes, axis=1)

    @property
    def largest(self) -> Float[np.ndarray, " checkpoints"]:
        """The largest Ritz value, at most h_max."""
        return np.maximum(self.nodes.max(axis=1), self.noise_nodes.max(axis=1))

    def held_by_localization(self, inverse_temperature: float, localization: float) -> Float[np.ndarray, " checkpoints"]:
        """Return the share of λ̂ that the localisation decides on a quadratic with this spectrum: 1 - Σ s² / Σ s."""
        s = filled(self.nodes, inverse_temperature, localization)
        return 1 - np.sum(self.weights * s**2, axis=1) / np.sum(self.weights * s, axis=1)


def filled(nodes: Nodes, inverse_temperature: float, localization: float) -> Nodes:
    """Return s = nβ h / (nβ h + γ) at each node; directions that curve downwards count as flat."""
    stiffness = inverse_temperature * np.maximum(nodes, 0.0)
    return stiffness / np.maximum(stiffness + localization, np.finfo(float).tiny)


def spectrum(
    target: Target,
    checkpoints: Checkpoints,
    *,
    key: Key[Array, ""],
    probes: int = PROBES,
    iterations: int = ITERATIONS,
    most_examples: int = EXAMPLES,
) -> Spectrum:
    """Return the density of the Hessian's eigenvalues at each checkpoint, within the target's mask.

    Args:
        checkpoints: pytree, every leaf with a leading axis of K checkpoints. Half precision is raised to float32.
        probes: random vectors that the density is averaged over; half as many are used for that of the gradients.
        iterations: Hessian products for each probe.
        most_examples: of a large model, the examples whose Hessian it is (`some_examples`).
    """
    checkpoints = jax.tree.map(jnp.asarray, single_precision(checkpoints))
    examples = some_examples(target.loss, checkpoints, target.data, most_examples)
    found = quadrature(target.loss, checkpoints, examples, key, target.mask, probes, iterations)
    return Spectrum(*(np.asarray(field, np.float64) for field in found))


@partial(jax.jit, static_argnums=(0, 5, 6), compiler_options={"xla_backend_optimization_level": 1})
def quadrature(
    loss: Loss,
    checkpoints: Checkpoints,
    data: Examples | None,
    key: Key[Array, ""],
    mask: Mask | None,
    probes: int,
    iterations: int,
) -> tuple[Array, Array, Array, Array]:
    unflatten = unflatten_like(checkpoints)
    free = None if mask is None else flatten_mask(mask, checkpoints)

    def moving(vector: Array) -> Array:
        return vector if free is None else free * vector

    def at_checkpoint(position: Float[Array, " parameters"]) -> tuple[Array, Array, Array, Array]:
        def losses(position: Array) -> Array:
            return loss(unflatten(position), data)

        def nodes_from(start: Array) -> tuple[Array, Array]:
            square = jnp.vdot(start, start)
            count = min(iterations, position.size)
            basis, images = lanczos_basis(lambda v: moving(hessian_product(losses, position, None, moving(v))), start, count)
            projected = basis @ images.T
            values, vectors = jnp.linalg.eigh((projected + projected.T) / 2)
            return values, square * vectors[0] ** 2

        def of_gradients(key: Array) -> Array:
            value, pull = jax.vjp(losses, position)
            if value.ndim == 0:
                return jnp.zeros_like(position)
            signs = jax.random.rademacher(key, value.shape, value.dtype)
            return moving(pull((signs - signs.mean()) / jnp.sqrt(jnp.asarray(value.size, value.dtype)))[0])

        def of_directions(key: Array) -> Array:
            return moving(jax.random.rademacher(key, position.shape, position.dtype))

        of_noise = -(-probes // 2)
        keys = jax.random.split(key, probes + of_noise)
        starts = jnp.concatenate([jax.vmap(of_directions)(keys[:probes]), jax.lax.map(of_gradients, keys[probes:])])
        nodes, weights = jax.lax.map(nodes_from, starts)
        own, noise = slice(None, probes), slice(probes, None)
        return nodes[own].ravel(), weights[own].ravel() / probes, nodes[noise].ravel(), weights[noise].ravel() / of_noise

    return jax.lax.map(at_checkpoint, flatten(checkpoints))


def ends_and_middle(count: int) -> list[int]:
    """Return the places of the first, the middle and the last of `count` checkpoints."""
    return sorted({0, count // 2, count - 1})


def with_whole_bias(stability: Stability, density: Spectrum, sampler: Kernel, target: Target) -> Stability:
    """Return what a step comes to, with its bias over all directions together, which says whether it is too long."""
    judged = stability._replace(whole_bias=sum(bias_as_a_whole(density, sampler, target)))
    if judged.kind == "too long" and not judged.fails():
        return judged._replace(kind="stable", longest_step=None)
    return judged


def bias_as_a_whole(found: Spectrum, sampler: Kernel, target: Target) -> tuple[float, float]:
    """Return the shares of λ̂ that the step and the noise of minibatches add, summed over all directions, where they are largest.

    Estimates R1 and R1b of docs/estimators.md for every node. A thermostat takes out the mean of the noise over directions.
    Infinity where chains diverge.
    """
    limits, step = sampler.limits, sampler.step_size
    assert limits is not None and step is not None
    n_beta, localization = target.inverse_temperature, target.localization
    s = filled(found.nodes, n_beta, localization)
    value = step * (n_beta * np.maximum(found.nodes, 0.0) + localization) / limits.stable_below
    if (value >= 1).any():
        return float("inf"), 0.0
    whole = np.maximum(np.sum(found.weights * s, axis=1), np.finfo(float).tiny)
    by_step = np.sum(found.weights * s * (1 / (1 - value) - 1), axis=1) / whole
    if target.full_batch:
        return float(by_step.max()), 0.0
    heat = step * n_beta**2 / (4 * limits.injected * target.examples_per_step)
    noise = np.sum(found.noise_weights * filled(found.noise_nodes, n_beta, localization), axis=1) / whole
    if limits.thermostat:
        noise = np.abs(noise - np.sum(found.noise_weights, axis=1) / np.sum(found.weights, axis=1))
    return float(by_step.max()), float((heat * noise).max())
