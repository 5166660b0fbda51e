"""Format numbers for the text and for the JSON of a page."""

import math
from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np
import pandas as pd

UNKNOWN = "–"
CERTAIN = 0.99
"""The largest probability that is printed as a number."""


def known(value: Any) -> TypeGuard[float]:
    """Return whether a value is a finite number. Tables hold NaN where nothing was measured, JSON files hold None."""
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool) and math.isfinite(value)


def signed_text(text: str) -> str:
    return text.replace("-", "−")


def step(value: Any) -> str:
    """Return a training step as text: 12,500."""
    return f"{round(value):,}" if known(value) else UNKNOWN


def number(value: Any, digits: int = 3) -> str:
    """Return significant digits, without exponents between a hundred-thousandth and a million: 0.042, 1,230."""
    if not known(value):
        return UNKNOWN
    if float(value).is_integer() and abs(value) < 10**digits:
        return signed_text(f"{value:.0f}")
    size = math.floor(math.log10(abs(value)))
    if not -5 <= size < 6:
        return signed_text(f"{value:.{digits - 1}e}")
    return signed_text(f"{value:,.{max(digits - 1 - size, 0)}f}")


def chance(value: Any) -> str:
    """Return a probability that never reads as certainty: 0.93, more than 0.99."""
    return f"more than {CERTAIN}" if known(value) and value > CERTAIN else number(value, 2)


SIMULATED = 0.001
"""Smaller p-values are beyond the reach of the simulations that give them."""


def p_value(value: Any) -> str:
    """Return a p-value: 0.012, or < 0.001 beyond the reach of simulations."""
    return f"< {SIMULATED}" if known(value) and value <= SIMULATED else number(value, 2)


def significance(name: str, value: Any) -> str:
    """Return a p-value with its name: 'q = 0.012' or 'q < 0.001'."""
    text = p_value(value)
    return f"{name} {text}" if text.startswith("<") else f"{name} = {text}"


def with_error(value: Any, error: Any) -> str:
    """Return a value and its standard error to the error's two significant digits: 30.1 ± 2.1."""
    if not known(value) or not known(error) or error <= 0:
        return number(value)
    size = math.floor(math.log10(error))
    if not -5 <= size < 6:
        return f"{number(value)} ± {number(error, 2)}"
    places = max(1 - size, 0)
    return signed_text(f"{value:,.{places}f} ± {error:,.{places}f}")


def change(value: Any) -> str:
    """Return a difference with its sign: +0.31."""
    return f"+{number(value)}" if known(value) and value > 0 else number(value)


def change_with_error(value: Any, error: Any) -> str:
    text = with_error(value, error)
    return f"+{text}" if known(value) and value > 0 else text


def compact(values: Sequence[Any] | pd.Series | np.ndarray, digits: int = 5) -> list[float | int | None]:
    """Return numbers for JSON: few digits, integers as integers, None for what is not finite."""
    numbers = np.array([np.nan if value is None else value for value in values], float)
    finite = np.isfinite(numbers)
    sizes = np.where(finite & (numbers != 0), np.abs(numbers), 1.0)
    # Powers of ten are exact up to 10^22, so the quotient is the number that its digits spell.
    places = np.clip(digits - 1 - np.floor(np.log10(sizes)), -22, 22)
    scale = 10.0 ** np.abs(places)
    rounded = np.where(places >= 0, np.rint(numbers * scale) / scale, np.rint(numbers / scale) * scale)
    rounded = np.where(numbers == np.rint(numbers), numbers, rounded)
    whole = rounded == np.rint(rounded)
    parts = zip(rounded.tolist(), finite.tolist(), whole.tolist(), strict=True)
    return [(int(value) if integer else value) if there else None for value, there, integer in parts]


def shortened(value: Any, digits: int) -> float | int | None:
    """Return one number for JSON, as `compact` does."""
    return compact([value if known(value) else None], digits)[0]
