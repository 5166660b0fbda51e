import json

import jax.numpy as jnp
import pytest

from ontogeny import config
from ontogeny.jobs.calibrate import as_json, calibration_steps
from ontogeny.pipeline.files import write_json
from ontogeny.problem.problem import Problem
from ontogeny.sampling.calibration.stability import in_words, stability
from ontogeny.sampling.kernels.sgld import SGLD


def test_calibration_json_has_the_kind_and_the_sentence_of_a_step(tmp_path):
    found = stability(SGLD(step_size=0.08 / 301), inverse_temperature=100.0, curvature=3.0, localization=1.0)
    write_json(tmp_path / "calibration.json", as_json(found))
    saved = json.loads((tmp_path / "calibration.json").read_text())
    assert (saved["kind"], saved["verdict"]) == ("too long", in_words(found))
    assert saved["bias"] == pytest.approx(saved["step_bias"]) and saved["value"] == pytest.approx(0.08)


@pytest.mark.parametrize(("parameters", "expected"), [(1000, list(range(20))), (1001, [0, 5, 10, 14, 19])])
def test_a_large_network_is_measured_at_five_checkpoints_of_the_run(parameters, expected):
    problem = Problem(init=lambda key: {"w": jnp.zeros(parameters)}, loss=lambda params, batch: batch, data=None)
    assert calibration_steps(problem, list(range(20)), config.LocalLearningCoefficient()) == expected
