"""Split the error of λ̂ into what all checkpoints share through their common noise and what each has by itself."""

import numpy as np
import pandas as pd

from ontogeny.trajectory import WHOLE_NETWORK

FEWEST_CHAINS, FEWEST_CHECKPOINTS = 3, 8


def shared_share(llc: pd.DataFrame) -> float | None:
    """Return the share of the variance of λ̂ that all checkpoints share.

    Chains use the same noise at every checkpoint, so a chain that lies high at one lies high at others. The share is the mean
    correlation, over chains, between checkpoints that are at least half the run apart.

    Args:
        llc: step, component, chain, llc, dead.

    Returns:
        A number from 0 to 1; None for fewer than three chains or eight checkpoints at which all chains live and differ.
    """
    if llc.empty:
        return None
    network = llc[(llc["component"] == WHOLE_NETWORK) & ~llc["dead"].astype(bool)]
    wide = network.pivot(index="step", columns="chain", values="llc").dropna().to_numpy(float)
    if len(wide) < FEWEST_CHECKPOINTS or wide.shape[1] < FEWEST_CHAINS:
        return None
    residuals = wide - wide.mean(axis=1, keepdims=True)
    sizes = np.linalg.norm(residuals, axis=1, keepdims=True)
    scaled = (residuals / sizes)[(sizes > 0).ravel()]
    if len(scaled) < FEWEST_CHECKPOINTS:
        return None
    places = np.arange(len(scaled))
    apart = np.subtract.outer(places, places) >= len(scaled) // 2
    return float(np.clip((scaled @ scaled.T)[apart].mean(), 0, 1))
