"""The difference of the free energies of two phases by thermodynamic integration, which leaves out no volume.

The free energy F(nβ) = -log ∫ exp(-nβ L(w)) φ(w) dw has the derivative E[L] in nβ, the mean of L over the posterior at nβ
(Gelman and Meng 1998; Friel and Pettitt 2008). So the difference of two phases is the integral of the difference of their mean
losses over nβ. The means come from chains around a checkpoint of each phase, at a ladder of nβ, that stay in their phase. For a
local posterior φ is its Gaussian exp(-(γ/2)|w - w*|²). It has the same integral on both sides, so that the difference is 0 at
nβ = 0.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline
from scipy.special import stdtrit

FEWEST_RUNGS = 5
UPPER_QUANTILE = 0.975


@dataclass(frozen=True, kw_only=True, eq=False)
class FreeEnergyDifference:
    """The free energy of the later phase minus that of the earlier one, at every nβ of a ladder, in nats.

    Attributes:
        inverse_temperatures: nβ.
        value: F after minus F before.
        standard_error: from the errors of the mean losses.
        degrees_of_freedom: of the standard error.
        quadrature_error: how much the value changes when every second rung of the ladder is left out.
    """

    inverse_temperatures: Float[np.ndarray, " rungs"]
    value: Float[np.ndarray, " rungs"]
    standard_error: Float[np.ndarray, " rungs"]
    degrees_of_freedom: float
    quadrature_error: Float[np.ndarray, " rungs"]

    @property
    def error(self) -> Float[np.ndarray, " rungs"]:
        """The standard error with the error of the quadrature."""
        return np.hypot(self.standard_error, self.quadrature_error)

    def crossing(self) -> tuple[float, float, float]:
        """Return the nβ from which on the later phase has the lower free energy, and the ends of its 95% interval.

        At β = 1 it is the critical sample size. It is NaN where there is no such nβ on the ladder; so is an end of the interval.
        """
        reach = float(stdtrit(self.degrees_of_freedom, UPPER_QUANTILE)) * self.error
        value, low, high = (last_fall(self.inverse_temperatures, self.value + shift) for shift in (0.0, -reach, reach))
        return value, low, high


def free_energy_difference(
    inverse_temperatures: Float[np.ndarray, " rungs"],
    before: Float[np.ndarray, " rungs"] | Float[np.ndarray, "rungs chains"],
    after: Float[np.ndarray, " rungs"] | Float[np.ndarray, "rungs chains"],
    *,
    before_errors: Float[np.ndarray, " rungs"] | None = None,
    after_errors: Float[np.ndarray, " rungs"] | None = None,
    start: float | None = None,
) -> FreeEnergyDifference:
    """Return the difference of two free energies from mean losses at a ladder of nβ, with its error.

    nβ (E[L] - E[L] at the last rung) is interpolated by a cubic spline in log nβ, in which it changes slowly, and integrated. The
    result is linear in the mean losses, so its error follows from theirs. With chains, it is the error of the mean of the chains'
    own integrals, in which errors count that the rungs of a chain share. Chain c of one side is paired with chain c of the other.

    Args:
        inverse_temperatures: increasing nβ > 0, about evenly spaced in log nβ.
        before, after: E[L] of the two phases at each nβ, or the mean of each chain. L is the loss itself, not L(w) - L(w*), so
            add L(w*) to differences.
        before_errors, after_errors: standard errors of E[L], independent between the rungs. Only without chains.
        start: the difference at the first rung. None integrates from nβ = 0, where both phases have the same free energy; the
            first rung must then lie so low that E[L] hardly changes below it.

    Raises:
        ValueError: the shapes do not agree, there are fewer than 5 rungs or, of chains, fewer than 2, the ladder does not
            increase from above 0, or errors are given beside chains.
    """
    rungs, earlier, later = (np.asarray(array, float) for array in (inverse_temperatures, before, after))
    check(rungs, earlier, later, [errors for errors in (before_errors, after_errors) if errors is not None])
    difference = later - earlier
    weights, coarse = integration_weights(rungs, np.arange(len(rungs))), integration_weights(rungs, every_second(len(rungs)))
    mean = difference.reshape(len(rungs), -1).mean(axis=1)
    value, quadrature = weights @ mean, np.abs((weights - coarse) @ mean)
    if start is None:
        below = weights_below(rungs)
        weights, value = weights + below, value + below @ mean
        quadrature = quadrature + abs(below @ (mean - mean[0]))
    if difference.ndim == 2:
        chains = difference.shape[1]
        error, freedom = (weights @ difference).std(axis=1, ddof=1) / np.sqrt(chains), float(chains - 1)
    else:
        squares = sum(np.square(errors) for errors in (before_errors, after_errors) if errors is not None)
        error, freedom = np.sqrt(weights**2 @ np.broadcast_to(squares, len(rungs))), np.inf
    return FreeEnergyDifference(
        inverse_temperatures=rungs,
        value=value + (start or 0.0),
        standard_error=error,
        degrees_of_freedom=freedom,
        quadrature_error=quadrature,
    )


def check(rungs: np.ndarray, before: np.ndarray, after: np.ndarray, errors: list[np.ndarray]) -> None:
    """Raise ValueError where the arguments of `free_energy_difference` do not fit together."""
    if rungs.ndim != 1 or len(rungs) < FEWEST_RUNGS or not rungs[0] > 0 or not np.all(np.diff(rungs) > 0):
        raise ValueError(f"inverse_temperatures: must be at least {FEWEST_RUNGS} increasing numbers above 0")
    if before.shape != after.shape or before.shape[:1] != rungs.shape or before.ndim > 2:
        raise ValueError(
            f"before and after: both must have the shape [rungs] or [rungs, chains] with {len(rungs)} rungs, "
            f"got {before.shape} and {after.shape}"
        )
    if before.ndim == 2 and (errors or before.shape[1] < 2):
        raise ValueError("before and after: with chains there must be at least 2 of them, and no errors beside them")
    if any(np.shape(given) != rungs.shape for given in errors):
        raise ValueError(f"before_errors and after_errors: each must have {len(rungs)} numbers")


def every_second(count: int) -> np.ndarray:
    """Return every second place of a ladder, with the last one."""
    return np.unique([*range(0, count, 2), count - 1])


def integration_weights(rungs: Float[np.ndarray, " rungs"], used: np.ndarray) -> Float[np.ndarray, "rungs rungs"]:
    """Return the matrix that takes values at the rungs to their integral from the first rung to each.

    Args:
        used: the places of the rungs whose values count; the columns of the others are 0. The last rung is among them.
    """
    places = np.log(rungs)
    basis = np.zeros((len(used), len(rungs)))
    basis[np.arange(len(used)), used] = rungs[used]
    basis[:, -1] -= rungs[used]
    integral = CubicSpline(places[used], basis).antiderivative()
    weights = integral(places) - integral(places[0])
    weights[:, -1] += rungs - rungs[0]
    return weights


def weights_below(rungs: Float[np.ndarray, " rungs"]) -> Float[np.ndarray, " rungs"]:
    """Return the weights of the integral from 0 to the first rung, along the line through the first two values."""
    weights = np.zeros(len(rungs))
    tilt = rungs[0] ** 2 / 2 / (rungs[1] - rungs[0])
    weights[:2] = rungs[0] + tilt, -tilt
    return weights


def last_fall(rungs: Float[np.ndarray, " rungs"], values: Float[np.ndarray, " rungs"]) -> float:
    """Return where values fall through 0 for the last time and stay below, linearly in log nβ; NaN where they do not."""
    above = np.flatnonzero(~(values < 0))
    if not len(above) or above[-1] == len(values) - 1:
        return float("nan")
    ends = slice(above[-1], above[-1] + 2)
    return float(np.exp(np.interp(0.0, -values[ends], np.log(rungs[ends]))))
