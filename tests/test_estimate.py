import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ontogeny

CHECKPOINTS = {"w": jnp.zeros((2, 3))}


def bowl(parameters, batch):
    return jnp.sum(parameters["w"] ** 2)


def ridge(parameters, batch):
    """Falls without end on both sides: no minimum at w = 0, and chains overflow."""
    return -jnp.sum(parameters["w"] ** 4)


def draws(values, inverse_temperature=10.0):
    values = np.asarray(values, np.float32)
    return ontogeny.Draws(
        values=values,
        baseline=np.zeros(len(values)),
        gradient_norm=np.zeros(len(values)),
        first_order=np.zeros(values.shape[:2]),
        inverse_temperature=inverse_temperature,
        localization=1.0,
        n=100,
        dimension=10**6,
        steps=np.arange(len(values)),
    )


def test_importing_ontogeny_imports_no_jax():
    code = "import sys, ontogeny; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", ontogeny.__all__)
def test_public_names_resolve(name):
    assert getattr(ontogeny, name).__name__ == name
    assert name in dir(ontogeny)


@pytest.mark.end_to_end
def test_estimate_is_sample_then_summarise():
    options = {"key": jax.random.key(0), "n": 100, "chains": 4, "draws": 200, "burn_in": 50, "steps": [5, 9]}
    estimate = ontogeny.estimate_llc(bowl, CHECKPOINTS, sampler=ontogeny.SGLD(step_size=1e-3), **options)
    sampled = ontogeny.sample(bowl, CHECKPOINTS, sampler=ontogeny.SGLD(step_size=1e-3), **options)
    np.testing.assert_array_equal(estimate.trace, sampled.values)
    np.testing.assert_allclose(estimate.per_chain, sampled.inverse_temperature * np.mean(sampled.values, axis=-1), rtol=1e-5)
    np.testing.assert_allclose(estimate.mean, estimate.per_chain.mean(axis=1))
    frame = estimate.to_frame()
    lines = repr(estimate).splitlines()
    assert lines[3].split()[0] == "9" and lines[4:] == estimate.remedies
    columns = "step component llc standard_error effective_sample_size r_hat dead_chains share_below drift full_gradient_norm"
    localised = "llc_variance llc_variance_standard_error llc_corrected held_by_localization held_by_localization_standard_error"
    assert list(frame.columns) == [*columns.split(), "first_order", *localised.split(), "verdict"]
    assert list(frame["step"]) == [5, 9]


def test_dead_chains_are_left_out_and_counted():
    values = np.random.default_rng(0).uniform(0.1, 0.3, (2, 4, 100))
    values[0, 1, 50:] = np.nan
    values[0, 1, :50] = 1e6
    estimate = ontogeny.summarise(draws(values))
    assert list(estimate.dead_chains) == [1, 0]
    assert np.isnan(estimate.per_chain[0, 1])
    assert estimate.mean[0] == pytest.approx(10 * values[0, [0, 2, 3]].mean(), rel=1e-5)
    assert estimate.verdict == ["dead_chains", "ok"]


def test_where_all_chains_die_nothing_is_claimed():
    estimate = ontogeny.estimate_llc(
        ridge, CHECKPOINTS, key=jax.random.key(0), n=10_000, chains=3, sampler=ontogeny.SGLD(step_size=0.1), draws=100
    )
    assert np.isnan(estimate.mean).all()
    assert np.isnan(estimate.standard_error).all()
    assert list(estimate.dead_chains) == [3, 3]
    assert estimate.verdict == ["all chains dead"] * 2


def test_negative_values_are_reported_and_marked():
    estimate = ontogeny.summarise(draws(-np.random.default_rng(0).uniform(0.1, 0.3, (1, 4, 100))))
    assert estimate.mean[0] == pytest.approx(-2.0, rel=0.1)
    assert estimate.verdict == ["negative, share_below"]


def test_one_chain_has_an_error_from_its_autocorrelation():
    estimate = ontogeny.summarise(draws(np.random.default_rng(0).normal(1, 0.1, (1, 1, 400))))
    assert estimate.standard_error[0] == pytest.approx(10 * 0.1 / np.sqrt(400), rel=0.3)


@pytest.mark.end_to_end
def test_estimates_of_other_seeds_differ_by_their_errors():
    options = {"n": 100, "chains": 8, "draws": 400, "burn_in": 100, "sampler": ontogeny.SGLD(step_size=5e-3)}
    estimates = [ontogeny.estimate_llc(bowl, CHECKPOINTS, key=jax.random.key(seed), **options) for seed in range(30)]
    spread = np.std([estimate.mean[0] for estimate in estimates], ddof=1)
    error = np.median([estimate.standard_error[0] for estimate in estimates])
    assert 0.6 < error / spread < 1.6


def slope(parameters, batch):
    """A valley along the second parameter whose floor falls along the first: w* = 0 is no minimum."""
    w = parameters["w"]
    return -w[0] + 0.5 * jnp.sum(w[1:] ** 2)


@pytest.mark.end_to_end
def test_the_first_order_term_is_the_share_of_a_slope():
    """Under localisation, E[w - w*] = -nβ ∇L / γ along a slope, and E[∇L·(w - w*)] = -nβ |∇L|² / γ."""
    options = {"inverse_temperature": 10.0, "localization": 20.0, "chains": 64, "draws": 600, "burn_in": 200}
    estimate = ontogeny.estimate_llc(slope, CHECKPOINTS, sampler=ontogeny.SGLD(step_size=2e-2), **options)
    np.testing.assert_allclose(estimate.gradient_norm, 1.0, rtol=1e-6)
    np.testing.assert_allclose(estimate.first_order, -(10.0**2) / 20, rtol=0.02)
    two_minima = 10 / 2 / (30 * (1 - 2e-2 * 30 / 4)) * 2
    assert estimate.mean[0] == pytest.approx(-5 + two_minima, abs=4 * estimate.standard_error[0])


@pytest.mark.end_to_end
def test_a_projection_takes_the_slope_out():
    """In the hyperplane normal to the gradient the two directions that have a minimum are left: λ̂ is theirs."""
    options = {"inverse_temperature": 10.0, "localization": 20.0, "chains": 64, "draws": 2000, "burn_in": 600}
    estimate = ontogeny.estimate_llc(slope, CHECKPOINTS, sampler=ontogeny.SGLD(step_size=6e-3), projection="gradient", **options)
    exact = 10 / 2 / (30 * (1 - 6e-3 * 30 / 4)) * 2
    assert estimate.mean[0] == pytest.approx(exact, abs=3 * estimate.standard_error[0])
    assert estimate.standard_error[0] < 0.02 * exact
    np.testing.assert_allclose(estimate.first_order, 0, atol=1e-4)
    assert estimate.verdict == ["ok", "ok"]


def test_refined_estimates_are_those_of_their_masks():
    masks = {"first": {"w": np.array([1, 0, 0])}, "others": {"w": np.array([0, 1, 1])}}
    options = {"n": 1000, "chains": 8, "draws": 400, "sampler": ontogeny.SGLD(step_size=1e-3)}
    estimate = ontogeny.estimate_llc(bowl, CHECKPOINTS, refine=masks, **options)
    assert list(estimate.refined) == ["first", "others"]
    assert estimate.refined_mean.shape == estimate.refined_standard_error.shape == (2, 2)
    alone = ontogeny.estimate_llc(bowl, CHECKPOINTS, mask=masks["first"], **options)
    np.testing.assert_array_equal(estimate.refined["first"].trace, alone.trace)
    np.testing.assert_allclose(estimate.refined_mean.sum(axis=0), estimate.mean, rtol=1e-4)
    frame = estimate.to_frame()
    assert list(frame["component"]) == ["", "", "first", "first", "others", "others"]


@pytest.mark.end_to_end
def test_a_projection_takes_out_nothing_at_a_minimum():
    """The gradient left by rounding points anywhere; λ̂ must be that of the plain estimate, not one direction short."""
    options = {"n": 1000, "chains": 8, "draws": 400, "sampler": ontogeny.SGLD(step_size=1e-3)}
    nearly = {"w": jnp.full((1, 3), 1e-6)}
    plain, projected = (ontogeny.estimate_llc(bowl, nearly, projection=name, **options) for name in (None, "gradient"))
    assert 0 < plain.gradient_norm[0] < 1e-5
    np.testing.assert_allclose(projected.mean, plain.mean, rtol=1e-4)


@pytest.mark.end_to_end
def test_masks_go_with_parameters_of_other_types():
    half = {"w": jnp.zeros((2, 3), jnp.bfloat16)}
    options = {"n": 100, "chains": 2, "draws": 20, "burn_in": 0, "projection": "gradient"}
    assert np.isfinite(ontogeny.estimate_llc(bowl, half, refine={"first": {"w": np.array([1, 0, 0])}}, **options).mean).all()


@pytest.mark.end_to_end
def test_without_refinements_there_are_none():
    estimate = ontogeny.estimate_llc(bowl, CHECKPOINTS, n=100, chains=2, draws=20)
    assert estimate.refined_mean.shape == estimate.refined_standard_error.shape == (0, 2)


def test_refinements_share_one_compilation():
    from ontogeny.sampling.program import run_chains

    options = {"n": 1000, "chains": 2, "draws": 30, "burn_in": 0, "sampler": ontogeny.SGLD(step_size=1e-4)}
    before = run_chains._cache_size()
    ontogeny.estimate_llc(bowl, CHECKPOINTS, refine={str(i): {"w": np.eye(3)[i]} for i in range(3)}, **options)
    assert run_chains._cache_size() == before + 1


@pytest.mark.parametrize(
    ("message", "arguments"),
    {
        r"refine\['head'\]: must be shaped like": {"refine": {"head": {"w": np.ones(2)}}},
        r"refine\['head'\]: is 0 everywhere": {"refine": {"head": {"w": np.zeros(3)}}},
        "refine: must map names that are not empty": {"refine": {"": {"w": np.ones(3)}}},
        "refine: must map names .* got \\[": {"refine": [{"w": np.ones(3)}]},
        "mask: is 0 everywhere": {"mask": {"w": np.zeros(3)}},
        "sampler: must be a sampler such as ontogeny.SGLD.* got 'sgld'": {"sampler": "sgld"},
        "key: must be a single key.* got 0": {"key": 0},
        "inverse_temperature: must be a number, got '10'": {"inverse_temperature": "10"},
        "localization: must be a number, got None": {"localization": None},
        "extrapolate: NUTS has no bias in its step": {"extrapolate": True, "sampler": ontogeny.NUTS()},
    }.items(),
)
def test_a_wrong_argument_is_named_before_anything_runs(message, arguments):
    with pytest.raises(ValueError, match=message):
        ontogeny.estimate_llc(bowl, CHECKPOINTS, n=100, **arguments)


@pytest.mark.end_to_end
@pytest.mark.parametrize(("step_size", "failed"), [(0.19 / 100, False), (0.25 / 100, True), (2.0 / 100, True)])
def test_a_step_that_biases_by_more_than_5_percent_fails_a_check(step_size, failed):
    sampler = ontogeny.SGLD(step_size=step_size)
    estimate = ontogeny.estimate_llc(
        lambda w, _: jnp.sum(w**2) / 2, jnp.zeros((1, 3)), sampler=sampler, inverse_temperature=99, draws=2000
    )
    assert estimate.stability.value == pytest.approx(100 * step_size)
    assert ("step_size" in estimate.verdict[0]) == failed
    assert estimate.sampler == sampler and estimate.burn_in == 200


@pytest.mark.end_to_end
def test_a_newcomer_gets_an_estimate_that_passes():
    """No sampler, step, burn-in or number of draws is given."""
    data = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    data[:, 2] = data[:, 0] * 2 + 0.1 * data[:, 1]

    def loss(w, batch):
        return 0.5 * (batch[:, :2] @ w - batch[:, 2]) ** 2

    for batch_size in (None, 20):
        estimate = ontogeny.estimate_llc(loss, jnp.array([[2.0, 0.1]]), data, batch_size=batch_size)
        assert estimate.verdict == ["ok"] and estimate.remedies == []
        assert estimate.standard_error[0] <= 0.05 * estimate.mean[0]
        h = np.linalg.eigvalsh(data[:, :2].T @ data[:, :2] / 200)
        exact = np.sum(estimate.inverse_temperature * h / (estimate.inverse_temperature * h + 1)) / 2
        assert abs(estimate.mean[0] - exact) < 3 * estimate.standard_error[0] + 0.03 * exact


@pytest.mark.end_to_end
def test_a_cap_that_stops_chains_says_how_many_draws_would_do():
    options = {"n": 1000, "chains": 8, "sampler": ontogeny.SGLD(step_size=2e-4), "burn_in": 400}
    estimate = ontogeny.estimate_llc(bowl, CHECKPOINTS, most_draws=200, **options)
    assert estimate.trace.shape[-1] == 200 and "effective_sample_size" in estimate.verdict[0]
    remedy = next(line for line in repr(estimate).splitlines() if "draws would do" in line)
    number = int(remedy.split("about ")[1].split(" draws")[0].replace(",", ""))
    enough = ontogeny.estimate_llc(bowl, CHECKPOINTS, draws=int(1.5 * number), **options)
    assert not enough.failed["effective_sample_size"].any()


@pytest.mark.end_to_end
def test_chains_go_on_as_if_they_had_never_stopped():
    sampler = ontogeny.SGLD(step_size=1e-3)
    options = {"n": 1000, "chains": 4, "sampler": sampler, "burn_in": 50}
    chosen = ontogeny.estimate_llc(bowl, CHECKPOINTS, relative_error=0.02, **options)
    assert chosen.trace.shape[-1] > 200 and (chosen.standard_error <= 0.02 * chosen.mean).all()
    given = ontogeny.estimate_llc(bowl, CHECKPOINTS, draws=chosen.trace.shape[-1], **options)
    np.testing.assert_array_equal(chosen.trace, given.trace)


@pytest.mark.end_to_end
def test_extrapolation_leaves_the_variance_of_the_posterior():
    options = {"n": 1000, "chains": 16, "draws": 4000, "burn_in": 500, "sampler": ontogeny.SGLD(step_size=2e-4)}
    plain, extrapolated = (ontogeny.estimate_llc(bowl, CHECKPOINTS, extrapolate=value, **options) for value in (False, True))
    error = np.hypot(plain.llc_variance_standard_error, extrapolated.llc_variance_standard_error)
    assert (np.abs(extrapolated.llc_variance - plain.llc_variance) < 4 * error).all()
    assert (4 * error < plain.llc_variance).all(), "the errors are so wide that this shows nothing"


def test_a_friction_is_chosen_for_a_step_that_is_given():
    sampler = ontogeny.SGHMC(step_size=2e-4, friction="auto")
    estimate = ontogeny.estimate_llc(bowl, CHECKPOINTS, n=1000, localization=9.0, sampler=sampler, draws=50)
    assert estimate.sampler.friction == pytest.approx((2 * 2e-4 * 9.0) ** 0.5)


@pytest.mark.parametrize("step_size", [4.1e-2, 1.0])
def test_a_step_beyond_stability_is_refused_with_the_bound(step_size):
    with pytest.raises(ValueError, match=r"sampler: step_size .* is unstable: .* must be below 0\.04"):
        ontogeny.estimate_llc(
            lambda w, _: jnp.sum(w**2) / 2, jnp.zeros((2, 3)), sampler=ontogeny.SGLD(step_size=step_size), inverse_temperature=99
        )


def test_what_is_chosen_is_said_where_progress_is_asked_for(capsys):
    options = {"n": 100, "chains": 2, "draws": 20, "sampler": ontogeny.SGLD(step_size=None)}
    estimate = ontogeny.estimate_llc(lambda w, _: (w**2).sum(), jnp.zeros((2, 2)), **options)
    assert capsys.readouterr().err == ""
    ontogeny.estimate_llc(lambda w, _: (w**2).sum(), jnp.zeros((2, 2)), progress=True, **options)
    said = capsys.readouterr().err
    assert f"step_size {estimate.sampler.step_size:.3g}, burn_in {estimate.burn_in}, after " in said
