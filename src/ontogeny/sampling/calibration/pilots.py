"""Choose a step size and a burn-in from the checkpoints themselves, by pilot chains.

nβ and γ are never chosen: they say which λ̂ is meant. One step serves all checkpoints, so that λ̂ is comparable along them.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from ontogeny.arrays.flat import Checkpoints, Parameters, parameter_count, single_precision
from ontogeny.arrays.parts import row_count
from ontogeny.sampling import checks, diagnostics
from ontogeny.sampling.calibration.curvature import ITERATIONS, gradient_variance, top_curvature
from ontogeny.sampling.calibration.settling import LEAST_DRAWS, settling
from ontogeny.sampling.calibration.spectrum import Spectrum, ends_and_middle, spectrum, with_whole_bias
from ontogeny.sampling.calibration.stability import LARGEST_BIAS, LARGEST_WHOLE_BIAS, Stability, in_words, longest_step, stability
from ontogeny.sampling.calibration.sweep import Sweep, settings_of_sweep, summarised
from ontogeny.sampling.chains import sample
from ontogeny.sampling.draws import Draws
from ontogeny.sampling.kernels.kernel import Kernel, with_friction, with_step
from ontogeny.sampling.kernels.mala import MALA
from ontogeny.sampling.side_by_side import values_at
from ontogeny.sampling.target import Target

PILOT_ROUNDS = 6
FRICTION_ROUNDS = 6
POSITIONS = 16
"""Draws of each pilot chain at which the curvature is measured."""
MANY = 1000
"""Parameters above which it is measured at the last draw of one chain: a Hessian product costs several gradients."""
ITERATIONS_OF_MANY = 10
"""Hessian products of a Lanczos run with many parameters, whose few large eigenvalues lie far above the rest."""
ACCEPTANCE_DRAWS = 64
PerCheckpoint = Float[np.ndarray, " checkpoints"]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """A sampler that suits the checkpoints, and what was measured to choose it.

    Attributes:
        sampler: with its step size.
        burn_in: the draws after which the traces of the pilot chains had settled at all checkpoints.
        curvature: h_max, the largest Hessian eigenvalue at each checkpoint or at the pilot's draws around it. (At a singular
            point the Hessian may vanish at w* itself.)
        gradient_variance: s², the variance over examples of a gradient in its noisiest direction, at each checkpoint or at the
            pilot's draws around it; 0 with the full batch.
        stability: what the step comes to where the curvature and the noise are largest.
        acceptance: the share of proposals that MALA accepts at this step, on the full batch, at the last checkpoint. It compares
            steps of one model. None with many parameters, where MALA accepts next to nothing.
        spectrum: the density of the Hessian's eigenvalues at the first, the middle and the last checkpoint; None where the step
            biases no direction by more than 5%, and it was not asked for.
        sweep: λ̂ at the last checkpoint over nβ; None where it was not asked for.
    """

    sampler: Kernel
    burn_in: int
    curvature: PerCheckpoint
    gradient_variance: PerCheckpoint
    stability: Stability
    acceptance: float | None
    spectrum: Spectrum | None
    sweep: Sweep | None


def calibrate(
    target: Target,
    checkpoints: Checkpoints,
    sampler: Kernel,
    *,
    key: Key[Array, ""],
    chains: int = 4,
    draws: int = 400,
    longest_pilot: int = 8,
    largest_bias: float = LARGEST_BIAS,
    density: bool = False,
    sweep: bool = False,
    rounds: int = PILOT_ROUNDS,
    many: int = MANY,
) -> Calibration:
    """Measure the curvature at the checkpoints and along pilot chains; choose the step, if none is given, and the burn-in.

    The step is the longest at which, on a quadratic with the curvature and the gradient noise that were measured, neither the
    step nor the noise of minibatches biases the stiffest direction by more than `largest_bias` (estimates R1 and R1b in
    docs/estimators.md). Pilot chains ignore the target's projection.

    Args:
        target: the local posterior, made by `Target.of`.
        checkpoints: pytree, every leaf with a leading axis of K checkpoints. Half precision is raised to float32.
        sampler: a given step is kept and its bias measured; for None a step is chosen.
        chains, draws: of the pilot.
        longest_pilot: the pilot is made longer, up to this many times, until it settles in its first half; 1 where a burn-in is
            given, and the pilot only says whether it suffices.
        largest_bias: as a share of λ̂, in the worst direction.
        density: also measure the density of the Hessian's eigenvalues where the step biases every direction little.
        sweep: also measure λ̂ at the last checkpoint from nβ/9 to 9 nβ.
        rounds: how often a step is chosen anew, for the curvature that its own pilot met.
        many: parameters above which the curvature is measured at one draw only.

    Raises:
        ValueError: an argument is wrong (named, as in `sample`); the sampler has no step that can be chosen; a given step is
            beyond stability; or chains die at every step that was tried.
    """
    checks.check_key(key)
    checks.check_sampler(sampler)
    if sampler.limits is None:
        raise ValueError(f"sampler: the step size of {type(sampler).__name__} cannot be calibrated; give a number")
    checks.check_counts(chains=(chains, 1), draws=(draws, LEAST_DRAWS), longest_pilot=(longest_pilot, 1))
    stepping = sampler if sampler.step_size is not None else with_step(sampler, 1.0)
    with_friction(stepping, target.localization).check(full_batch=target.full_batch)
    target = target._replace(projection=None)
    checkpoints = jax.tree.map(jnp.asarray, single_precision(checkpoints))
    pilots = Pilots(target, checkpoints, key, chains, draws, many)
    explored = explore(pilots, sampler, largest_bias, rounds)
    measured = spectrum_of(pilots) if density or explored.stability.bias > LARGEST_WHOLE_BIAS else None
    suitability = explored.stability
    if measured is not None:
        suitability = with_whole_bias(suitability, measured, explored.sampler, target)
    return Calibration(
        sampler=explored.sampler,
        burn_in=settled(pilots, explored.sampler, explored.draws, longest_pilot),
        curvature=explored.curvature,
        gradient_variance=explored.noise,
        stability=suitability,
        acceptance=None if pilots.has_many_parameters else mala_acceptance(pilots, explored.sampler.step_size),
        spectrum=measured,
        sweep=pilots.sweep(explored.sampler, float(explored.curvature[-1])) if sweep else None,
    )


def spectrum_of(pilots: "Pilots") -> Spectrum:
    """Return the density of the Hessian's eigenvalues at the first, the middle and the last checkpoint."""
    places = np.array(ends_and_middle(row_count(pilots.checkpoints)))
    # By NumPy, since JAX compiles a program for every slice taken outside one.
    return spectrum(pilots.target, jax.tree.map(lambda leaf: np.asarray(leaf)[places], pilots.checkpoints), key=pilots.key)


class Pilots(NamedTuple):
    """Pilot chains: the local posterior that they sample, the checkpoints that they start at, and how many draws they take."""

    target: Target
    checkpoints: Checkpoints
    key: Key[Array, ""]
    chains: int
    draws: int
    many: int

    @property
    def has_many_parameters(self) -> bool:
        return parameter_count(self.checkpoints) > self.many

    @property
    def iterations(self) -> int:
        """Return how many products a run of Lanczos takes."""
        return ITERATIONS_OF_MANY if self.has_many_parameters else ITERATIONS

    @property
    def last(self) -> Checkpoints:
        """Return the last checkpoint, with a leading axis of 1."""
        return jax.tree.map(lambda leaf: np.asarray(leaf)[-1:], self.checkpoints)

    def curvature(self, positions: Checkpoints) -> PerCheckpoint:
        """Return h_max at each position."""
        target = self.target
        found = top_curvature(target.loss, positions, target.data, key=self.key, mask=target.mask, iterations=self.iterations)
        return np.asarray(found)

    def noise(self, positions: Checkpoints, centers: Checkpoints) -> PerCheckpoint:
        """Return s² at positions around their checkpoints; 0 with the full batch."""
        target = self.target
        if target.full_batch:
            return np.zeros(len(jax.tree.leaves(positions)[0]))
        anchors = centers if target.control_variates else None
        options = {"key": self.key, "mask": target.mask, "anchors": anchors, "iterations": self.iterations}
        return np.asarray(gradient_variance(target.loss, positions, target.data, **options))

    def run(self, sampler: Kernel, draws: int) -> Draws:
        """Run chains from w*, nothing discarded, and collect the positions that `at_draws` looks at."""
        return sample(self.target, self.checkpoints, sampler, burn_in=0, **self.options(draws))

    def options(self, draws: int) -> dict[str, Any]:
        thin = max(1, (draws - 1) // (1 if self.has_many_parameters else POSITIONS))
        return {"key": self.key, "chains": self.chains, "draws": draws, "collect": {"position": identity}, "thin": thin}

    def sweep(self, sampler: Kernel, curvature: float) -> Sweep:
        """Return λ̂ at the last checkpoint over nβ, by the compiled program of the pilot chains.

        Args:
            curvature: the largest Hessian eigenvalue there.
        """
        target = self.target
        settings = settings_of_sweep(sampler, target.inverse_temperature, target.localization, curvature)
        size = row_count(self.checkpoints)
        return summarised(settings, values_at(settings, target, self.last, size=size, **self.options(self.draws)))


def identity(parameters: Parameters) -> Parameters:
    return parameters


class Explored(NamedTuple):
    """A sampler with a step, what that comes to, and the pilot chains with the curvature and the noise that they met."""

    sampler: Kernel
    stability: Stability
    curvature: PerCheckpoint
    noise: PerCheckpoint
    draws: Draws


def explore(pilots: Pilots, sampler: Kernel, largest_bias: float, rounds: int) -> Explored:
    """Run pilot chains until the step chosen for the largest curvature and noise met along them meets no larger ones.

    Where chains of a chosen step die (a flat w* between steep walls), a tenth of the step is tried.

    Raises:
        ValueError: chains die at every step that was tried.
    """
    curvature, noise = pilots.curvature(pilots.checkpoints), pilots.noise(pilots.checkpoints, pilots.checkpoints)
    given = sampler.step_size is not None
    factor = 1.0
    for _ in range(rounds):
        stepping, suitability = with_suitable_step(pilots.target, sampler, curvature, noise, largest_bias, factor)
        draws = pilots.run(stepping, pilots.draws)
        dead = int(diagnostics.dead(np.asarray(draws.values)).sum())
        if dead and not given:
            factor /= 10
            continue
        if dead:
            died = suitability._replace(kind="unstable", dead_chains=dead, pilot_chains=draws.values[..., 0].size)
            return Explored(stepping, died, curvature, noise, draws)
        before = curvature.max(), noise.max()
        met = at_draws(pilots, draws, noise)
        curvature, noise = np.fmax(curvature, met[0]), np.fmax(noise, met[1])
        if given or (curvature.max() <= 1.1 * before[0] and noise.max() <= 1.1 * before[1]):
            break
        factor = 1.0
    if dead:
        raise ValueError(
            f"sampler: chains die at every step tried, down to {stepping.step_size:.3g}; perhaps the loss falls without bound "
            "around the checkpoints: raise localization"
        )
    stepping, suitability = with_suitable_step(pilots.target, sampler, curvature, noise, largest_bias, factor)
    return Explored(stepping, suitability, curvature, noise, draws)


def with_suitable_step(
    target: Target, sampler: Kernel, curvature: PerCheckpoint, noise: PerCheckpoint, largest_bias: float, factor: float
) -> tuple[Kernel, Stability]:
    """Return the sampler with its step, if none is given `factor` times the longest one, and what the step comes to.

    Raises:
        ValueError: the curvature is not finite, or chains of a given step diverge.
    """
    if not np.isfinite(curvature).all():
        places = np.flatnonzero(~np.isfinite(curvature)).tolist()
        raise ValueError(f"checkpoints: the Hessian is not finite at checkpoints {places}")
    n_beta, localization = target.inverse_temperature, target.localization
    stiffest, noisiest = float(curvature.max()), float(noise.max() / (target.batch_size or 1))
    if sampler.step_size is None:
        sampler = with_longest_step(sampler, n_beta, stiffest, localization, noisiest, largest_bias, factor)
    sampler = with_friction(sampler, localization)
    suitability = stability(sampler, n_beta, stiffest, localization, noisiest, largest_bias)
    if suitability.kind == "unstable":
        raise ValueError(f"sampler: step_size {sampler.step_size:g} is {in_words(suitability)}")
    return sampler, suitability


def with_longest_step(
    sampler: Kernel, n_beta: float, stiffest: float, localization: float, noisiest: float, largest_bias: float, factor: float
) -> Kernel:
    """Return the sampler with `factor` times the longest step. A friction that is to be chosen depends on it, and it on that.

    Raises:
        ValueError: any step would do.
    """
    chosen = with_step(sampler, 1.0)
    for _ in range(FRICTION_ROUNDS):
        assert chosen.limits is not None
        step = longest_step(chosen.limits, n_beta, stiffest, localization, noisiest, largest_bias)
        if not np.isfinite(step):
            raise ValueError("sampler: no step size can be chosen where the loss is flat and localization is 0; give a number")
        chosen = with_friction(with_step(sampler, factor * step), localization)
    return chosen


def at_draws(pilots: Pilots, draws: Draws, noise: PerCheckpoint) -> tuple[PerCheckpoint, PerCheckpoint]:
    """Return the largest curvature and the largest noise over the positions that the pilot collected around each checkpoint.

    With many parameters the noise is measured again only where there was none at w*, or control variates subtract it there.
    Else the noise at w* stands for the noise around it.
    """
    collected = jax.tree.map(np.asarray, draws.collected["position"])
    if pilots.has_many_parameters:
        collected = jax.tree.map(lambda leaf: leaf[:, :1, -1:], collected)
    count, chains, positions_per_chain = jax.tree.leaves(collected)[0].shape[:3]
    positions = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[3:]), collected)
    centers = jax.tree.map(lambda leaf: np.repeat(np.asarray(leaf), chains * positions_per_chain, axis=0), pilots.checkpoints)
    curvature = pilots.curvature(positions).reshape(count, -1).max(axis=1)
    if pilots.has_many_parameters and noise.any():
        return curvature, noise
    return curvature, pilots.noise(positions, centers).reshape(count, -1).max(axis=1)


def settled(pilots: Pilots, sampler: Kernel, pilot: Draws, longest: int) -> int:
    """Return the burn-in: pilots are made twice as long until every trace settles within its first half."""
    draws = pilot.values.shape[-1]
    while True:
        start = max(settling(trace) for trace in np.asarray(pilot.values, float))
        if start <= draws // 2 or draws >= longest * pilots.draws:
            return start
        draws *= 2
        pilot = pilots.run(sampler, draws)


def mala_acceptance(pilots: Pilots, step_size: float) -> float:
    """Return the share of MALA's draws at the last checkpoint, on the full batch, that differ from the draw before."""
    full_batch = pilots.target._replace(batch_size=None)
    sampler = MALA(step_size=step_size)
    values = sample(full_batch, pilots.last, sampler, key=pilots.key, chains=1, draws=ACCEPTANCE_DRAWS, burn_in=0).values
    return float(np.mean(np.diff(np.asarray(values)[0, 0]) != 0))
