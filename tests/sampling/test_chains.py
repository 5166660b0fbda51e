import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.estimate import sample
from ontogeny.estimates.llc import summarise
from ontogeny.sampling.chains import plan_program, program_arguments
from ontogeny.sampling.kernels.sgld import SGLD
from ontogeny.sampling.layout import Layout
from ontogeny.sampling.losses import per_example_losses
from ontogeny.sampling.program import Settings, run_chains, same_settings
from ontogeny.sampling.randomness import LARGEST_AT_ONCE, block_key, noise
from ontogeny.sampling.target import Target

RNG = np.random.default_rng(0)
INPUTS = jnp.asarray(RNG.normal(size=(60, 3)), jnp.float32)
DATA = (INPUTS, INPUTS @ jnp.array([1.0, -2.0, 0.5]) + 0.3 * jnp.asarray(RNG.normal(size=60), jnp.float32))
CHECKPOINTS = {"bias": jnp.zeros((3, 1)), "weight": jnp.asarray(RNG.normal(size=(3, 3)), jnp.float32)}


def loss(parameters, batch):
    inputs, targets = batch
    return (inputs @ parameters["weight"] + parameters["bias"] - targets) ** 2


def run(checkpoints=CHECKPOINTS, data=DATA, loss=loss, **options):
    settings = {
        "key": jax.random.key(0),
        "sampler": SGLD(step_size=1e-3),
        "chains": 3,
        "draws": 40,
        "burn_in": 0,
        "batch_size": 8,
    }
    return sample(loss, checkpoints, data, **{**settings, **options})


def first(count, checkpoints=CHECKPOINTS):
    return jax.tree.map(lambda leaf: leaf[:count], checkpoints)


def test_values_have_the_promised_shapes():
    traces = run(steps=[10, 20, 30])
    assert traces.values.shape == (3, 3, 40)
    assert traces.baseline.shape == (3,)
    assert traces.n == 60
    assert traces.inverse_temperature == pytest.approx(60 / np.log(60))
    np.testing.assert_array_equal(traces.steps, [10, 20, 30])


@pytest.mark.end_to_end
def test_the_baseline_is_the_mean_loss_of_all_examples_at_the_checkpoint():
    expected = [float(loss(jax.tree.map(lambda leaf, k=k: leaf[k], CHECKPOINTS), DATA).mean()) for k in range(3)]
    np.testing.assert_allclose(run().baseline, expected, rtol=1e-5)


@pytest.mark.end_to_end
@pytest.mark.parametrize("batch_size", [1, 8, None])
def test_the_baseline_is_paired_with_the_batch_and_the_loss_read_before_the_step(batch_size):
    """At the first draw w = w*, so that on whatever batch the difference is nothing."""
    values = np.asarray(run(batch_size=batch_size).values)
    np.testing.assert_allclose(values[..., 0], 0.0, atol=1e-6)
    assert np.all(values[..., 1] != 0)


@pytest.mark.end_to_end
def test_burn_in_is_left_out():
    whole = run(draws=40, burn_in=0).values
    np.testing.assert_allclose(run(draws=23, burn_in=17).values, whole[..., 17:], rtol=1e-5, atol=1e-7)


@pytest.mark.end_to_end
@pytest.mark.parametrize("draws", [1, 16, 33])
def test_more_draws_leave_the_first_ones_alone(draws):
    np.testing.assert_allclose(run(draws=draws).values, run(draws=40).values[..., :draws], rtol=1e-5, atol=1e-7)


@pytest.mark.end_to_end
def test_more_chains_and_other_checkpoints_leave_a_chain_alone():
    whole = run(chains=3).values
    np.testing.assert_allclose(run(chains=1).values, whole[:, :1], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(run(first(1)).values, whole[:1], rtol=1e-4, atol=1e-6)


def test_one_checkpoint_at_a_time_is_the_same(capsys):
    np.testing.assert_allclose(run(progress=True).values, run().values, rtol=1e-4, atol=1e-6)
    assert "checkpoint" in capsys.readouterr().err


def test_checkpoints_share_their_noise_and_batches_and_chains_do_not():
    twice = jax.tree.map(lambda leaf: jnp.stack([leaf[0], leaf[0]]), CHECKPOINTS)
    values = np.asarray(run(twice).values)
    np.testing.assert_array_equal(values[0], values[1])
    assert np.all(values[0, 0, 1:] != values[0, 1, 1:])
    assert np.all(np.asarray(run(key=jax.random.key(1)).values)[..., 1:] != np.asarray(run().values)[..., 1:])


@pytest.mark.end_to_end
@pytest.mark.parametrize("layout", [Layout(3, False), Layout(2, True), Layout(None, True, None, 2), Layout(3, False, None, 2)])
def test_the_layout_changes_the_order_of_summation_only(layout):
    expected = run(batch_size=8)
    found = run(batch_size=8, layout=layout)
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found.baseline, expected.baseline, rtol=1e-5)
    np.testing.assert_allclose(summarise(found).mean, summarise(expected).mean, rtol=1e-5)


def flat_potential(parameters, batch):
    return 0.0 * sum(jnp.sum(leaf) for leaf in jax.tree.leaves(parameters))


POSITIONS = {"position": lambda parameters: parameters}


def test_noise_has_the_right_variance_and_differs_between_leaves_of_one_shape():
    """Without a loss or a pull, w_t - w* is a sum of t normals of variance ε."""
    checkpoints = {"a": jnp.zeros((1, 50)), "b": jnp.zeros((1, 50))}
    options = {"inverse_temperature": 1.0, "localization": 0.0, "batch_size": None, "chains": 40, "collect": POSITIONS}
    collected = run(checkpoints, None, flat_potential, sampler=SGLD(step_size=0.01), **options).collected["position"]
    a, b = (np.diff(np.asarray(collected[name])[0], axis=1).ravel() for name in ("a", "b"))
    for steps in (a, b):
        assert steps.var() == pytest.approx(0.01, rel=4 * np.sqrt(2 / steps.size))
    assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(a.size)
    assert abs(np.corrcoef(a[1:], a[:-1])[0, 1]) < 4 / np.sqrt(a.size)


@pytest.mark.end_to_end
def test_a_model_too_large_for_the_noise_of_a_block_gets_that_of_each_draw():
    """Without a loss or a pull, w_1 - w_0 is √ε times the noise of the first draw."""
    parameters, key = LARGEST_AT_ONCE + 1, jax.random.key(3)
    options = {"inverse_temperature": 1.0, "localization": 0.0, "batch_size": None, "chains": 1, "draws": 2}
    collect = {"first": lambda w: w[:5]}
    traces = run(
        jnp.zeros((1, parameters)), None, flat_potential, key=key, sampler=SGLD(step_size=0.01), collect=collect, **options
    )
    first_noise = noise(block_key(key, 0, 0), parameters, jnp.float32)(0)[:5]
    np.testing.assert_allclose(np.diff(traces.collected["first"][0, 0], axis=0)[0], 0.1 * first_noise, rtol=1e-5)


@pytest.mark.end_to_end
def test_collect_sees_every_thin_th_kept_draw_where_its_loss_was_read():
    everything = run(collect=POSITIONS, batch_size=None, draws=20, burn_in=10)
    thinned = run(collect=POSITIONS, batch_size=None, draws=20, burn_in=10, thin=6)
    assert thinned.collected["position"]["weight"].shape == (3, 3, 4, 3)
    whole = everything.collected["position"]
    np.testing.assert_allclose(thinned.collected["position"]["weight"], whole["weight"][:, :, ::6], rtol=1e-5, atol=1e-7)
    at = jax.tree.map(lambda leaf: leaf[1, 2, 7], whole)
    expected = loss(at, DATA).mean() - everything.baseline[1]
    assert everything.values[1, 2, 7] == pytest.approx(float(expected), rel=1e-3)


def test_a_mask_holds_parameters_where_they_are():
    mask = {"bias": np.zeros(1), "weight": np.array([True, False, True])}
    traces = run(mask=mask, collect=POSITIONS)
    position = traces.collected["position"]
    moved = np.asarray(position["weight"]) - np.asarray(CHECKPOINTS["weight"])[:, None, None]
    assert np.all(np.asarray(position["bias"]) == 0)
    assert np.all(moved[..., 1] == 0)
    assert np.all(moved[..., 1:, [0, 2]] != 0)


def cliff(parameters, batch):
    """Finite, and without a slope, up to w = 1; not a number beyond."""
    return jnp.where(parameters["w"][0] > 1, jnp.nan, 0.0 * parameters["w"][0])


def test_a_chain_that_meets_a_value_that_is_not_finite_is_nan_from_there_on():
    traces = run({"w": jnp.zeros((1, 1))}, None, cliff, n=100, sampler=SGLD(step_size=0.02), chains=20, draws=60, batch_size=None)
    missing = np.isnan(np.asarray(traces.values[0]))
    assert 0 < missing.any(axis=1).sum() < 20
    assert np.all(np.diff(missing.astype(int), axis=1) >= 0)


def test_a_chain_whose_last_step_overflows_is_dead_at_its_last_value():
    """nβ ∇L is more than single precision holds at w = 1, where the one loss that is read is finite."""

    def steep(parameters, batch):
        return jnp.exp(85.0 * parameters["w"][0])

    traces = run({"w": jnp.array([[1.0], [0.0]])}, None, steep, inverse_temperature=100.0, batch_size=None, draws=1)
    np.testing.assert_array_equal(np.isnan(traces.values[..., 0]), [[True] * 3, [False] * 3])


def test_the_same_shapes_compile_once():
    run()
    size = run_chains._cache_size()
    other = jax.tree.map(lambda leaf: leaf + 1, CHECKPOINTS)
    run(other, key=jax.random.key(7), sampler=SGLD(step_size=2e-3), inverse_temperature=9.0, localization=3.0)
    assert run_chains._cache_size() == size


def test_data_is_no_constant_of_the_program():
    big = jax.tree.map(lambda leaf: jnp.tile(leaf, (1000,) + (1,) * (leaf.ndim - 1)), DATA)
    target = Target.of(loss, big, CHECKPOINTS, batch_size=8)
    program = plan_program(target, CHECKPOINTS, chains=2, draws=3, burn_in=0, thin=1, layout=None)
    arguments = program_arguments(program, target, jax.random.key(0), {"losses": per_example_losses(loss, big)})
    settings = same_settings(Settings(SGLD(step_size=1e-3), 9.0, 1.0), CHECKPOINTS, 2)
    lowered = run_chains.lower(loss, program, checkpoints=CHECKPOINTS, settings=settings, **arguments)
    assert len(lowered.as_text()) < 200_000


def test_losses_of_other_examples_compile_nothing_anew():
    run(collect={"losses": per_example_losses(loss, DATA)})
    size = run_chains._cache_size()
    other = jax.tree.map(lambda leaf: 2 * leaf, DATA)
    traces = run(collect={"losses": per_example_losses(loss, other)})
    assert run_chains._cache_size() == size
    second = jax.tree.map(lambda leaf: leaf[1], CHECKPOINTS)
    np.testing.assert_allclose(traces.collected["losses"][1, :, 0], np.tile(loss(second, other), (3, 1)), rtol=1e-5)


BAD = {
    "checkpoints: every leaf needs the same leading axis": {
        "checkpoints": {"bias": jnp.zeros((2, 1)), "weight": jnp.zeros((3, 3))}
    },
    "checkpoints: leaf .* not finite": {"checkpoints": {"bias": jnp.full((3, 1), jnp.nan), "weight": jnp.zeros((3, 3))}},
    "checkpoints: leaf .* not floating": {"checkpoints": {"bias": jnp.zeros((3, 1), int), "weight": jnp.zeros((3, 3))}},
    r"data: every leaf .*\(59,\)": {"data": (INPUTS, DATA[1][:59])},
    "data: leaf .* not finite": {"data": (INPUTS.at[0, 0].set(jnp.inf), DATA[1])},
    r"loss: must return shape \(8,\).*returned \(\)": {"loss": lambda parameters, batch: loss(parameters, batch).mean()},
    r"loss: must return a scalar.*returned \(2,\)": {
        "data": None,
        "n": 10,
        "batch_size": None,
        "loss": lambda p, b: jnp.zeros(2),
    },
    "batch_size: must lie between 1 and n = 60, got 61": {"batch_size": 61},
    "batch_size: must lie between 1 and n = 60, got 0": {"batch_size": 0},
    "batch_size: 8 given, but data is None": {"data": None, "n": 100, "loss": flat_potential},
    "n: 59 given": {"n": 59},
    "inverse_temperature: give it": {"data": None, "batch_size": None, "loss": flat_potential},
    "inverse_temperature: must be positive": {"inverse_temperature": 0.0},
    "localization: ": {"localization": -1.0},
    "chains: must be at least 1, got 0": {"chains": 0},
    "draws: must be at least 1, got 0": {"draws": 0},
    "burn_in: must be at least 0": {"burn_in": -1},
    "thin: must be at least 1": {"thin": 0},
    "sampler: step_size": {"sampler": SGLD(step_size=-1.0)},
    "mask: must be shaped like": {"mask": {"bias": np.zeros(1), "weight": np.zeros(4)}},
    "mask: leaf .* other than 0 and 1": {"mask": {"bias": np.zeros(1), "weight": np.full(3, 0.5)}},
    "projection: must be one of None, 'gradient', got 'normal'": {"projection": "normal"},
    "steps: 2 labels for 3": {"steps": [1, 2]},
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_named(message):
    with pytest.raises(ValueError, match=message):
        run(**BAD[message])


@pytest.mark.end_to_end
def test_a_projection_keeps_chains_in_the_hyperplane_normal_to_the_gradient():
    traces = run(projection="gradient", collect=POSITIONS)
    for k in range(3):
        center = jax.tree.map(lambda leaf, k=k: leaf[k], CHECKPOINTS)
        gradient = jax.grad(lambda parameters: loss(parameters, DATA).mean())(center)
        norm = np.sqrt(sum(np.sum(leaf**2) for leaf in jax.tree.leaves(gradient)))
        assert traces.gradient_norm[k] == pytest.approx(float(norm), rel=1e-5)
        moved = jax.tree.map(
            lambda leaf, start, k=k: np.asarray(leaf[k]) - np.asarray(start), traces.collected["position"], center
        )
        along = sum(np.sum(moved[name] * np.asarray(gradient[name]), axis=-1) for name in moved)
        np.testing.assert_allclose(along / norm, 0, atol=1e-5)
        assert np.abs(moved["weight"][:, -1]).max() > 1e-2


@pytest.mark.end_to_end
def test_the_first_order_term_is_measured_on_the_kept_draws():
    traces = run(collect=POSITIONS, burn_in=7)
    gradient = jax.vmap(jax.grad(lambda parameters: loss(parameters, DATA).mean()))(CHECKPOINTS)
    moved = jax.tree.map(lambda leaf, start: leaf - start[:, None, None], traces.collected["position"], CHECKPOINTS)
    expected = sum(jnp.einsum("kcdi,ki->kc", moved[name], gradient[name]) for name in moved) / 40
    np.testing.assert_allclose(traces.first_order, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.end_to_end
def test_with_control_variates_minibatches_of_a_quadratic_are_as_good_as_the_full_batch():
    """Where all examples have one curvature, all the noise of a minibatch is that at w*: nothing of it is left."""

    def centred(parameters, batch):
        return 0.5 * jnp.sum(jnp.array([[1.0, 2.0]]) * (parameters[None] - batch) ** 2, axis=-1)

    checkpoint, data = jnp.array([[0.3, -0.2]]), jnp.asarray(RNG.normal(size=(60, 2)), jnp.float32)
    full, anchored, noisy = (
        run(checkpoint, data, centred, batch_size=batch_size, control_variates=anchored).values
        for batch_size, anchored in ((None, True), (8, True), (8, False))
    )
    np.testing.assert_allclose(anchored, full, atol=1e-5)
    assert np.abs(noisy - full).max() > 0.01


@pytest.mark.end_to_end
def test_control_variates_leave_the_mean_over_batches_as_it_is():
    """At the second draw, the chains of a checkpoint stand where they stand without: only the batches differ."""
    options = {"chains": 4000, "draws": 2, "sampler": SGLD(step_size=1e-6), "checkpoints": first(1)}
    plain, anchored = (np.asarray(run(control_variates=on, **options).values)[0, :, 1] for on in (False, True))
    error = plain.std() / np.sqrt(plain.size)
    assert abs(plain.mean() - anchored.mean()) < 3 * error
    assert anchored.std() < plain.std()
