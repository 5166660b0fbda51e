"""The library's front door: estimate the local learning coefficient at checkpoints in one call."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import jax
import numpy as np
from jaxtyping import Array, Key

from ontogeny.estimates.llc import Estimate, summarise
from ontogeny.problem.behavioural import behavioural_loss, moving_mask, with_reference
from ontogeny.problem.divergences import Divergence
from ontogeny.sampling import checks
from ontogeny.sampling.calibration.pilots import AUTO, calibrate, check_stability, with_step
from ontogeny.sampling.chains import Projection, sample
from ontogeny.sampling.draws import Draws
from ontogeny.sampling.kernels.kernel import Kernel
from ontogeny.sampling.kernels.sgld import SGLD
from ontogeny.sampling.objective import Loss

LARGEST_STEP_BIAS = 0.05


PILOTS = 2**31 - 1
"""Folded into the key for pilot chains."""


DEFAULT_SAMPLER = SGLD(step_size=1e-4)


def judged(estimate: Estimate) -> Estimate:
    """With `step_size` among the failed checks where the step biases the stiffest direction by more than 5%."""
    if estimate.stability is None or estimate.stability.bias <= LARGEST_STEP_BIAS:
        return estimate
    failed = ["step_size" if verdict == "ok" else f"{verdict}, step_size" for verdict in estimate.verdict]
    return replace(estimate, verdict=failed)


def extrapolated(whole: Draws, half: Draws) -> Draws:
    """Richardson's extrapolation draw by draw: the bias of first order in the step cancels in 2 x(ε/2) - x(ε)."""
    return replace(half, values=2 * half.values - whole.values, first_order=2 * half.first_order - whole.first_order)


def estimate_llc(
    loss: Loss,
    checkpoints: Any,
    data: Any = None,
    *,
    key: Key[Array, ""] | None = None,
    sampler: Kernel = DEFAULT_SAMPLER,
    inverse_temperature: float | None = None,
    localization: float = 1.0,
    chains: int = 8,
    draws: int = 500,
    burn_in: int | Literal["auto"] = 200,
    batch_size: int | None = None,
    n: int | None = None,
    mask: Any = None,
    refine: Mapping[str, Any] | None = None,
    projection: Projection | None = None,
    control_variates: bool = False,
    extrapolate: bool = False,
    steps: Sequence[int] | None = None,
    progress: bool = False,
) -> Estimate:
    """λ̂ at every checkpoint: `sample`, then `summarise`. Arguments, and what is raised, as in `sample` and `calibrate`.

    Args:
        key: None for `jax.random.key(0)`.
        sampler: with `step_size="auto"` the step is chosen by `calibrate`, from all checkpoints.
        burn_in: "auto" for what `calibrate` finds.
        extrapolate: take chains of half the step too, and 2 λ̂(ε/2) - λ̂(ε): Richardson's extrapolation removes the bias of
            first order in the step, at twice the cost and two to three times the error.
        refine: name -> mask, each like `mask` and instead of it: weight-refined λ̂ beside that of the whole network, with
            the same batches and noise, and the program compiled once for all.
    """

    checks.check_sampler(sampler)
    if extrapolate and sampler.limits is None:
        raise ValueError(f"extrapolate: {type(sampler).__name__} has no bias in its step to extrapolate; leave it out")
    checks.check_counts(chains=(chains, 1), draws=(draws, 1), **({} if burn_in == AUTO else {"burn_in": (burn_in, 0)}))
    key = jax.random.key(0) if key is None else key
    posterior: Any = {
        "key": key,
        "inverse_temperature": inverse_temperature,
        "localization": localization,
        "batch_size": batch_size,
        "n": n,
        "control_variates": control_variates,
    }
    if AUTO in (getattr(sampler, "step_size", None), burn_in):
        # Another key: pilots that shared the chains' noise would tune the step and the burn-in to it.
        pilots = {**posterior, "key": jax.random.fold_in(key, PILOTS)}
        calibration = calibrate(loss, checkpoints, data, sampler=sampler, mask=mask, **pilots)
        sampler, burn_in = calibration.sampler, calibration.burn_in if burn_in == AUTO else burn_in
        told = calibration.stability
    else:
        told = check_stability(loss, checkpoints, data, sampler=sampler, mask=mask, **posterior)
    counts: Any = {"chains": chains, "draws": draws, "burn_in": burn_in}
    options: Any = {"projection": projection, "steps": steps, "progress": progress, **posterior, **counts}

    def estimate(mask: Any) -> Estimate:
        whole = sample(loss, checkpoints, data, sampler=sampler, mask=mask, **options)
        if extrapolate:
            # Chains of half the step take twice as many to settle.
            half = {**options, "sampler": with_step(sampler, sampler.step_size / 2), "burn_in": 2 * counts["burn_in"]}
            whole = extrapolated(whole, sample(loss, checkpoints, data, mask=mask, **half))
        return judged(replace(summarise(whole), sampler=sampler, burn_in=counts["burn_in"], stability=told))

    if not refine:
        return estimate(mask)
    checks.check_checkpoints(checkpoints, steps)
    checks.check_refine(refine, checkpoints)
    everything = jax.tree.map(lambda leaf: np.ones(np.shape(leaf)[1:]), checkpoints)
    whole = estimate(everything if mask is None else mask)
    return replace(whole, refined={name: estimate(component) for name, component in refine.items()})


def estimate_behavioural_llc(
    apply: Callable[[Any, Any], Any],
    divergence: Divergence,
    checkpoints: Any,
    inputs: Any,
    *,
    mask: Any = None,
    **options: Any,
) -> Estimate:
    """The behavioural λ̂ at every checkpoint.

    Args:
        apply: (params, inputs) -> outputs.
        divergence: such as `squared_difference` or `kullback_leibler`; its scale sets that of λ̂, as the loss does.
        checkpoints: pytree, every leaf with a leading axis of K checkpoints.
        inputs: pytree of arrays with a leading axis of n examples.
        mask: as in `estimate_llc`.
        options: all others of `estimate_llc`, `refine` left out.
    """
    loss = behavioural_loss(apply, divergence)
    return estimate_llc(loss, with_reference(checkpoints), inputs, mask=moving_mask(checkpoints, mask), **options)
