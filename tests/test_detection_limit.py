"""The benchmark of the detection limit: its potential is the task's own, its times are exact, its counts count."""

import jax
import numpy as np
import pandas as pd
import pytest

from benchmarks import detection_limit, detection_limit_runs
from benchmarks.detection_limit_runs import STEPS, halfway, network_and_task, potential
from ontogeny.problem.behavioural import MOVING, REFERENCE, behavioural_loss
from ontogeny.tasks.linear_blocks import examples


@pytest.mark.end_to_end
def test_the_potential_is_the_behavioural_loss_of_the_task():
    network, task = network_and_task(4)
    weights = np.linspace(0.2, 2, len(task.provides["blocks"]))
    reference, moving = (network.init(jax.random.key(seed)) for seed in (0, 1))
    inputs, _ = examples(list(task.provides["blocks"]), weights)
    own = behavioural_loss(network.apply, task.divergence)({MOVING: moving, REFERENCE: reference}, inputs).mean()
    found = potential(4)({MOVING: moving, REFERENCE: reference, "weights": weights.astype(np.float32)}, None)
    assert float(found) == pytest.approx(float(own), rel=1e-4)


@pytest.mark.end_to_end
def test_a_run_learns_its_target_and_a_null_run_does_not():
    (run,), (null,) = (detection_limit_runs.train(3, [7], null) for null in (False, True))
    assert run.losses[0, 0] > 0.4 and run.losses[-1, 0] < 1e-3
    np.testing.assert_allclose(null.losses[:, 0], null.losses[0, 0], rtol=1e-6)
    exact = detection_limit_runs.exact_curve(run)
    assert halfway(exact) < halfway(run.losses[:, 0])


def test_halfway_lies_between_checkpoints_on_the_log_scale():
    place = 20
    values = np.where(np.arange(len(STEPS)) < place, 0.0, 1.0)
    assert halfway(values) == pytest.approx(np.sqrt(STEPS[place - 1] * STEPS[place]))
    assert halfway(-values) == halfway(values)


def test_a_step_is_found_where_it_is_and_a_flat_curve_has_none():
    rng = np.random.default_rng(0)
    noise = 0.02 * rng.standard_normal(len(STEPS))
    table = {"step": STEPS, "observable": "loss", "component": "", "standard_error": np.nan, "verdict": ""}
    step = pd.DataFrame(table | {"value": noise + (np.arange(len(STEPS)) >= 25)})
    known = float(np.sqrt(STEPS[24] * STEPS[25]))
    assert detection_limit.found(step, None, known) == {"found": True, "false": 0, "known": known}
    assert detection_limit.found(step, None, float(STEPS[40]))["false"] == 1
    assert detection_limit.found(pd.DataFrame(table | {"value": noise}), None, None)["false"] == 0
