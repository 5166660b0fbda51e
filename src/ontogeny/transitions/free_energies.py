"""What the two sides of a transition say about their free energies."""

import numpy as np
from scipy.special import stdtr

from ontogeny.estimates.free_energy import critical_sample_size
from ontogeny.transitions.evidence import Change
from ontogeny.transitions.records import FreeEnergyChange


def free_energy_change(loss: Change | None, llc: Change | None, prior: Change | None) -> FreeEnergyChange:
    """Return the changes across a transition and the sample size at which the free energies cross.

    Args:
        prior: the change of the negative log prior; None leaves it out of the critical sample size.
    """
    value = low = high = np.nan
    condition = probability = None
    if loss and llc:
        value, low, high = critical_sample_size(
            loss.difference,
            llc.difference,
            (prior and prior.difference) or 0.0,
            covariance=np.diag([loss.standard_error**2, llc.standard_error**2]),
            degrees_of_freedom=(loss.degrees_of_freedom, llc.degrees_of_freedom),
        )
        condition = loss.difference < 0 < llc.difference
        probability = probability_of_fall(loss) * (1 - probability_of_fall(llc))
    return FreeEnergyChange(
        delta_llc=llc and finite_or_none(llc.difference),
        delta_llc_standard_error=llc and finite_or_none(llc.standard_error),
        delta_llc_degrees_of_freedom=llc and finite_or_none(llc.degrees_of_freedom),
        delta_loss=loss and finite_or_none(loss.difference),
        delta_loss_standard_error=loss and finite_or_none(loss.standard_error),
        delta_negative_log_prior=prior and finite_or_none(prior.difference),
        free_energy_condition=condition,
        free_energy_condition_probability=probability,
        critical_sample_size=finite_or_none(value),
        critical_sample_size_low=finite_or_none(low),
        critical_sample_size_high=finite_or_none(high),
    )


def probability_of_fall(change: Change) -> float:
    """Return the probability that a change is negative, by Student's t; 0 or 1 where its error is 0."""
    if not change.standard_error > 0:
        return float(change.difference < 0)
    return float(stdtr(change.degrees_of_freedom, -change.difference / change.standard_error))


def finite_or_none(value: float) -> float | None:
    """Return a Python number, or None for NaN and infinities."""
    return float(value) if np.isfinite(value) else None
