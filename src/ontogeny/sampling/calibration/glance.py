"""A look at a given step size, cheaper than a calibration: the curvature at the first and the last checkpoint."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from ontogeny.arrays.flat import Checkpoints, Mask, flatten, flatten_mask, single_precision, unflatten_like, unit
from ontogeny.sampling.calibration.curvature import HESSIAN_EXAMPLES, hessian_product, some_examples
from ontogeny.sampling.calibration.spectrum import ends_and_middle, spectrum, with_whole_bias
from ontogeny.sampling.calibration.stability import LARGEST_BIAS, LARGEST_WHOLE_BIAS, Stability, in_words, stability
from ontogeny.sampling.kernels.kernel import Kernel
from ontogeny.sampling.objective import Loss
from ontogeny.sampling.target import Target

GLANCES, GLANCED_EXAMPLES = 20, 16


def check_stability(target: Target, checkpoints: Checkpoints, sampler: Kernel, *, key: Key[Array, ""]) -> Stability | None:
    """Return what a given step comes to at the first and the last checkpoint.

    Where the stiffest direction is biased by more than 5%, and with minibatches, the bias over all directions is measured at the
    first, the middle and the last checkpoint. Returns None for kernels without `limits`, and where the Hessian is not finite.

    Raises:
        ValueError: chains of this step diverge.
    """
    if sampler.limits is None or not isinstance(sampler.step_size, int | float):
        return None
    # By NumPy, since JAX compiles a program for every slice taken outside one.
    ends = jax.tree.map(lambda leaf: np.asarray(leaf)[[0, -1]], single_precision(checkpoints))

    def at_examples(most: int) -> Stability | None:
        examples = some_examples(target.loss, ends, target.data, most)
        curvature = np.asarray(curvature_at_a_glance(target.loss, ends, examples, key, target.mask))
        if not np.isfinite(curvature).any():
            return None
        return stability(sampler, target.inverse_temperature, max(float(np.nanmax(curvature)), 0.0), target.localization)

    glanced = at_examples(GLANCED_EXAMPLES)
    if glanced is not None and glanced.bias > LARGEST_BIAS:
        # The mean of few Hessians has too large a top eigenvalue, so a step is found too long on more examples only.
        glanced = at_examples(HESSIAN_EXAMPLES)
    if glanced is not None and glanced.kind == "unstable":
        raise ValueError(f"sampler: step_size {sampler.step_size:g} is {in_words(glanced)}")
    if glanced is None or (target.full_batch and glanced.bias <= LARGEST_WHOLE_BIAS):
        return glanced
    places = ends_and_middle(len(jax.tree.leaves(checkpoints)[0]))
    some = jax.tree.map(lambda leaf: np.asarray(leaf)[places], checkpoints)
    return with_whole_bias(glanced, spectrum(target, some, key=key), sampler, target)


@partial(jax.jit, static_argnums=0, compiler_options={"xla_backend_optimization_level": 0})
def curvature_at_a_glance(
    loss: Loss, checkpoints: Checkpoints, data: Any, key: Key[Array, ""], mask: Mask | None = None
) -> Float[Array, " checkpoints"]:
    """Return the result of 20 steps of the power method, at most h_max, at each checkpoint.

    The power method compiles four times faster than Lanczos. XLA does not optimise the program, since it runs once: half the time
    to compile, twice the time to run. The result is below 0 where the eigenvalue largest in absolute value is negative, and says
    nothing of the positive ones.
    """
    unflatten = unflatten_like(checkpoints)
    free = 1.0 if mask is None else flatten_mask(mask, checkpoints)

    def at_checkpoint(position: Float[Array, " parameters"]) -> Float[Array, ""]:
        def product(vector: Array) -> Array:
            return free * hessian_product(lambda position: loss(unflatten(position), data), position, None, free * vector)

        start = unit(free * jax.random.normal(key, position.shape, position.dtype))
        vector = jax.lax.fori_loop(0, GLANCES, lambda _, vector: unit(product(vector)), start)
        return jnp.vdot(vector, product(vector))

    return jax.lax.map(at_checkpoint, flatten(checkpoints))
