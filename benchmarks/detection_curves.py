"""Simulated curves for `benchmarks.detection`: what develops, seen through noise of a known size at checkpoints."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

CHECKPOINTS = 100
LAST_STEP = 100_000
AUTOCORRELATION = 0.5
CHAINS, SHARED, REACH, WANDER = 8, 0.9, 20, 0.3
STEPS, TREAD = 8, 11
"""Of a staircase: how many, and how many checkpoints apart."""
LEVEL = 20.0
"""So that the smallest change that is called a transition, 2% of the level, is less than half of an error."""


@dataclass(frozen=True)
class Case:
    """A kind of curve: its shape, the noise that neighbours share or not, where the checkpoints lie, how large it is.

    Attributes:
        shape: a key of `SHAPES`.
        noise: white, or ar1 (correlation .5 between neighbouring checkpoints), of standard deviation 1; or chains: the mean of 8
            chains whose errors neighbouring checkpoints share (.9, fading over 20 of them), of that size, and a wander of .3 of
            each checkpoint alone, which the chains do not show. Detection is given the chains.
        spacing: log (evenly in log step) or irregular (drawn evenly in log step, anew for each curve).
        size: of the whole change, of a staircase each of its steps, in standard deviations of the noise.
    """

    shape: str
    noise: str
    spacing: str
    size: float = 0.0

    @property
    def has_transition(self) -> bool:
        return self.shape in ("step", "passage", "staircase")


def steps_of(spacing: str, generator: np.random.Generator, count: int = CHECKPOINTS) -> np.ndarray:
    """Increasing training steps, 0 and the last one among them."""
    if spacing == "log":
        candidates = np.rint(np.expm1(np.linspace(0, np.log1p(LAST_STEP), 2 * count)))
    else:
        candidates = np.rint(np.expm1(generator.uniform(0, np.log1p(LAST_STEP), 2 * count)))
    inside = np.unique(candidates[(candidates > 0) & (candidates < LAST_STEP)])
    chosen = inside[np.linspace(0, len(inside) - 1, count - 2).round().astype(int)]
    return np.concatenate([[0], chosen, [LAST_STEP]])


def noise_of(kind: str, generator: np.random.Generator, count: int) -> np.ndarray:
    white = generator.standard_normal(count)
    if kind == "white":
        return white
    values = np.empty(count)
    values[0] = white[0]
    for place in range(1, count):
        values[place] = AUTOCORRELATION * values[place - 1] + np.sqrt(1 - AUTOCORRELATION**2) * white[place]
    return values


def chains_of(generator: np.random.Generator, count: int) -> np.ndarray:
    """[count, 8], whose mean over chains has about standard deviation 1."""
    distance = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    correlation = SHARED * np.exp(-distance / REACH) + (1 - SHARED) * np.eye(count)
    return np.sqrt(CHAINS) * np.linalg.cholesky(correlation) @ generator.standard_normal((count, CHAINS))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def passage(positions: np.ndarray, place: float, width: float) -> np.ndarray:
    share = np.clip((positions - place) / width + 0.5, 0, 1)
    return share**2 * (3 - 2 * share)


SHAPES: dict[str, Callable[[np.ndarray, float, float], np.ndarray]] = {
    "flat": lambda x, place, spacing: np.zeros_like(x),
    "ramp": lambda x, place, spacing: (x - x[0]) / np.ptp(x),
    "slow rise": lambda x, place, spacing: sigmoid((x - place) / (np.ptp(x) / 6)),
    "kink": lambda x, place, spacing: np.maximum(x - place, 0) / np.ptp(x),
    "step": lambda x, place, spacing: (x > place).astype(float),
    "passage": lambda x, place, spacing: passage(x, place, 5 * spacing),
    "staircase": lambda x, place, spacing: (x > place).astype(float),
}
"""(positions in log step, place, median spacing) -> the share of a change that is made; of a staircase, they add up."""


def draw(case: Case, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """The trajectory table of one observable, and where its changes lie in log(step + 1)."""
    generator = np.random.default_rng([seed, *map(ord, f"{case.shape}{case.noise}{case.spacing}{case.size:g}")])
    steps = steps_of(case.spacing, generator)
    positions = np.log1p(steps)
    spacing = float(np.median(np.diff(positions)))
    low, high = positions[0] + 0.15 * np.ptp(positions), positions[-1] - 0.15 * np.ptp(positions)
    after = np.searchsorted(positions, [generator.uniform(low, high)])
    if case.shape == "staircase":
        last = (STEPS - 1) * TREAD
        after = int(generator.integers(TREAD // 2, len(steps) - last - TREAD // 2)) + np.arange(0, last + 1, TREAD)
    # Between two checkpoints: what lies on one is on neither side of it.
    places = (positions[after - 1] + positions[after]) / 2
    levels = LEVEL + case.size * sum(SHAPES[case.shape](positions, place, spacing) for place in places)
    table = pd.DataFrame({"step": steps.astype(int), "observable": "llc", "component": "", "verdict": "ok"})
    if case.noise != "chains":
        return table.assign(value=levels + noise_of(case.noise, generator, len(steps)), standard_error=1.0), places
    chains = chains_of(generator, len(steps))
    errors = chains.std(axis=1, ddof=1) / np.sqrt(CHAINS)
    wander = WANDER * generator.standard_normal(len(steps))
    table = table.assign(value=levels + chains.mean(axis=1) + wander, standard_error=errors)
    table.attrs["chains"] = {("llc", ""): chains + (levels + wander)[:, None]}
    return table, places
