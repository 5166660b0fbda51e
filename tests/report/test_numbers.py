import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontogeny.report.numbers import change, compact, number, step, with_error


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (5.0, "5"),
        (0.04249, "0.0425"),
        (-1.5, "−1.50"),
        (1234.5, "1,234"),
        (3e-7, "3.00e−07"),
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_numbers_have_three_digits_and_say_when_unknown(value, text):
    assert number(value) == text


def test_errors_decide_the_digits():
    assert with_error(30.1234, 2.06) == "30.1 ± 2.1"
    assert with_error(1234.2, 56.7) == "1,234 ± 57"
    assert with_error(-0.03541, 0.0002) == "−0.03541 ± 0.00020"
    assert with_error(2.5, None) == "2.50"
    assert with_error(None, 0.1) == "–"


def test_changes_carry_their_sign_and_steps_their_commas():
    assert (change(0.31), change(-0.31), change(None)) == ("+0.310", "−0.310", "–")
    assert (step(225000.0), step(None)) == ("225,000", "–")


def test_json_numbers_are_short_and_never_nan():
    assert compact([1.0, 0.1234567, math.nan, 12345678.0, None]) == [1, 0.12346, None, 12345678, None]


@given(st.floats(-1e15, 1e15).filter(lambda value: value == 0 or abs(value) > 1e-15), st.integers(2, 9))
def test_numbers_are_written_as_their_digits_spell_them(value, digits):
    (told,) = compact([value], digits)
    if value.is_integer():
        assert told == value
    else:
        assert told == float(f"{told:.{digits - 1}e}")  # it has no more digits
        assert abs(told - value) <= 0.501 * 10.0 ** (math.floor(math.log10(abs(value))) + 1 - digits)
