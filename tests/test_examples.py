"""The scripts in examples/ run and estimate what they say."""

import os
import subprocess
import sys

import pytest
from small_study import ROOT

# Long chains are run as a user runs them: with XLA's optimisation, which the settings of the tests turn off.
SETTINGS_OF_TESTS = ("XLA_FLAGS", "JAX_NUMPY_RANK_PROMOTION", "JAX_NUMPY_DTYPE_PROMOTION")
CHECKED = """
import runpy, sys, numpy as np
estimate = runpy.run_path(sys.argv[1])["main"](most_draws=400)
assert estimate.steps.tolist() == list(range(0, 401, 80)) and np.isfinite(estimate.mean).all(), estimate
assert estimate.baseline[-1] < 0.3 * estimate.baseline[0], estimate.baseline  # it has learnt
"""


@pytest.mark.end_to_end
@pytest.mark.parametrize("name", ["flax_model", pytest.param("equinox_model", marks=pytest.mark.long)])
def test_an_example_estimates_a_trajectory(name):
    script = str(ROOT / "examples" / f"{name}.py")
    environment = {name: value for name, value in os.environ.items() if name not in SETTINGS_OF_TESTS}
    done = subprocess.run([sys.executable, "-c", CHECKED, script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "standard_error" in done.stdout
