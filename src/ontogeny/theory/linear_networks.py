"""Learning coefficients of linear networks (Aoyagi and Watanabe 2005; Aoyagi 2024, arXiv 2303.15739)."""

from collections.abc import Sequence
from itertools import combinations


def aoyagi(widths: Sequence[int], rank: int) -> tuple[float, int]:
    """Return λ and its multiplicity for a deep linear network whose true product has this rank (Aoyagi 2024).

    λ is the least over all factorisations of the product. It is the local λ where every layer has that rank too; at other
    factorisations the local λ may be larger.

    Args:
        widths: of the inputs, of each hidden layer and of the outputs.
        rank: of the true product W_L … W_1.

    Raises:
        ValueError: the rank does not fit the widths.
    """
    if not 0 <= rank <= min(widths):
        raise ValueError(f"rank: must lie between 0 and the smallest of the widths {tuple(widths)}, got {rank}")
    excess = sorted(width - rank for width in widths)
    for size in range(1, len(excess)):
        inside, rest = excess[: size + 1], excess[size + 1 :]
        total = sum(inside)
        if total >= size * inside[-1] and all(inside[-1] < width and total < size * width for width in rest[:1]):
            break
    else:
        raise AssertionError("one prefix always satisfies the conditions")
    a = total - (-(-total // size) - 1) * size
    ends = rank * (widths[0] + widths[-1]) - rank**2
    shared = sum(x * y for x, y in combinations(inside, 2))
    quarters = a * (size - a) - (size - 1) * total**2 + 2 * size * (ends + shared)
    return quarters / (4 * size), a * (size - a) + 1
