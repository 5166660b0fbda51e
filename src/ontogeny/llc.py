"""From traces to the local learning coefficient: λ̂ = nβ (E[L(w)] - L(w*)), its error and its verdict.

Lau, Murfet and Wei (2023), "Quantifying degeneracy in singular models via the learning coefficient".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import jax
import numpy as np
from jaxtyping import Array, Float, Int, Key

from ontogeny.behavioural import behavioural_loss, moving_mask, with_reference
from ontogeny.divergences import Divergence
from ontogeny.sampling import checks, health
from ontogeny.sampling.calibration import AUTO, calibrate, check_stability, with_step
from ontogeny.sampling.chains import Projection, Traces, sample
from ontogeny.sampling.curvature import Stability
from ontogeny.sampling.kernel import Kernel
from ontogeny.sampling.objective import Loss
from ontogeny.sampling.sgld import SGLD

if TYPE_CHECKING:
    import pandas as pd

LARGEST_STEP_BIAS = 0.05
PILOTS = 2**31 - 1
"""Folded into the key for pilot chains."""
DEFAULT_SAMPLER = SGLD(step_size=1e-4)


@dataclass(frozen=True, kw_only=True, eq=False)
class Estimate:
    """λ̂ at K checkpoints, with what is needed to judge it.

    Attributes:
        mean: λ̂, over the live chains; negative values are reported, never clipped; NaN where all chains are dead.
        standard_error: of the mean, see `health.standard_error`.
        per_chain: λ̂ of each chain, NaN for the dead.
        trace: L_b(w) - L_b(w*), read before the step that uses batch b.
        effective_sample_size: of all live draws together.
        r_hat: over the halves of the live chains.
        dead_chains: how many chains met a value that is not finite; they are in none of the other numbers.
        drift: last third of the trace minus its middle third, in standard errors.
        share_below: share of stretches of the traces below L(w*), see `health.share_below`.
        verdict: "ok", or which checks failed, see `health.verdicts`; `step_size`, where its bias was found above 5% in the
            stiffest direction at the first or the last checkpoint.
        baseline: L_n(w*).
        gradient_norm: |∇L_n(w*)|.
        first_order: nβ E[∇L_n(w*)·(w - w*)], the part of λ̂ that is there only because w* is no minimum.
        inverse_temperature: nβ.
        steps: the checkpoints' labels.
        sampler, burn_in: what was run, with the step and the burn-in that "auto" chose; None from `summarise`.
        stability: what the step comes to at the curvature found; None where it was not looked at.
        refined: the weight-refined λ̂ of each mask of `refine`, by its name (Wang et al. 2024).
    """

    mean: Float[np.ndarray, "checkpoints"]
    standard_error: Float[np.ndarray, "checkpoints"]
    per_chain: Float[np.ndarray, "checkpoints chains"]
    trace: Float[np.ndarray, "checkpoints chains draws"]
    effective_sample_size: Float[np.ndarray, "checkpoints"]
    r_hat: Float[np.ndarray, "checkpoints"]
    dead_chains: Int[np.ndarray, "checkpoints"]
    drift: Float[np.ndarray, "checkpoints"]
    share_below: Float[np.ndarray, "checkpoints"]
    verdict: list[str]
    baseline: Float[np.ndarray, "checkpoints"]
    gradient_norm: Float[np.ndarray, "checkpoints"]
    first_order: Float[np.ndarray, "checkpoints"]
    inverse_temperature: float
    steps: Int[np.ndarray, "checkpoints"]
    sampler: Kernel | None = None
    burn_in: int | None = None
    stability: Stability | None = None
    refined: Mapping[str, "Estimate"] = field(default_factory=dict)

    def __repr__(self) -> str:
        shown = ["step", "component", "llc", "standard_error", "effective_sample_size", "r_hat", "verdict"]
        return f"{type(self).__name__} at nβ = {self.inverse_temperature:g}\n{self.to_frame()[shown].to_string(index=False)}"

    def interval(self, level: float = 0.95) -> tuple[Float[np.ndarray, "checkpoints"], Float[np.ndarray, "checkpoints"]]:
        """The interval for λ̂ at each checkpoint, see `health.interval`; it knows nothing of the bias of the step."""
        return health.interval(self.per_chain, level)

    @property
    def refined_mean(self) -> Float[np.ndarray, "masks checkpoints"]:
        """λ̂ of each mask, in the order of `refined`."""
        return np.reshape([estimate.mean for estimate in self.refined.values()], (len(self.refined), len(self.mean)))

    @property
    def refined_standard_error(self) -> Float[np.ndarray, "masks checkpoints"]:
        errors = [estimate.standard_error for estimate in self.refined.values()]
        return np.reshape(errors, (len(self.refined), len(self.mean)))

    def to_frame(self) -> "pd.DataFrame":
        """A row per checkpoint, of the whole network (component "") and then of each refined component."""
        import pandas as pd

        parts = [estimate.table(component) for component, estimate in {"": self, **self.refined}.items()]
        return pd.concat(parts, ignore_index=True)

    def to_trajectory(self) -> "pd.DataFrame":
        """The table that `detect_transitions` takes, λ̂ of the whole network and of each refined component."""
        from ontogeny.trajectory import llc_rows

        return llc_rows(self.to_frame())

    @property
    def chains(self) -> dict[tuple[str, str], Float[np.ndarray, "checkpoints chains"]]:
        """λ̂ of each chain, as `detect_transitions(chains=)` takes them: checkpoints share their errors."""
        return {("llc", name): estimate.per_chain for name, estimate in {"": self, **self.refined}.items()}

    def table(self, component: str) -> "pd.DataFrame":
        """A row per checkpoint of this estimate alone, under a component's name."""
        import pandas as pd

        return pd.DataFrame(
            {
                "step": self.steps,
                "component": component,
                "llc": self.mean,
                "standard_error": self.standard_error,
                "effective_sample_size": self.effective_sample_size,
                "r_hat": self.r_hat,
                "dead_chains": self.dead_chains,
                "share_below": self.share_below,
                "drift": self.drift,
                "full_gradient_norm": self.gradient_norm,
                "first_order": self.first_order,
                "verdict": self.verdict,
            }
        )


def summarise(traces: Traces) -> Estimate:
    """λ̂, its standard error and the health of its chains, at each checkpoint of `traces`."""
    trace = np.asarray(traces.values)
    values = trace.astype(np.float64)
    chains = values.shape[1]
    alive = ~health.dead(values)
    per_chain = traces.inverse_temperature * health.chain_means(values)
    mean = health.nan_mean(per_chain, axis=1)
    sample_size = health.effective_sample_size(values)
    checks = {
        "dead_chains": (~alive).sum(axis=1),
        "r_hat": health.split_r_hat(values),
        "drift": health.drift(values),
        "share_below": health.share_below(values),
    }
    first_order = traces.inverse_temperature * health.nan_mean(np.where(alive, traces.first_order, np.nan), axis=1)
    return Estimate(
        mean=mean,
        standard_error=traces.inverse_temperature * health.standard_error(values, sample_size),
        per_chain=per_chain,
        trace=trace,
        effective_sample_size=sample_size,
        verdict=health.verdicts(
            mean, chains=chains, sample_size=sample_size, first_order=first_order, dimension=traces.dimension, **checks
        ),
        baseline=np.asarray(traces.baseline),
        gradient_norm=np.asarray(traces.gradient_norm),
        first_order=first_order,
        inverse_temperature=traces.inverse_temperature,
        steps=traces.steps,
        **checks,
    )


def judged(estimate: Estimate) -> Estimate:
    """With `step_size` among the failed checks where the step biases the stiffest direction by more than 5%."""
    if estimate.stability is None or estimate.stability.bias <= LARGEST_STEP_BIAS:
        return estimate
    failed = ["step_size" if verdict == "ok" else f"{verdict}, step_size" for verdict in estimate.verdict]
    return replace(estimate, verdict=failed)


def extrapolated(whole: Traces, half: Traces) -> Traces:
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
