"""Where a trace settles."""

import numpy as np
from jaxtyping import Float

LEAST_DRAWS = 5
"""The fewest draws that `settling` takes."""
BINS = 50


def settling(trace: Float[np.ndarray, "chains draws"]) -> int:
    """Return the draw from which a trace has settled, by the marginal standard error rule (White 1997).

    It is the start d that minimises Σ_{t≥d} (x_t - x̄_d)² / (T - d)², with x̄_d the mean from d on. x is the mean over the live
    chains in bins of a fiftieth of the trace. The result is the start of a bin, or the number of draws where no chain lives.
    """
    alive = trace[np.isfinite(trace).all(axis=1)]
    bins = min(BINS, trace.shape[1])
    width = trace.shape[1] // bins
    if not len(alive) or width == 0:
        return trace.shape[1]
    x = alive[:, : bins * width].mean(axis=0).reshape(bins, width).mean(axis=1)
    errors = [np.sum((x[d:] - x[d:].mean()) ** 2) / (bins - d) ** 2 for d in range(bins - 4)]
    return int(np.argmin(errors)) * width
