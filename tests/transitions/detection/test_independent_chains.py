"""Chains that share no noise between checkpoints: their errors alone are known, and the search goes on."""

import numpy as np
import pandas as pd

from ontogeny.transitions.detection.detect import CANDIDATE, detect_transitions

VALUES = np.array([3, 5, 8, 12, 20, 30, 40, 60, 100, 200, 500, 1000, 3000], float)


def found(jump: float, seed: int) -> pd.DataFrame:
    chains = 10 + jump * (VALUES > 50)[:, None] + 0.1 * np.random.default_rng(seed).standard_normal((len(VALUES), 4))
    rows = {"points": VALUES, "observable": "llc", "component": "", "value": chains.mean(1)}
    table = pd.DataFrame(rows).assign(standard_error=chains.std(1, ddof=1) / 2, verdict="ok")
    detected = detect_transitions(table, axis="points", scale="log", chains={("llc", ""): chains})
    return detected[detected["decision"] == CANDIDATE]


def test_a_jump_of_chains_without_shared_noise_is_found_and_a_level_is_not():
    for seed in range(5, 8):
        (location,) = found(5.0, seed)["location"]
        assert 40 <= location <= 60
        assert found(0.0, seed).empty
