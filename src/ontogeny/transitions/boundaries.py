"""Stage boundaries: where the slope of λ̂ changes sign, or where it sets in and dies away.

The papers read boundaries off the zeros of the mean of a process without a noise term (Hoogland et al. 2024, arXiv 2402.02364).
Here each boundary comes with a probability.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from ontogeny.trajectory import Axis
from ontogeny.transitions.detection.curves import Curve
from ontogeny.transitions.detection.derivative import Slope, slope_of
from ontogeny.transitions.detection.noise import noise_beside, nulls_over
from ontogeny.transitions.records import Boundary

RESOLVED = 0.95
"""The probability from which on a rise or a fall is known."""
KINDS = ("rise", "fall", "plateau")
RESTS = 2


def boundaries_of(llc: Curve | None, passages: Sequence[tuple[float, float]], axis: Axis) -> list[Boundary]:
    """Return where λ̂ turns from rising, falling or resting to another of the three.

    Args:
        passages: the positions of the start and the end of every passage of λ̂.
    """
    if llc is None or llc.undecided:
        return []
    return boundaries(slope_of(llc.positions, llc.values, noise_beside(llc, passages, nulls_over(llc))), axis)


def boundaries(slope: Slope, axis: Axis) -> list[Boundary]:
    """Return where the curve turns from rising, falling or resting to another of the three, in the unit of the axis.

    A rise or a fall is known with 95%. Between two of them, and before and after, the curve rests where a plateau is likelier
    than not at some place. Otherwise two rises are one, and a rise and a fall meet. The probability of a boundary is that both
    sides are what they are called, each where it is clearest.
    """
    shares = np.stack([slope.rises, slope.falls, np.maximum(1 - slope.rises - slope.falls, 0)])
    pairs = pairwise(stretches(shares))
    return [boundary(slope.positions, shares, *pair, axis) for pair in pairs if pair[0].kind != pair[1].kind]


@dataclass(frozen=True)
class Stretch:
    """A row of the shares, and the first and the last index of the stretch in which it holds."""

    kind: int
    first: int
    last: int


def stretches(shares: Float[np.ndarray, "3 M"]) -> list[Stretch]:
    """Return rises, falls and plateaus in order."""
    kinds = np.where(shares[:2].max(axis=0) >= RESOLVED, shares[:2].argmax(axis=0), RESTS)
    edges = [0, *np.flatnonzero(np.diff(kinds)) + 1, len(kinds)]
    every = [Stretch(int(kinds[first]), int(first), int(last) - 1) for first, last in pairwise(edges)]
    return [part for part in every if part.kind != RESTS or shares[RESTS, part.first : part.last + 1].max() > 0.5]


def boundary(
    positions: Float[np.ndarray, " M"], shares: Float[np.ndarray, "3 M"], before: Stretch, after: Stretch, axis: Axis
) -> Boundary:
    """Return the boundary between two stretches that follow each other: where the second becomes the likelier."""
    between = slice(before.last, after.first + 1)
    turn = before.last + int(np.argmax(shares[after.kind, between] >= shares[before.kind, between]))
    certainty = shares[before.kind, before.first : before.last + 1].max() * shares[after.kind, after.first : after.last + 1].max()
    return Boundary(
        location=float(axis.value(positions[turn])),
        before=KINDS[before.kind],
        after=KINDS[after.kind],
        probability=float(certainty),
    )
