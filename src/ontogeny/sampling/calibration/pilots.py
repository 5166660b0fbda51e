"""Choose a step size and a burn-in from the checkpoints themselves, and say what the choice comes to.

nβ and γ are never chosen: they say which λ̂ is meant. One step serves all checkpoints, so that λ̂ is comparable along them.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from ontogeny.sampling import checks
from ontogeny.sampling import diagnostics as health
from ontogeny.sampling.calibration.curvature import (
    GLANCED_EXAMPLES,
    HESSIAN_EXAMPLES,
    LARGEST_BIAS,
    Stability,
    curvature_at_a_glance,
    gradient_variance,
    longest_step,
    some_examples,
    stability,
    top_curvature,
)
from ontogeny.sampling.chains import sample
from ontogeny.sampling.draws import Draws
from ontogeny.sampling.kernels.kernel import Kernel
from ontogeny.sampling.kernels.mala import MALA
from ontogeny.sampling.objective import Loss
from ontogeny.sampling.target import Resolved, check_and_resolve

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

    Flat: within 10% of the value at the user's nβ, known to 10%; with too few draws to know, no range but nβ itself.
    """

    inverse_temperature: Float[np.ndarray, " temperatures"]
    llc: Float[np.ndarray, " temperatures"]
    standard_error: Float[np.ndarray, " temperatures"]
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
        gradient_variance: s², the variance over examples of a gradient in its noisiest direction, at each checkpoint or at the
            pilot's draws around it; 0 with the full batch.
        stability: what the step comes to where the curvature and the noise are largest.
        acceptance: share of proposals that MALA accepts at this step, on the full batch; to compare steps of one model.
        sweep: of nβ; None where it was not asked for.
    """

    sampler: Kernel
    burn_in: int
    curvature: Float[np.ndarray, " checkpoints"]
    gradient_variance: Float[np.ndarray, " checkpoints"]
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
        control_variates: as in `sample`; of the noise of minibatches, what is left of it away from w* bounds the step.
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
    found = explore(setting, sampler, checkpoints, largest_bias)
    return Calibration(
        sampler=found.sampler,
        burn_in=settled(setting, found.sampler, checkpoints, found.traces, longest_pilot),
        curvature=found.curvature,
        gradient_variance=found.noise,
        stability=found.stability,
        acceptance=mala_acceptance(setting, found.sampler, checkpoints),
        sweep=temperature_sweep(setting, found.sampler, checkpoints, found.curvature) if sweep else None,
    )


def check_stability(
    loss: Loss,
    checkpoints: Any,
    data: Any,
    *,
    key: Key[Array, ""],
    sampler: Kernel,
    inverse_temperature: float | None,
    localization: float,
    batch_size: int | None,
    n: int | None,
    mask: Any,
    **others: Any,
) -> Stability | None:
    """What a given step comes to at the first and the last checkpoint: a look, not a calibration.

    None for kernels without `limits`, and where the Hessian is not finite.

    Raises:
        ValueError: as in `sample`, or the step is beyond stability.
    """
    if sampler.limits is None or not isinstance(sampler.step_size, int | float):
        return None
    given: Any = {"inverse_temperature": inverse_temperature, "localization": localization, "batch_size": batch_size, "n": n}
    resolved = check_and_resolve(loss, checkpoints, data, key=key, sampler=sampler, mask=mask, **given)
    # By NumPy, since JAX compiles a program for every slice taken outside one.
    ends = jax.tree.map(lambda leaf: np.asarray(leaf)[[0, -1]], checkpoints)
    arrays = jax.tree.map(jnp.asarray, data)

    def look(most: int) -> Stability | None:
        curvature = np.asarray(curvature_at_a_glance(loss, ends, some_examples(loss, ends, arrays, most), key, mask))
        if not np.isfinite(curvature).any():
            return None
        return stability(sampler, resolved.inverse_temperature, max(float(np.nanmax(curvature)), 0.0), localization)

    told = look(GLANCED_EXAMPLES)
    if told is not None and told.bias > LARGEST_BIAS:
        # The mean of few Hessians has too large a top eigenvalue: what would be held against a step is looked at again.
        told = look(HESSIAN_EXAMPLES)
    if told is not None and told.verdict.startswith("unstable"):
        raise ValueError(f"sampler: step_size {sampler.step_size:g} is {told.verdict}")
    return told


class Explored(NamedTuple):
    """A sampler with a step, what it comes to, what was met along its pilot chains, and they."""

    sampler: Kernel
    stability: Stability
    curvature: Float[np.ndarray, " checkpoints"]
    noise: Float[np.ndarray, " checkpoints"]
    traces: Draws


def explore(setting: "Setting", sampler: Kernel, checkpoints: Any, largest_bias: float) -> Explored:
    """Pilot chains, until a step chosen for the largest curvature and noise met along them meets no larger ones.

    Where chains of a step that is to be chosen die (a flat w* between steep walls), they are tried with a tenth of it.

    Raises:
        ValueError: chains die at every step that was tried.
    """
    curvature, noise = setting.curvature(checkpoints), setting.noise(checkpoints, checkpoints)
    factor = 1.0
    for _ in range(PILOT_ROUNDS):
        chosen, verdict = judge(sampler, setting, curvature, noise, largest_bias, factor)
        traces = pilot(setting, chosen, checkpoints, setting.draws)
        dead = int(health.dead(np.asarray(traces.values)).sum())
        if dead and sampler.step_size == AUTO:
            factor /= 10
            continue
        if dead:
            told = f"unstable: {dead} of {traces.values[..., 0].size} pilot chains died; {verdict.verdict}"
            return Explored(chosen, verdict._replace(verdict=told), curvature, noise, traces)
        before = curvature.max(), noise.max()
        met = at_draws(setting, checkpoints, traces, noise)
        curvature, noise = np.fmax(curvature, met[0]), np.fmax(noise, met[1])
        if sampler.step_size != AUTO or (curvature.max() <= 1.1 * before[0] and noise.max() <= 1.1 * before[1]):
            return Explored(*judge(sampler, setting, curvature, noise, largest_bias, factor), curvature, noise, traces)
        factor = 1.0
    if dead:
        raise ValueError(
            f"sampler: chains die at every step tried, down to {chosen.step_size:.3g}; perhaps the loss falls without bound "
            "around the checkpoints: raise localization"
        )
    return Explored(*judge(sampler, setting, curvature, noise, largest_bias, factor), curvature, noise, traces)


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

    def curvature(self, checkpoints: Any) -> Float[np.ndarray, " checkpoints"]:
        return np.asarray(top_curvature(self.loss, checkpoints, self.data, key=self.key, mask=self.mask))

    def noise(self, positions: Any, centers: Any) -> Float[np.ndarray, " checkpoints"]:
        """s² at positions around their checkpoints; 0 with the full batch."""
        if self.resolved.batch_size is None:
            return np.zeros(len(jax.tree.leaves(positions)[0]))
        anchors = centers if self.control_variates else None
        return np.asarray(gradient_variance(self.loss, positions, self.data, key=self.key, mask=self.mask, anchors=anchors))

    def sample(self, sampler: Kernel, checkpoints: Any, **options: Any) -> Draws:
        defaults = {"inverse_temperature": self.resolved.inverse_temperature, "batch_size": self.resolved.batch_size}
        common = {"localization": self.localization, "mask": self.mask, "n": self.resolved.n, "key": self.key}
        common |= {"control_variates": self.control_variates}
        return sample(self.loss, checkpoints, self.data, sampler=sampler, **{**defaults, **common, **options})


def judge(
    sampler: Kernel, setting: Setting, curvature: np.ndarray, noise: np.ndarray, largest_bias: float, factor: float = 1.0
) -> tuple[Kernel, Stability]:
    """The sampler with a step, `factor` times the longest where it is "auto", and what the step comes to.

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
        sampler = with_step(sampler, factor * step)
    verdict = stability(sampler, n_beta, stiffest, localization, noisiest, largest_bias)
    if verdict.verdict.startswith("unstable"):
        raise ValueError(f"sampler: step_size {sampler.step_size:g} is {verdict.verdict}")
    return sampler, verdict


def with_step(sampler: Any, step_size: float) -> Any:
    return replace(sampler, step_size=float(step_size))


def pilot(setting: Setting, sampler: Kernel, checkpoints: Any, draws: int) -> Draws:
    """Chains from w*, nothing discarded, with the positions that `at_draws` looks at."""
    thin = max(1, (draws - 1) // (1 if has_many(checkpoints) else POSITIONS))
    return setting.sample(sampler, checkpoints, chains=setting.chains, draws=draws, burn_in=0, collect=identity, thin=thin)


def identity(parameters: Any) -> Any:
    return parameters


def at_draws(
    setting: Setting, checkpoints: Any, traces: Draws, seen: Float[np.ndarray, " checkpoints"]
) -> tuple[Float[np.ndarray, " checkpoints"], Float[np.ndarray, " checkpoints"]]:
    """The largest curvature and the largest noise over the positions that the pilot collected around each checkpoint.

    Of large networks the noise is measured again only where there was none at w*, or control variates take that out: what
    there is at w* stands for what there is around it.
    """
    collected = traces.collected
    if has_many(checkpoints):
        collected = jax.tree.map(lambda leaf: leaf[:, :1, -1:], collected)
    count, chains, draws = jax.tree.leaves(collected)[0].shape[:3]
    positions = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[3:]), collected)
    centers = jax.tree.map(lambda leaf: jnp.repeat(leaf, chains * draws, axis=0), checkpoints)
    curvature = setting.curvature(positions).reshape(count, -1).max(axis=1)
    if has_many(checkpoints) and seen.any():
        return curvature, seen
    return curvature, setting.noise(positions, centers).reshape(count, -1).max(axis=1)


def has_many(checkpoints: Any) -> bool:
    return sum(leaf[0].size for leaf in jax.tree.leaves(checkpoints)) > MANY


def settled(setting: Setting, sampler: Kernel, checkpoints: Any, traces: Draws, longest: int) -> int:
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


def temperature_sweep(setting: Setting, sampler: Kernel, checkpoints: Any, curvature: np.ndarray) -> Sweep:
    """λ̂ at the last checkpoint at nβ/9 … 9 nβ, each with a step as far from its own limit as the sampler's is."""
    last = jax.tree.map(lambda leaf: leaf[-1:], checkpoints)
    n_beta, stiffest = setting.resolved.inverse_temperature, max(float(curvature[-1]), 0.0)
    temperatures = n_beta * SWEEP
    scale = (n_beta * stiffest + setting.localization) / (temperatures * stiffest + setting.localization)
    counts = {"chains": setting.chains, "draws": setting.draws - setting.draws // 3, "burn_in": setting.draws // 3}
    per_chain, errors = [], []
    for temperature, factor in zip(temperatures, scale, strict=True):
        own = with_step(sampler, sampler.step_size * factor)
        traces = setting.sample(own, last, inverse_temperature=float(temperature), **counts)
        values = np.asarray(traces.values, float)
        per_chain.append(temperature * health.chain_means(values)[0])
        errors.append(float(temperature * health.standard_error(values, health.effective_sample_size(values))[0]))
    means = health.nan_mean(np.array(per_chain), axis=1)
    low, high = flat_range(np.array(per_chain))
    return Sweep(temperatures, means, np.array(errors), float(temperatures[low]), float(temperatures[high]))


def flat_range(per_chain: Float[np.ndarray, "temperatures chains"]) -> tuple[int, int]:
    """The first and last place of the stretch around the middle where λ̂ is known to be flat.

    Chains have the same noise at all temperatures, so each is compared with itself at the middle. Flat: the mean of these
    differences is within 10% of the middle's value, and so is its error.
    """
    middle = len(per_chain) // 2
    differences = per_chain - per_chain[middle]
    size = FLAT_WITHIN * abs(health.nan_mean(per_chain, axis=1)[middle])
    live = np.maximum(np.isfinite(differences).sum(axis=1), 1)
    error = health.nan_deviation(differences, axis=1) / np.sqrt(live)
    flat = (np.abs(health.nan_mean(differences, axis=1)) <= size) & (error <= size)
    low = middle
    while low > 0 and flat[low - 1]:
        low -= 1
    high = middle
    while high < len(per_chain) - 1 and flat[high + 1]:
        high += 1
    return low, high
