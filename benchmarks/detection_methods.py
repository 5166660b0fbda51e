"""The detectors that `benchmarks.detection` compares: each from a trajectory table to places in log(step + 1)."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import ruptures
from scipy.stats import norm
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel

import ontogeny

ALPHA = 0.05


def ours(table: pd.DataFrame) -> list[float]:
    found = ontogeny.detect_transitions(table, alpha=ALPHA, chains=table.attrs.get("chains"))
    return np.log1p(found.loc[found["decision"] == "candidate", "location"].to_numpy(float)).tolist()


def ruptures_defaults(table: pd.DataFrame) -> list[float]:
    """Pelt as the first example of ruptures' documentation runs it, on the values as they come."""
    values, positions = table["value"].to_numpy(), np.log1p(table["step"].to_numpy())
    ends = ruptures.Pelt(model="rbf").fit(values).predict(pen=10)[:-1]
    return [float(positions[end - 1] + positions[end]) / 2 for end in ends]


def derivative_rule(table: pd.DataFrame) -> list[float]:
    """Zeros of the slope of a Gaussian process' mean without a noise term (Hoogland et al. 2024), all of them."""
    values, positions = table["value"].to_numpy(), np.log1p(table["step"].to_numpy())
    kernel = ConstantKernel(float(np.var(values))) * RBF(np.ptp(positions) / 10, (np.ptp(positions) / 50, np.ptp(positions)))
    process = GaussianProcessRegressor(kernel, alpha=1e-6, normalize_y=True).fit(positions[:, None], values)
    grid = np.linspace(positions[0], positions[-1], 400)
    slope = np.gradient(process.predict(grid[:, None]), grid)
    return grid[1:][np.diff(np.sign(slope)) != 0].tolist()


def second_difference(table: pd.DataFrame) -> list[float]:
    """The largest second difference, where it is more than white noise would give in 5% of curves (Bonferroni)."""
    values, positions = table["value"].to_numpy(), np.log1p(table["step"].to_numpy())
    bends = np.abs(values[2:] - 2 * values[1:-1] + values[:-2]) / np.sqrt(6) / table["standard_error"].to_numpy()[1:-1]
    largest = int(bends.argmax())
    return [float(positions[largest + 1])] if bends[largest] > norm.isf(ALPHA / 2 / len(bends)) else []


METHODS: dict[str, Callable[[pd.DataFrame], list[float]]] = {
    "ontogeny": ours,
    "ruptures, defaults": ruptures_defaults,
    "slope zero of a GP without noise": derivative_rule,
    "largest second difference": second_difference,
}
