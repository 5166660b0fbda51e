"""Thin curves that have more checkpoints than can be searched."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from ontogeny.trajectory import NOT_APPLICABLE, PASSED, Axis
from ontogeny.transitions.detection.cost import MOST_CHECKPOINTS


@dataclass(frozen=True)
class Rows:
    """The rows of a curve in the order of the axis, with what is known of their errors.

    Attributes:
        usable: which rows carry evidence.
        thinned: how the rows were thinned; "" where they were not.
    """

    table: pd.DataFrame
    usable: Bool[np.ndarray, " K"]
    covariance: Float[np.ndarray, "K K"] | None
    chains: Float[np.ndarray, "K C"] | None
    thinned: str = ""


def thinned_rows(
    table: pd.DataFrame, axis: Axis, covariance: Float[np.ndarray, "K K"] | None, chains: Float[np.ndarray, "K C"] | None
) -> Rows:
    """Return the rows of a curve, thinned where they are more than can be searched.

    Of so many rows, only those that carry evidence are left: those with a finite value whose checks did not fail.
    """
    usable = np.isfinite(table["value"].to_numpy(float)) & table["verdict"].isin([PASSED, NOT_APPLICABLE]).to_numpy()
    if len(table) <= MOST_CHECKPOINTS:
        return Rows(table, usable, covariance, chains)
    rows = np.flatnonzero(usable)
    chosen = rows[evenly(axis.position(table[axis.name].to_numpy(float)[rows]), MOST_CHECKPOINTS)]
    fewer = f"thinned from {len(rows):,} to {len(chosen):,} checkpoints, evenly along {axis.name}"
    return Rows(
        table.iloc[chosen],
        usable[chosen],
        None if covariance is None else covariance[np.ix_(chosen, chosen)],
        None if chains is None else chains[chosen],
        fewer if len(chosen) < len(rows) else "",
    )


def evenly(positions: Float[np.ndarray, " N"], count: int) -> Int[np.ndarray, " M"]:
    """Return the indices of at most `count` positions that are spread evenly, the first and the last among them.

    Each of `count` evenly spaced targets takes the position nearest to it, so fewer are left where the positions are uneven.
    """
    if len(positions) <= count:
        return np.arange(len(positions))
    targets = np.linspace(positions[0], positions[-1], count)
    after = np.searchsorted(positions, targets).clip(1, len(positions) - 1)
    return np.unique(after - (targets - positions[after - 1] < positions[after] - targets))
