"""Write the sentences on the free energies of the two sides of a candidate: where they cross, and how sure that is."""

from ontogeny.report.numbers import chance, known, number
from ontogeny.transitions.records import LARGEST_SHARE_HELD, ORDER_OF_MAGNITUDE, Candidate


def free_energies(candidate: Candidate) -> str:
    """Say whether and where the free energies of the two sides cross."""
    if candidate.critical_sample_size is not None:
        return crossing(candidate, candidate.critical_sample_size)
    share = candidate.held_by_localization
    if candidate.free_energy_condition and share is not None and share > LARGEST_SHARE_HELD:
        return f"No critical sample size is made of this λ̂: γ decides more than {LARGEST_SHARE_HELD:.0%} of it on one side."
    if candidate.free_energy_condition is None:
        return "We cannot say whether the free energies cross: λ̂ or the loss has no clean level on one side."
    if candidate.free_energy_condition:
        return "The loss falls while λ̂ rises, but the free energies of the two sides do not cross."
    return "The free energies do not cross: that needs a falling loss and a rising λ̂."


def crossing(candidate: Candidate, size: float) -> str:
    """Say where the free energies cross, what n counts, how sure that is, and at which nβ and γ λ̂ was measured."""
    low, high = candidate.critical_sample_size_low, candidate.critical_sample_size_high
    ends = f"{number(low)} {f'to {number(high)}' if known(high) else 'upwards'}" if known(low) else ""
    unit = unit_in_words(candidate.critical_sample_size_unit)
    settings = {"nβ": candidate.inverse_temperature, "γ": candidate.localization}
    at = " and ".join(f"{name} = {number(value)}" for name, value in settings.items() if known(value))
    measured = f", from λ̂ at {at}" if at else ""
    probability = candidate.free_energy_condition_probability
    signs = f"; the loss falls and λ̂ rises with probability {chance(probability)}" if known(probability) else ""
    if candidate.critical_sample_size_kind == ORDER_OF_MAGNITUDE:
        where = f"The free energies cross at an n of the order of {in_order_of_magnitude(size)}{unit}{measured}{signs}."
        why = "the volumes of the two phases, which the formula leaves out, count at so small an n"
        errors = f" The errors of λ̂ and the loss alone give {ends}." if ends else ""
        return f"{where} It is an order of magnitude, since {why}.{errors}"
    interval = f" (95% interval {ends})" if ends else ""
    return f"The free energies cross at n ≈ {number(size)}{unit}{interval}{measured}{signs}."


def unit_in_words(unit: str | None) -> str:
    """Return what n counts, as it follows a number: ' examples of 32 terms (such as the tokens of a window)'."""
    return f" {unit}{' (such as the tokens of a window)' if 'terms' in unit else ''}" if unit else ""


def sample_size(candidate: Candidate) -> str:
    """Return the critical sample size of a table: '20,228', or '~ 200' where it is an order of magnitude."""
    size = candidate.critical_sample_size
    if size is not None and candidate.critical_sample_size_kind == ORDER_OF_MAGNITUDE:
        return f"~ {in_order_of_magnitude(size)}"
    return number(size)


def in_order_of_magnitude(size: float) -> str:
    """Return a number to one digit: '200'."""
    return number(float(f"{size:.0e}"))
