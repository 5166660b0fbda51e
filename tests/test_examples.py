"""The scripts in examples/ run and estimate what they say."""

import runpy

import jax
import numpy as np
import pytest
from small_study import ROOT


@pytest.mark.end_to_end
@pytest.mark.parametrize("name", ["flax_model", "equinox_model"])
def test_an_example_estimates_a_trajectory(name, capsys):
    with jax.numpy_dtype_promotion("standard"):  # as users run it: Optax's Adam promotes its count of steps
        estimate = runpy.run_path(str(ROOT / "examples" / f"{name}.py"))["main"]()
    assert estimate.steps.tolist() == list(range(0, 401, 80)) and np.isfinite(estimate.mean).all()
    assert estimate.baseline[-1] < 0.3 * estimate.baseline[0]  # it has learnt
    assert "standard_error" in capsys.readouterr().out
