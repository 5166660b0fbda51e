"""Learning coefficients of linear networks against published tables and the four cases of reduced rank regression."""

from itertools import pairwise

import pytest

from ontogeny.theory.linear_networks import aoyagi

AOYAGI = [
    ((2, 2, 2), 1, 2.0, 2), ((3, 2, 3), 1, 3.5, 2), ((10, 10, 10), 5, 47.0, 2), ((5, 5, 5, 5), 0, 8.5, 3),
    ((4, 3, 2, 3, 4), 2, 6.0, 1), ((6, 4, 3, 5, 6), 1, 8.5, 2), ((3, 3, 3, 3), 0, 3.0, 1), ((3, 3, 3, 3), 1, 4.0, 3),
    ((3, 3, 3, 3), 2, 4.5, 3), ((3, 3, 3, 3), 3, 4.5, 1),
]  # fmt: skip


@pytest.mark.parametrize(("widths", "rank", "expected", "multiplicity"), AOYAGI)
def test_aoyagi(widths, rank, expected, multiplicity):
    assert aoyagi(widths, rank) == (expected, multiplicity)


@pytest.mark.parametrize("rank", range(6))
def test_narrow_networks_gain_seven_a_rank(rank):
    assert aoyagi((12, 5, 5, 12), rank) == (12.5 + 7 * rank, 1)


def two_layers(inputs, hidden, outputs, rank):
    """(λ, m) of reduced rank regression, by the four cases of Aoyagi and Watanabe (2005)."""
    if outputs + rank <= inputs + hidden and inputs + rank <= outputs + hidden and hidden + rank <= inputs + outputs:
        odd = (inputs + hidden + outputs + rank) % 2
        squares = 2 * (hidden + rank) * (inputs + outputs) - (inputs - outputs) ** 2 - (hidden + rank) ** 2
        return (squares + odd) / 8, 1 + odd
    if inputs + hidden < outputs + rank:
        return (hidden * inputs - hidden * rank + outputs * rank) / 2, 1
    if outputs + hidden < inputs + rank:
        return (hidden * outputs - hidden * rank + inputs * rank) / 2, 1
    return inputs * outputs / 2, 1


def test_two_layer_networks_agree_with_aoyagi_and_watanabe():
    widths = range(1, 9)
    cases = [(x, h, y, r) for x in widths for h in widths for y in widths for r in range(min(x, h, y) + 1)]
    assert [aoyagi((x, h, y), r) for x, h, y, r in cases] == [two_layers(*case) for case in cases]


def test_a_rank_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="rank: must lie between 0 and the smallest"):
        aoyagi((3, 2, 3), 3)


def test_depth_bounds_the_learning_coefficient_of_square_networks():
    """At rank 0 λ falls with depth and stays above a quarter of the parameters of one matrix."""
    values = [aoyagi((5,) * (depth + 1), 0)[0] for depth in range(1, 12)]
    assert values[0] == 12.5
    assert all(after <= before for before, after in pairwise(values))
    assert values[-1] >= 25 / 4
