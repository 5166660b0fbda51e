"""Write the sentences on the free energies of the two sides of a candidate: where they cross, and how sure that is."""

from collections.abc import Mapping
from typing import Any

from ontogeny.report.numbers import chance, known, number
from ontogeny.transitions.records import LARGEST_SHARE_HELD, ORDER_OF_MAGNITUDE


def free_energies(candidate: Mapping[str, Any]) -> str:
    """Say whether and where the free energies of the two sides cross."""
    if known(candidate.get("critical_sample_size")):
        return crossing(candidate)
    condition, share = candidate.get("free_energy_condition"), candidate.get("held_by_localization")
    if condition and known(share) and share > LARGEST_SHARE_HELD:
        return f"No critical sample size is made of this λ̂: the localisation γ decides {share:.0%} of it."
    if condition is None:
        return "We cannot say whether the free energies cross: λ̂ or the loss has no clean level on one side."
    if condition:
        return "The loss falls while λ̂ rises, but the free energies of the two sides do not cross."
    return "The free energies do not cross: that needs a falling loss and a rising λ̂."


def crossing(candidate: Mapping[str, Any]) -> str:
    """Say where the free energies cross, what n counts, how sure that is, and at which nβ and γ λ̂ was measured."""
    size, low, high = (candidate.get("critical_sample_size" + end) for end in ("", "_low", "_high"))
    upper = f"to {number(high)}" if known(high) else "upwards"
    interval = f" (95% interval {number(low)} {upper})" if known(low) else ""
    unit = unit_in_words(candidate.get("critical_sample_size_unit"))
    settings = [f"{name} = {number(value)}" for name, value in settings_of(candidate).items() if known(value)]
    measured = f", from λ̂ at {' and '.join(settings)}" if settings else ""
    probability = candidate.get("free_energy_condition_probability")
    signs = f"; the loss falls and λ̂ rises with probability {chance(probability)}" if known(probability) else ""
    if known(size) and candidate.get("critical_sample_size_kind") == ORDER_OF_MAGNITUDE:
        errors = f" The errors of λ̂ and the loss alone give {number(low)} {upper}." if known(low) else ""
        where = f"The free energies cross at an n of the order of {in_order_of_magnitude(size)}{unit}{measured}{signs}."
        why = "the volumes of the two phases, which the formula leaves out, count at so small an n"
        return f"{where} It is an order of magnitude, since {why}.{errors}"
    return f"The free energies cross at n ≈ {number(size)}{unit}{interval}{measured}{signs}."


def unit_in_words(unit: str | None) -> str:
    """Return what n counts, as it follows a number: ' examples of 32 terms (such as the tokens of a window)'."""
    return f" {unit}{' (such as the tokens of a window)' if 'terms' in unit else ''}" if unit else ""


def sample_size(candidate: Mapping[str, Any]) -> str:
    """Return the critical sample size of a table: '20,228', or '~ 200' where it is an order of magnitude."""
    size = candidate.get("critical_sample_size")
    if known(size) and candidate.get("critical_sample_size_kind") == ORDER_OF_MAGNITUDE:
        return f"~ {in_order_of_magnitude(size)}"
    return number(size)


def in_order_of_magnitude(size: float) -> str:
    """Return a number to one digit: '200'."""
    return number(float(f"{size:.0e}"))


def settings_of(candidate: Mapping[str, Any]) -> dict[str, Any]:
    return {"nβ": candidate.get("inverse_temperature"), "γ": candidate.get("localization")}
