"""`sample`, `calibrate` and `estimate_llc` name what is wrong with their arguments, before anything is computed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ontogeny
from ontogeny.sampling.calibration.settling import LEAST_DRAWS, settling

INPUTS = jnp.asarray(np.random.default_rng(0).normal(size=(60, 3)), jnp.float32)
CHECKPOINT = {"bias": jnp.zeros(1), "weight": jnp.zeros((3, 2))}
CHECKPOINTS = {"bias": jnp.zeros((4, 1)), "weight": jnp.zeros((4, 3, 2))}
FUNCTIONS = {
    "sample": (ontogeny.sample, {"sampler": ontogeny.SGLD(step_size=1e-3), "key": jax.random.key(0)}),
    "calibrate": (ontogeny.calibrate, {"sampler": ontogeny.SGLD(step_size="auto")}),
    "calibrate, given step": (ontogeny.calibrate, {"sampler": ontogeny.SGLD(step_size=1e-3)}),
    "estimate_llc": (ontogeny.estimate_llc, {"sampler": ontogeny.SGLD(step_size=1e-3)}),
    "estimate_llc, auto": (ontogeny.estimate_llc, {"sampler": ontogeny.SGLD(step_size="auto"), "burn_in": "auto"}),
}


CALLS = []


def loss(parameters, batch):
    CALLS.append(parameters)
    return jnp.sum((batch @ parameters["weight"]) ** 2, axis=1) + parameters["bias"][0] ** 2


BAD = {
    "mask: must be shaped like the parameters": {"mask": {"bias": np.ones(1), "weight": np.ones((2, 2))}},
    r"mask: must be shaped like.* got \{'\[0\]": {"mask": [np.ones(1), np.ones((3, 2))]},
    r"data: leaf '' of shape \(60, 3\) holds values that are not finite": {"data": INPUTS.at[7, 1].set(jnp.inf)},
    "localization: must be finite and not negative, got nan": {"localization": float("nan")},
    "loss: must return shape .* it returned tuple": {"loss": lambda parameters, batch: (loss(parameters, batch), 0.0)},
    "loss: must return floating-point values, it returned int32": {"loss": lambda p, b: loss(p, b).astype(int)},
    "checkpoints: .*same leading axis of K checkpoints, got shapes .*other": {
        "checkpoints": [CHECKPOINT, {"other": jnp.zeros(2)}]
    },
    r"checkpoints: .*same leading axis of K checkpoints, got shapes .*\(1,\)": {"checkpoints": CHECKPOINT},
    r"checkpoints: .*same leading axis of K checkpoints, got shapes .*\(\)": {
        "checkpoints": {**CHECKPOINTS, "bias": jnp.zeros(())}
    },
    "checkpoints: .*loss raised .* leading axis of checkpoints, K = 6 here": {
        "checkpoints": {"bias": jnp.zeros(6), "weight": jnp.zeros((6, 2))}
    },
    "batch_size: must be an integer, got 8.5": {"batch_size": 8.5},
}
COUNTS = {
    "chains: must be an integer, got 2.5": {"chains": 2.5},
    "chains: must be at least 1, got 0": {"chains": 0},
    "draws: must be an integer, got 10.0": {"draws": 10.0},
}


def call(function, **options):
    made, defaults = FUNCTIONS[function]
    arguments = {"loss": loss, "checkpoints": CHECKPOINTS, "data": INPUTS, **defaults, **options}
    return made(arguments.pop("loss"), arguments.pop("checkpoints"), arguments.pop("data"), **arguments)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("message", BAD)
def test_a_bad_argument_is_named_before_anything_runs(function, message):
    CALLS.clear()
    with pytest.raises(ValueError, match=message):
        call(function, **BAD[message])
    assert len(CALLS) <= 1, "the loss is traced once to be checked; more calls mean that a program was compiled"


@pytest.mark.parametrize("function", ["sample", "calibrate", "estimate_llc"])
@pytest.mark.parametrize("message", COUNTS)
def test_counts_are_integers(function, message):
    with pytest.raises(ValueError, match=message):
        call(function, **COUNTS[message])


def test_burn_in_is_for_estimate_llc_to_find():
    with pytest.raises(ValueError, match="burn_in: must be an integer, got 'auto'"):
        call("sample", burn_in="auto")


def test_a_pilot_too_short_to_settle_is_refused_with_the_least_length():
    with pytest.raises(ValueError, match=f"draws: must be at least {LEAST_DRAWS}, got 3"):
        call("calibrate", draws=3)
    assert settling(np.zeros((1, LEAST_DRAWS))) == 0
    with pytest.raises(ValueError, match="empty sequence"):
        settling(np.zeros((1, LEAST_DRAWS - 1)))


def test_checkpoints_whose_loss_is_not_finite_are_named_by_their_labels():
    checkpoints = jax.tree.map(lambda leaf: leaf.at[jnp.array([1, 3])].set(1e30), CHECKPOINTS)
    with pytest.raises(ValueError, match=r"checkpoints: the loss is not finite at w\* itself, at steps \[20, 400\]"):
        call("sample", checkpoints=checkpoints, steps=[10, 20, 30, 400], chains=1, draws=2, burn_in=0)
