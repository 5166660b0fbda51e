"""What the two sides of a transition say about their free energies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtr

from ontogeny.estimates.free_energy import critical_sample_size, volumes_matter
from ontogeny.transitions.evidence import Change
from ontogeny.transitions.records import ESTIMATE, LARGEST_SHARE_ERROR, LARGEST_SHARE_HELD, ORDER_OF_MAGNITUDE, FreeEnergyChange


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How λ̂ and the loss were measured.

    Attributes:
        inverse_temperature, localization: nβ and γ of λ̂; None where they are not known.
        averages_over: the terms, such as the tokens of a window, whose mean the loss of an example is.
        step_bias: the share of λ̂ that the step adds: over all directions where that was measured, else in the worst direction.
        held_by_hessian: the share of λ̂ that the localisation decides on a quadratic, the largest of a few checkpoints; None where
            it was not measured.
    """

    inverse_temperature: float | None = None
    localization: float | None = None
    averages_over: int = 1
    step_bias: float = 0.0
    held_by_hessian: float | None = None

    @property
    def unit(self) -> str:
        """What the critical sample size counts."""
        return "examples" if self.averages_over == 1 else f"examples of {self.averages_over} terms"


UNKNOWN = Sampling()


def free_energy_change(
    loss: Change | None,
    llc: Change | None,
    prior: Change | None,
    *,
    sampling: Sampling = UNKNOWN,
    spread: float | None = None,
    held: Change | None = None,
) -> FreeEnergyChange:
    """Return the changes across a transition and the sample size at which the free energies cross.

    Free energies are those of whole examples: the change of the loss counts `averages_over` times.

    Args:
        prior: the change of the negative log prior; None leaves it out of the critical sample size.
        spread: the standard deviation of Δλ over other choices of nβ and γ; None where it is not known.
        held: the share of λ̂ that the localisation decides, before and after, from the draws. Above `LARGEST_SHARE_HELD` on either
            side there is no critical sample size. None where it is not known.
    """
    sizes: Mapping[str, Any] = {}
    condition = probability = None
    share = share_held(held, sampling)
    if loss and llc:
        condition = loss.difference < 0 < llc.difference
        probability = probability_of_fall(loss) * (1 - probability_of_fall(llc))
        if share is None or share <= LARGEST_SHARE_HELD:
            sizes = sample_sizes(loss, llc, (prior and prior.difference) or 0.0, sampling, spread or 0.0)
    return FreeEnergyChange(
        delta_llc=llc and finite_or_none(llc.difference),
        delta_llc_standard_error=llc and finite_or_none(llc.standard_error),
        delta_llc_degrees_of_freedom=llc and finite_or_none(llc.degrees_of_freedom),
        delta_llc_spread=spread,
        delta_loss=loss and finite_or_none(loss.difference),
        delta_loss_standard_error=loss and finite_or_none(loss.standard_error),
        delta_negative_log_prior=prior and finite_or_none(prior.difference),
        free_energy_condition=condition,
        free_energy_condition_probability=probability,
        inverse_temperature=sampling.inverse_temperature,
        localization=sampling.localization,
        step_bias=sampling.step_bias,
        held_by_localization=share,
        **sizes,
    )


def share_held(held: Change | None, sampling: Sampling) -> float | None:
    """Return the share of λ̂ that the localisation decides: from the draws where they know it, else by the Hessian."""
    if held is None or held.standard_error > LARGEST_SHARE_ERROR:
        return sampling.held_by_hessian
    return max(held.before, held.after)


def sample_sizes(loss: Change, llc: Change, delta_negative_log_prior: float, sampling: Sampling, spread: float) -> dict[str, Any]:
    """Return the critical sample size with its interval, unit and kind by the names of their fields; nothing where there is none.

    The bias of the step is a share of Δλ: directions that do not change have the same bias on both sides.
    """
    terms = sampling.averages_over
    changes = terms * loss.difference, llc.difference, delta_negative_log_prior
    value, low, high = critical_sample_size(
        *changes,
        covariance=np.diag([(terms * loss.standard_error) ** 2, llc.standard_error**2]),
        degrees_of_freedom=(loss.degrees_of_freedom, llc.degrees_of_freedom),
        systematic_error=float(np.hypot(spread, sampling.step_bias * llc.difference)),
    )
    if not np.isfinite(value):
        return {}
    return {
        "critical_sample_size": value,
        "critical_sample_size_low": finite_or_none(low),
        "critical_sample_size_high": finite_or_none(high),
        "critical_sample_size_unit": sampling.unit,
        "critical_sample_size_kind": ORDER_OF_MAGNITUDE if volumes_matter(*changes) else ESTIMATE,
    }


def probability_of_fall(change: Change) -> float:
    """Return the probability that a change is negative, by Student's t; 0 or 1 where its error is 0."""
    if not change.standard_error > 0:
        return float(change.difference < 0)
    return float(stdtr(change.degrees_of_freedom, -change.difference / change.standard_error))


def finite_or_none(value: float) -> float | None:
    """Return a Python number, or None for NaN and infinities."""
    return float(value) if np.isfinite(value) else None
