"""Simulated runs with a known answer, shaped like the two experiments of the default study."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ontogeny.trajectory import assemble, llc_rows, tidy_observables

SimulatedRun = Callable[..., pd.DataFrame]


def rise(place: np.ndarray, centre: float, width: float) -> np.ndarray:
    return 1 / (1 + np.exp(-(place - centre) / width))


def llc_table(steps: np.ndarray, levels: np.ndarray, errors: np.ndarray, generator: np.random.Generator) -> pd.DataFrame:
    values = levels + errors * generator.standard_normal(len(steps))
    return llc_rows(pd.DataFrame({"step": steps, "llc": values, "standard_error": errors, "verdict": "ok"}))


@pytest.fixture(scope="session")
def superposition_run() -> SimulatedRun:
    """150 linear checkpoints; from the 4⁺-gon to the 5-gon at checkpoint `jump`, or not at all."""

    def simulate(seed: int = 0, jump: float | None = None) -> pd.DataFrame:
        generator = np.random.default_rng(seed)
        steps = np.linspace(0, 225_000, 151).astype(int)
        count = len(steps)
        passed = np.zeros(count) if jump is None else rise(np.arange(count), jump, 0.7)
        exact = 0.104167 - 0.035423 * passed + 2e-5 * np.abs(generator.standard_normal(count))
        exact[0] = 0.1111
        observables = {
            "loss": exact + 0.002 * generator.standard_normal(count),
            "population_loss": exact,
            "polygon_vertices": np.where(passed > 0.5, 5, 4),
            "positive_dead_biases": np.ones(count),
            "feature_norm": {str(i): 1 + 0.15 * passed * (i < 5) + 0.003 * generator.standard_normal(count) for i in range(6)},
        }
        llc = llc_table(steps, 4.8 + 1.5 * passed, generator.uniform(0.2, 0.5, count), generator)
        return assemble(llc, tidy_observables(steps, observables))

    return simulate


@pytest.fixture(scope="session")
def text_run() -> SimulatedRun:
    """A checkpoint every 25 steps and a few early ones; bigrams, and with two layers previous-token and induction heads."""

    def simulate(seed: int = 0, layers: int = 2, induction: float = 700) -> pd.DataFrame:
        generator = np.random.default_rng(seed)
        steps = np.unique([*np.arange(0, 2001, 25), 1, 3, 9, 26, 78, 231, 684])

        def noisy(curve: np.ndarray, noise: float) -> np.ndarray:
            return curve + noise * generator.standard_normal(len(steps))

        two = float(layers == 2)
        formed, previous = two * rise(steps, induction, 28), two * rise(steps, 200, 30)
        bigrams = 1 - np.exp(-((steps / 70) ** 1.5))
        loss = 5.3 - 2 * bigrams - 0.5 * formed - 0.1 * np.log1p(steps / 500)
        heads = [(layer, head, f"layers.{layer}.heads.{head}") for layer in range(layers) for head in range(2)]
        observables = {
            "loss": noisy(loss, 0.03),
            "in_context_learning_score": noisy(-0.02 - 0.08 * bigrams - 0.7 * formed, 0.02),
            "cross_entropy_to_bigram": noisy(2.2 - 1.9 * bigrams + 0.2 * formed, 0.01),
            "previous_token_score": {name: noisy(0.05 + 0.6 * (name == heads[0][2]) * previous, 0.01) for *_, name in heads},
            "copying_score_over_chance": {name: noisy(1 + 8 * (layer == 1) * formed, 0.05) for layer, _, name in heads},
            "prefix_matching_score": {name: noisy(0.05 + 0.6 * (layer == 1) * formed, 0.008) for layer, _, name in heads},
        }
        sampled = np.round(np.linspace(0, len(steps) - 1, 30)).astype(int)
        levels = 20 * (1 - np.exp(-steps / 20)) + 45 * bigrams + 12 * np.log1p(steps / 300) + 40 * formed
        llc = llc_table(steps[sampled], levels[sampled], generator.uniform(1, 5, 30), generator)
        llc.loc[0, ["value", "verdict"]] = [-20.0, "below"]
        return assemble(llc, tidy_observables(steps, observables))

    return simulate


@pytest.fixture(scope="session")
def one_curve() -> Callable[..., pd.DataFrame]:
    """A trajectory of a single curve, with or without errors."""

    def table(steps: np.ndarray, values: np.ndarray, errors: np.ndarray | float = np.nan, name: str = "llc") -> pd.DataFrame:
        columns = {"step": steps, "observable": name, "component": "", "value": values, "standard_error": errors, "verdict": ""}
        return pd.DataFrame(columns)

    return table
