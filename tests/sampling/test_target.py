import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.estimate import sample as sample_flat
from ontogeny.sampling.chains import sample
from ontogeny.sampling.kernels.sgld import SGLD
from ontogeny.sampling.target import Target

DATA = {"x": np.random.default_rng(0).normal(size=(1000, 2))}
CHECKPOINTS = np.zeros((3, 2), np.float32)


def loss(parameters, batch):
    return (batch["x"] @ parameters) ** 2 + jnp.sum(parameters**2)


def test_defaults_are_n_over_log_n_and_the_full_batch():
    target = Target.of(loss, DATA, CHECKPOINTS)
    assert (target.n, target.batch_size, target.localization) == (1000, None, 1.0)
    assert target.inverse_temperature == pytest.approx(144.765, abs=1e-3)
    assert target.full_batch and target.examples_per_step == 1000


def test_a_batch_of_all_examples_is_the_full_batch():
    target = Target.of(loss, DATA, CHECKPOINTS, batch_size=1000, inverse_temperature=3)
    assert target.full_batch and target.inverse_temperature == 3.0
    smaller = Target.of(loss, DATA, CHECKPOINTS, batch_size=10)
    assert not smaller.full_batch and smaller.examples_per_step == 10


def test_a_potential_has_no_examples():
    target = Target.of(lambda w, _: jnp.sum(w**2), None, CHECKPOINTS, inverse_temperature=2.0)
    assert (target.n, target.data, target.examples_per_step) == (None, None, 1)


@pytest.mark.end_to_end
def test_a_target_serves_other_checkpoints_samplers_and_fields():
    options = {"key": jax.random.key(0), "chains": 2, "draws": 20, "burn_in": 3}
    target = Target.of(loss, DATA, CHECKPOINTS, batch_size=16)
    other = CHECKPOINTS[:2] + 1
    found = sample(target, other, SGLD(step_size=1e-4), **options)
    expected = sample_flat(loss, other, DATA, sampler=SGLD(step_size=1e-4), batch_size=16, **options)
    np.testing.assert_array_equal(found.values, expected.values)
    masked = sample(target._replace(mask=np.array([1, 0])), other, SGLD(step_size=1e-4), **options)
    assert masked.dimension == 1 and np.all(masked.values[..., 1:] != found.values[..., 1:])


def test_labels_that_do_not_match_the_checkpoints_are_refused():
    with pytest.raises(ValueError, match="steps: 2 labels for 3 checkpoints"):
        sample(Target.of(loss, DATA, CHECKPOINTS), CHECKPOINTS, SGLD(), key=jax.random.key(0), steps=[1, 2])
