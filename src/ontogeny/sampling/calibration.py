"""Choose a step size and a burn-in from the checkpoints themselves, and say what the choice comes to.

nβ and γ are never chosen: they say which λ̂ is meant. One step serves all checkpoints, so that λ̂ is comparable along them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from ontogeny.sampling import checks, health
from ontogeny.sampling.chains import Traces, sample
from ontogeny.sampling.curvature import LARGEST_BIAS, Stability, gradient_variance, longest_step, stability, top_curvature
from ontogeny.sampling.kernel import Kernel
from ontogeny.sampling.mala import MALA
from ontogeny.sampling.objective import Loss
from ontogeny.sampling.settings import Resolved, check_and_resolve

AUTO = "auto"
PILOT_ROUNDS = 6
POSITIONS = 16
"""Draws of each pilot chain at which the curvature is measured."""
MANY = 1000
"""Parameters above which it is measured at the last draw of one chain: a Hessian product costs several gradients."""
LEAST_DRAWS = 5
"""Of the pilot: `settling` needs five."""
ACCEPTANCE_DRAWS = 64
SWEEP = 3.0 ** np.arange(-2, 3)
"""Factors of nβ at which λ̂ is measured for the range where it is flat."""
FLAT_WITHIN = 0.1


class Sweep(NamedTuple):
    """λ̂ at the last checkpoint over inverse temperatures, and the range around the user's where it is flat.

    Flat: within 10% of the value at the user's nβ, or within two standard errors of the difference.
    """

    inverse_temperature: Float[np.ndarray, "temperatures"]
    llc: Float[np.ndarray, "temperatures"]
    standard_error: Float[np.ndarray, "temperatures"]
    flat_from: float
    flat_to: float


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """A sampler that suits the checkpoints, and what was measured to choose it.

    Attributes:
        sampler: with its step size.
        burn_in: steps after which the pilot's traces had settled at all checkpoints.
        curvature: h_max, the largest Hessian eigenvalue at each checkpoint or at the pilot's draws around it (at a singular
            point the Hessian may vanish at w* itself).
        gradient_variance: s², the variance over examples of a gradient in its noisiest direction; 0 with the full batch or with
            control variates.
        stability: what the step comes to where the curvature and the noise are largest.
        acceptance: share of proposals that MALA accepts at this step, on the full batch; to compare steps of one model.
        sweep: of nβ; None where it was not asked for.
    """

    sampler: Kernel
    burn_in: int
    curvature: Float[np.ndarray, "checkpoints"]
    gradient_variance: Float[np.ndarray, "checkpoints"]
    stability: Stability
    acceptance: float
    sweep: Sweep | None


def calibrate(
    loss: Loss,
    checkpoints: Any,
    data: Any = None,
    *,
    key: Key[Array, ""] | None = None,
    sampler: Kernel,
    inverse_temperature: float | None = None,
    localization: float = 1.0,
    batch_size: int | None = None,
    n: int | None = None,
    mask: Any = None,
    control_variates: bool = False,
    chains: int = 4,
    draws: int = 400,
    longest_pilot: int = 8,
    largest_bias: float = LARGEST_BIAS,
    sweep: bool = False,
) -> Calibration:
    """Measure the curvature at the checkpoints and along pilot chains; choose the step where it is "auto", and the burn-in.

    The longest step is chosen at which, on a quadratic with the curvature and the gradient noise found, neither the step
    nor the minibatches bias the stiffest direction by more than `largest_bias` (estimates R1 and R1b in docs/estimators.md).

    Args:
        sampler: its `step_size` a number, which is kept and judged, or "auto".
        chains, draws: of the pilot.
        longest_pilot: to find the burn-in the pilot is made longer, up to so many times, until it settles in its first half;
            1 where a burn-in is given, and the pilot only judges it.
        control_variates: as in `sample`; the noise of minibatches at w* is gone then, and bounds the step no longer.
        largest_bias: as a share of λ̂, in the worst direction.
        sweep: also measure λ̂ at the last checkpoint from nβ/9 to 9 nβ.

    Raises:
        ValueError: as in `sample`; or the sampler has no step that can be chosen, or a given one is beyond stability.
    """
    key = jax.random.key(0) if key is None else key
    checks.check_key(key)
    checks.check_sampler(sampler)
    if sampler.limits is None:
        raise ValueError(f"sampler: the step size of {type(sampler).__name__} cannot be calibrated; give a number")
    checks.check_counts(chains=(chains, 1), draws=(draws, LEAST_DRAWS), longest_pilot=(longest_pilot, 1))
    numbered = with_step(sampler, 1.0) if sampler.step_size == AUTO else sampler
    given: Any = {"inverse_temperature": inverse_temperature, "localization": localization, "batch_size": batch_size, "n": n}
    resolved = check_and_resolve(loss, checkpoints, data, key=key, sampler=numbered, mask=mask, **given)
    checkpoints, data = jax.tree.map(jnp.asarray, (checkpoints, data))
    setting = Setting(loss, data, key, resolved, localization, mask, control_variates, chains, draws)
    curvature = np.asarray(top_curvature(loss, checkpoints, data, key=key, mask=mask))
    noise = noise_of(setting, checkpoints)
    curvature, traces = explore(setting, sampler, checkpoints, curvature, noise, largest_bias)
    chosen, verdict = judge(sampler, setting, curvature, noise, largest_bias)
    return Calibration(
        sampler=chosen,
        burn_in=settled(setting, chosen, checkpoints, traces, longest_pilot),
        curvature=curvature,
        gradient_variance=noise,
        stability=verdict,
        acceptance=mala_acceptance(setting, chosen, checkpoints),
        sweep=temperature_sweep(setting, chosen, checkpoints, curvature, largest_bias) if sweep else None,
    )


def explore(
    setting: "Setting", sampler: Kernel, checkpoints: Any, curvature: np.ndarray, noise: np.ndarray, largest_bias: float
) -> tuple[np.ndarray, Traces]:
    """Pilot chains, with the largest curvature met along them, until a step chosen for it meets no larger one.

    Where chains of a step that is to be chosen die (a flat w* between steep walls), they are tried with a tenth of it.
    """
    shorter = 1.0
    for _ in range(PILOT_ROUNDS):
        chosen, _ = judge(sampler, setting, curvature, noise, largest_bias)
        traces = pilot(setting, with_step(chosen, shorter * chosen.step_size), checkpoints, setting.draws)
        met = curvature_at_draws(setting, traces)
        if sampler.step_size == AUTO and not np.isfinite(met).all():
            shorter /= 10
            continue
        before, curvature, shorter = curvature, np.fmax(curvature, met), 1.0
        if sampler.step_size != AUTO or curvature.max() <= 1.1 * before.max():
            break
    return curvature, traces


class Setting(NamedTuple):
    """What is sampled, less the checkpoints and the sampler."""

    loss: Loss
    data: Any
    key: Key[Array, ""]
    resolved: Resolved
    localization: float
    mask: Any
    control_variates: bool
    chains: int
    draws: int

    def sample(self, sampler: Kernel, checkpoints: Any, **options: Any) -> Traces:
        defaults = {"inverse_temperature": self.resolved.inverse_temperature, "batch_size": self.resolved.batch_size}
        common = {"localization": self.localization, "mask": self.mask, "n": self.resolved.n, "key": self.key}
        common |= {"control_variates": self.control_variates}
        return sample(self.loss, checkpoints, self.data, sampler=sampler, **{**defaults, **common, **options})


def noise_of(setting: Setting, checkpoints: Any) -> Float[np.ndarray, "checkpoints"]:
    if setting.resolved.batch_size is None or setting.control_variates:
        return np.zeros(len(jax.tree.leaves(checkpoints)[0]))
    return np.asarray(gradient_variance(setting.loss, checkpoints, setting.data, key=setting.key, mask=setting.mask))


def judge(
    sampler: Kernel, setting: Setting, curvature: np.ndarray, noise: np.ndarray, largest_bias: float
) -> tuple[Kernel, Stability]:
    """The sampler with a step, chosen where it is "auto", and what the step comes to.

    Raises:
        ValueError: the curvature is not finite, or a given step is beyond stability.
    """
    if not np.isfinite(curvature).all():
        places = np.flatnonzero(~np.isfinite(curvature)).tolist()
        raise ValueError(f"checkpoints: the Hessian is not finite at checkpoints {places}")
    n_beta, localization = setting.resolved.inverse_temperature, float(setting.localization)
    stiffest, noisiest = float(curvature.max()), float(noise.max() / (setting.resolved.batch_size or 1))
    if sampler.step_size == AUTO:
        assert sampler.limits is not None
        step = longest_step(sampler.limits, n_beta, stiffest, localization, noisiest, largest_bias)
        if not np.isfinite(step):
            raise ValueError("sampler: no step size can be chosen where the loss is flat and localization is 0; give a number")
        sampler = with_step(sampler, step)
    verdict = stability(sampler, n_beta, stiffest, localization, noisiest, largest_bias)
    if verdict.verdict.startswith("unstable"):
        raise ValueError(f"sampler: step_size {sampler.step_size:g} is {verdict.verdict}")
    return sampler, verdict


def with_step(sampler: Any, step_size: float) -> Any:
    return replace(sampler, step_size=float(step_size))


def pilot(setting: Setting, sampler: Kernel, checkpoints: Any, draws: int) -> Traces:
    """Chains from w*, nothing discarded, with the positions that `curvature_at_draws` looks at."""
    thin = max(1, (draws - 1) // (1 if has_many(checkpoints) else POSITIONS))
    return setting.sample(sampler, checkpoints, chains=setting.chains, draws=draws, burn_in=0, collect=identity, thin=thin)


def identity(parameters: Any) -> Any:
    return parameters


def curvature_at_draws(setting: Setting, traces: Traces) -> Float[np.ndarray, "checkpoints"]:
    """The largest Hessian eigenvalue over the positions that the pilot collected around each checkpoint; NaN if a chain died."""
    collected = traces.collected
    count = traces.values.shape[0]
    if has_many(jax.tree.map(lambda leaf: leaf[:, 0, 0], collected)):
        collected = jax.tree.map(lambda leaf: leaf[:, :1, -1:], collected)
    positions = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[3:]), collected)
    found = np.asarray(top_curvature(setting.loss, positions, setting.data, key=setting.key, mask=setting.mask))
    return found.reshape(count, -1).max(axis=1)


def has_many(checkpoints: Any) -> bool:
    return sum(leaf[0].size for leaf in jax.tree.leaves(checkpoints)) > MANY


def settled(setting: Setting, sampler: Kernel, checkpoints: Any, traces: Traces, longest: int) -> int:
    """The burn-in: pilots are made twice as long until every trace settles within their first half."""
    draws = traces.values.shape[-1]
    while True:
        start = max(settling(trace) for trace in np.asarray(traces.values, float))
        if start <= draws // 2 or draws >= longest * setting.draws:
            return start
        draws *= 2
        traces = pilot(setting, sampler, checkpoints, draws)


def settling(trace: Float[np.ndarray, "chains draws"]) -> int:
    """Where a trace settles, by the marginal standard error rule (White 1997).

    It is the start d that minimises Σ_{t≥d} (x_t - x̄_d)² / (T - d)², with x̄_d the mean from d on.

    x is the mean over the live chains in bins of a fiftieth of the trace; the answer is the end of its bin.
    """
    alive = trace[np.isfinite(trace).all(axis=1)]
    bins = min(50, trace.shape[1])
    width = trace.shape[1] // bins
    if not len(alive) or width == 0:
        return trace.shape[1]
    x = alive[:, : bins * width].mean(axis=0).reshape(bins, width).mean(axis=1)
    errors = [np.sum((x[d:] - x[d:].mean()) ** 2) / (bins - d) ** 2 for d in range(bins - 4)]
    return int(np.argmin(errors)) * width


def mala_acceptance(setting: Setting, sampler: Kernel, checkpoints: Any) -> float:
    """At the last checkpoint: the share of MALA's draws that differ from the one before."""
    last = jax.tree.map(lambda leaf: leaf[-1:], checkpoints)
    values = setting.sample(
        MALA(step_size=sampler.step_size), last, chains=1, draws=ACCEPTANCE_DRAWS, burn_in=0, batch_size=None
    ).values
    return float(np.mean(np.diff(np.asarray(values)[0, 0]) != 0))


def temperature_sweep(setting: Setting, sampler: Kernel, checkpoints: Any, curvature: np.ndarray, largest_bias: float) -> Sweep:
    """λ̂ at the last checkpoint at nβ/9 … 9 nβ, each with a step as far from its own limit as the sampler's is."""
    last = jax.tree.map(lambda leaf: leaf[-1:], checkpoints)
    n_beta, stiffest = setting.resolved.inverse_temperature, max(float(curvature[-1]), 0.0)
    temperatures = n_beta * SWEEP
    scale = (n_beta * stiffest + setting.localization) / (temperatures * stiffest + setting.localization)
    means, errors = [], []
    for temperature, factor in zip(temperatures, scale, strict=True):
        own = with_step(sampler, sampler.step_size * factor)
        counts = {"chains": setting.chains, "draws": setting.draws - setting.draws // 3, "burn_in": setting.draws // 3}
        traces = setting.sample(own, last, inverse_temperature=float(temperature), **counts)
        values = np.asarray(traces.values, float)
        means.append(float(temperature * health.nan_mean(health.chain_means(values), axis=1)[0]))
        errors.append(float(temperature * health.standard_error(values, health.effective_sample_size(values))[0]))
    low, high = flat_range(means, errors)
    return Sweep(temperatures, np.array(means), np.array(errors), float(temperatures[low]), float(temperatures[high]))


def flat_range(means: Sequence[float], errors: Sequence[float]) -> tuple[int, int]:
    """The first and last place of the stretch around the middle where λ̂ is flat."""
    middle = len(means) // 2
    differences = np.abs(np.array(means) - means[middle])
    tolerance = np.fmax(FLAT_WITHIN * abs(means[middle]), 2 * np.hypot(errors, errors[middle]))
    flat = differences <= tolerance
    low = middle
    while low > 0 and flat[low - 1]:
        low -= 1
    high = middle
    while high < len(means) - 1 and flat[high + 1]:
        high += 1
    return low, high
