"""The library's front door: estimate the local learning coefficient at checkpoints in one call."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import jax
import numpy as np
from jaxtyping import Array, Key

from ontogeny.arrays.flat import Checkpoints, Mask, Parameters
from ontogeny.estimates.llc import Estimate, summarise, with_step_size_check
from ontogeny.problem.behavioural import behavioural_loss, moving_mask, with_reference
from ontogeny.problem.divergences import Divergence
from ontogeny.sampling import checks
from ontogeny.sampling.calibration.glance import check_stability
from ontogeny.sampling.calibration.length import MOST_DRAWS, sample_long_enough
from ontogeny.sampling.calibration.pilots import Calibration
from ontogeny.sampling.calibration.pilots import calibrate as calibrate_target
from ontogeny.sampling.calibration.stability import LARGEST_BIAS, Stability
from ontogeny.sampling.chains import sample as sample_target
from ontogeny.sampling.draws import Draws
from ontogeny.sampling.kernels.kernel import Kernel, with_friction, with_step
from ontogeny.sampling.kernels.sghmc import SGHMC
from ontogeny.sampling.kernels.sgnht import SGNHT
from ontogeny.sampling.layout import Layout
from ontogeny.sampling.objective import Examples, Loss
from ontogeny.sampling.stacking import stacked
from ontogeny.sampling.sufficiency import RELATIVE_ERROR
from ontogeny.sampling.target import Projection, Target

PILOTS = 2**31 - 1
"""Folded into the key for pilot chains."""
BURN_IN = 200
"""Draws that are discarded where a sampler with a step is given and no burn-in."""


def estimate_llc(
    loss: Loss,
    checkpoints: Checkpoints,
    data: Examples | None = None,
    *,
    key: Key[Array, ""] | None = None,
    sampler: Kernel | None = None,
    inverse_temperature: float | None = None,
    localization: float = 1.0,
    chains: int = 8,
    draws: int | Literal["auto"] = "auto",
    burn_in: int | Literal["auto"] | None = None,
    relative_error: float = RELATIVE_ERROR,
    most_draws: int = MOST_DRAWS,
    batch_size: int | None = None,
    n: int | None = None,
    mask: Mask | None = None,
    refine: Mapping[str, Mask] | None = None,
    projection: Projection | None = None,
    control_variates: bool = False,
    extrapolate: bool = False,
    steps: Sequence[int] | None = None,
    progress: bool = False,
) -> Estimate:
    """Estimate λ̂ at every checkpoint.

    The function makes a `Target`, calibrates the sampler where asked to, samples, and summarises the draws.

    Args:
        loss: (params, batch) -> [batch]; (params, None) -> a scalar where data is None. Keep the same object to reuse its
            compilation.
        checkpoints: pytree, every leaf with a leading axis of K checkpoints, or a list of K checkpoints, which is stacked. Half
            precision is raised to float32.
        data: pytree of arrays with a leading axis of n examples; None for a potential. Half precision is raised to float32.
        key: of the random numbers; None for `jax.random.key(0)`.
        sampler: with `step_size="auto"` (or None) the step is chosen by `calibrate`, from all checkpoints. None for SGHMC on the
            full batch and SGNHT on minibatches, with step and friction chosen.
        inverse_temperature: nβ of the local posterior; None for n / log n (Watanabe 2013).
        localization: γ, how strongly chains are held to w*.
        chains: how many start at each checkpoint, at least two; their spread gives the standard error.
        draws: of each chain; "auto" for as many as `relative_error` and the checks need at every checkpoint, up to `most_draws`.
        burn_in: draws of each chain that are discarded first; "auto" for the number that `calibrate` returns. None for "auto"
            where the step is chosen, and for 200 where it is given.
        relative_error: with draws "auto", the standard error that is asked for, as a share of λ̂.
        most_draws: the cap of draws "auto". Where it stops the chains, `print(estimate)` says how many would do.
        batch_size: examples of one step, drawn independently with replacement; None for all n.
        n: the number of examples; None to count them. A potential needs it unless nβ is given.
        mask: pytree of 0 and 1 shaped like one checkpoint. Parameters at 0 stay where they are. None lets all move.
        projection: "gradient" keeps chains in the hyperplane through w* normal to ∇L_n(w*), where w* is no minimum.
        control_variates: subtract the noise that minibatches have at w*, for a second gradient in each step.
        steps: the labels of the checkpoints, such as their training steps; None for 0, 1, 2, …
        progress: say on standard error what is being chosen and what was, and show a bar while chains run.
        refine: name -> mask, each like `mask` and instead of it: weight-refined λ̂ beside that of the whole network, with
            the same batches and noise. The program is compiled once for all.
        extrapolate: also run chains of half the step, and return 2 λ̂(ε/2) - λ̂(ε). Richardson's extrapolation removes the bias
            of first order in the step, at twice the cost and two to three times the error.

    Returns:
        λ̂ at the K checkpoints with its standard error and the checks that it fails; `print` shows the table and the remedies.

    Raises:
        ValueError: naming the argument, its value, and what was expected; or chains of the step diverge.

    Example:
        >>> estimate = ontogeny.estimate_llc(lambda w, _: (w**2).sum(), jax.numpy.zeros((1, 2)), n=100)
        >>> estimate.mean, estimate.verdict  # one checkpoint of two parameters: λ = 2 / 2
    """
    sampler = default_sampler(batch_size) if sampler is None else sampler
    checks.check_sampler(sampler)
    burn_in = ("auto" if sampler.step_size is None else BURN_IN) if burn_in is None else burn_in
    if extrapolate and sampler.limits is None:
        raise ValueError(f"extrapolate: {type(sampler).__name__} has no bias in its step to extrapolate; leave it out")
    checks.check_counts(chains=(chains, 1), most_draws=(most_draws, 1))
    if draws != "auto":
        checks.check_counts(draws=(draws, 1))
    if burn_in != "auto":
        checks.check_counts(burn_in=(burn_in, 0))
    key = jax.random.key(0) if key is None else key
    checks.check_key(key)
    checkpoints = stacked(checkpoints, loss, data)
    target = Target.of(
        loss,
        data,
        checkpoints,
        inverse_temperature=inverse_temperature,
        localization=localization,
        batch_size=batch_size,
        n=n,
        mask=mask,
        projection=projection,
        control_variates=control_variates,
    )
    checks.check_steps(steps, checks.leading_axis(checkpoints, "checkpoints", "K checkpoints"))
    if refine is not None:
        checks.check_refine(refine, checkpoints)
    say = partial(print, file=sys.stderr, flush=True) if progress else (lambda text: None)
    sampler, burn_in, stability = settle(target, checkpoints, sampler, burn_in, key, say)
    options = {"key": key, "chains": chains, "steps": steps, "progress": progress}
    known: Draws | None = None
    if draws == "auto":
        long_enough = partial(sample_long_enough, relative_error=relative_error, most_draws=most_draws)
        known, length = long_enough(target, checkpoints, sampler, burn_in=burn_in, **options)
        draws = length.draws
    run = partial(sample_target, checkpoints=checkpoints, draws=draws, **options)

    def estimate(mask: Mask | None) -> Estimate:
        refined = target._replace(mask=mask)
        drawn = known if known is not None and mask is target.mask else run(refined, sampler=sampler, burn_in=burn_in)
        if extrapolate:
            # Chains of half the step take twice as many draws to settle.
            half = run(refined, sampler=with_step(sampler, sampler.step_size / 2), burn_in=2 * burn_in)
            summary = extrapolated_estimate(drawn, half)
        else:
            summary = summarise(drawn)
        settled = replace(summary, sampler=sampler, burn_in=burn_in, stability=stability)
        return with_step_size_check(settled, extrapolated=extrapolate)

    if not refine:
        return estimate(target.mask)
    everything = jax.tree.map(lambda leaf: np.ones(np.shape(leaf)[1:]), checkpoints)
    whole = estimate(everything if mask is None else target.mask)
    return replace(whole, refined={name: estimate(component) for name, component in refine.items()})


def default_sampler(batch_size: int | None) -> Kernel:
    """Return the sampler of those who give none: with momentum, its step and friction to be chosen."""
    return SGHMC(step_size=None, friction=None) if batch_size is None else SGNHT(step_size=None, friction=None)


def settle(
    target: Target,
    checkpoints: Checkpoints,
    sampler: Kernel,
    burn_in: int | Literal["auto"],
    key: Key[Array, ""],
    say: Callable[[str], None],
) -> tuple[Kernel, int, Stability | None]:
    """Return the sampler with its numbers, the burn-in, and what the step comes to; what is to be chosen is calibrated."""
    if sampler.step_size is None or burn_in == "auto":
        began = time.monotonic()
        say("pilot chains choose the step and the burn-in; the first ones are compiled")
        # Another key: pilots that shared the chains' noise would fit the step and the burn-in to it.
        calibration = calibrate_target(target, checkpoints, sampler, key=jax.random.fold_in(key, PILOTS))
        burn_in = calibration.burn_in if burn_in == "auto" else burn_in
        say(f"step_size {calibration.sampler.step_size:.3g}, burn_in {burn_in}, after {time.monotonic() - began:.0f} s")
        return calibration.sampler, burn_in, calibration.stability
    sampler = with_friction(sampler, target.localization)
    return sampler, burn_in, check_stability(target, checkpoints, sampler, key=key)


def extrapolated_estimate(whole: Draws, half: Draws) -> Estimate:
    """Return the estimate of draws extrapolated one by one (Richardson): first-order bias cancels in 2 x(ε/2) - x(ε).

    Extrapolated draws have another variance than the posterior, so what the localisation decides is that of half the step.
    """
    values, first_order = (2 * getattr(half, name) - getattr(whole, name) for name in ("values", "first_order"))
    own = summarise(half)
    names = ("llc_variance", "held_by_localization")
    kept = {name: getattr(own, name) for stem in names for name in (stem, f"{stem}_standard_error")}
    return replace(summarise(replace(half, values=values, first_order=first_order)), **kept)


def estimate_behavioural_llc(
    apply: Callable[[Parameters, Any], Any],
    divergence: Divergence,
    checkpoints: Checkpoints,
    inputs: Examples,
    *,
    mask: Mask | None = None,
    **options: Any,
) -> Estimate:
    """Estimate the behavioural λ̂ at every checkpoint.

    Args:
        apply: (params, inputs) -> outputs.
        divergence: such as `squared_difference` or `kullback_leibler`; its scale sets that of λ̂, as the scale of a loss does.
        checkpoints: pytree, every leaf with a leading axis of K checkpoints.
        inputs: pytree of arrays with a leading axis of n examples.
        mask: as in `estimate_llc`.
        options: all other options of `estimate_llc`, except `refine`.
    """
    loss = behavioural_loss(apply, divergence)
    return estimate_llc(loss, with_reference(checkpoints), inputs, mask=moving_mask(checkpoints, mask), **options)


def sample(
    loss: Loss,
    checkpoints: Checkpoints,
    data: Examples | None = None,
    *,
    key: Key[Array, ""],
    sampler: Kernel,
    inverse_temperature: float | None = None,
    localization: float = 1.0,
    chains: int = 8,
    draws: int = 500,
    burn_in: int = 200,
    batch_size: int | None = None,
    n: int | None = None,
    mask: Mask | None = None,
    projection: Projection | None = None,
    control_variates: bool = False,
    steps: Sequence[int] | None = None,
    progress: bool = False,
    collect: Mapping[str, Callable[[Parameters], Any]] | None = None,
    thin: int = 1,
    layout: Layout | None = None,
) -> Draws:
    """Run chains around every checkpoint.

    Arguments are those of `Target.of` and of `sampling.chains.sample`, which this function calls.

    Raises:
        ValueError: naming the argument, its value, and what was expected; or the loss is not finite at a checkpoint.
    """
    checkpoints = stacked(checkpoints, loss, data)
    target = Target.of(
        loss,
        data,
        checkpoints,
        inverse_temperature=inverse_temperature,
        localization=localization,
        batch_size=batch_size,
        n=n,
        mask=mask,
        projection=projection,
        control_variates=control_variates,
    )
    return sample_target(
        target,
        checkpoints,
        sampler,
        key=key,
        chains=chains,
        draws=draws,
        burn_in=burn_in,
        collect=collect,
        thin=thin,
        steps=steps,
        progress=progress,
        layout=layout,
    )


def calibrate(
    loss: Loss,
    checkpoints: Checkpoints,
    data: Examples | None = None,
    *,
    key: Key[Array, ""] | None = None,
    sampler: Kernel,
    inverse_temperature: float | None = None,
    localization: float = 1.0,
    batch_size: int | None = None,
    n: int | None = None,
    mask: Mask | None = None,
    control_variates: bool = False,
    chains: int = 4,
    draws: int = 400,
    longest_pilot: int = 8,
    largest_bias: float = LARGEST_BIAS,
    sweep: bool = False,
) -> Calibration:
    """Choose the step of a sampler, if none is given, and the burn-in.

    Arguments are those of `Target.of` and of `sampling.calibration.pilots.calibrate`, which this function calls; `key` None
    stands for `jax.random.key(0)`.

    Raises:
        ValueError: naming the argument, its value, and what was expected; or no step can be chosen, or a given one is beyond
            stability.
    """
    checkpoints = stacked(checkpoints, loss, data)
    target = Target.of(
        loss,
        data,
        checkpoints,
        inverse_temperature=inverse_temperature,
        localization=localization,
        batch_size=batch_size,
        n=n,
        mask=mask,
        control_variates=control_variates,
    )
    return calibrate_target(
        target,
        checkpoints,
        sampler,
        key=jax.random.key(0) if key is None else key,
        chains=chains,
        draws=draws,
        longest_pilot=longest_pilot,
        largest_bias=largest_bias,
        sweep=sweep,
    )
