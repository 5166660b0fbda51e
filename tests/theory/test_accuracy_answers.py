"""The exact answers that `python -m benchmarks.accuracy` compares with, against published and independently computed values."""

from dataclasses import replace
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from benchmarks import accuracy, accuracy_answers, accuracy_rows
from ontogeny.models.superposition import polygon
from ontogeny.theory.linear_networks import aoyagi

N_BETA = 144.765


@pytest.mark.parametrize(
    ("exponents", "box", "plane"),
    [
        ((0, 1), 0.5, 0.4996),
        ((0, 2), 0.25, 0.2465),
        ((1, 1), 0.3799, 0.3833),
        ((1, 2), 0.2223, 0.2212),
        ((2, 2), 0.1556, 0.1614),
    ],
)
def test_normal_crossings_at_finite_inverse_temperature(exponents, box, plane):
    assert accuracy_answers.crossing_in_a_box(*exponents, 4 * N_BETA) == pytest.approx(box, abs=6e-5)
    assert accuracy_answers.crossing(*exponents, 4 * N_BETA, 1.0) == pytest.approx(plane, abs=6e-5)


@pytest.mark.parametrize("exponents", [(1, 1), (1, 3), (2, 3), (3, 3)])
def test_the_quadrature_of_crossings_has_converged(exponents):
    coarse, fine = (accuracy_answers.crossing(*exponents, 4 * N_BETA, 1.0, points) for points in (600, 1500))
    assert coarse == pytest.approx(fine, rel=1e-6)


@pytest.mark.parametrize(("k", "expected"), [(1, 0.4966), (2, 0.2365), (3, 0.1478)])
def test_monomials(k, expected):
    assert accuracy_answers.crossing(0, k, 1024 / np.log(1024), 2.0) == pytest.approx(expected, abs=6e-5)


def test_networks_of_width_one_are_crossings():
    assert accuracy_answers.two_layers_at_zero((1, 1, 1), 300.0, 2.0) == pytest.approx(
        accuracy_answers.crossing(1, 1, 150.0, 2.0), rel=1e-6
    )


@pytest.mark.parametrize("widths", [(2, 1, 3), (2, 2, 2), (4, 2, 3)])
def test_two_layers_at_zero_against_importance_sampling(widths):
    """E nβK = E_prior[e^-nβK nβK] / E_prior[e^-nβK] at a temperature at which the prior reaches the posterior."""
    h0, h1, h2 = widths
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(400_000, h1, h0)), rng.normal(size=(400_000, h2, h1))
    energy = 3.0 * 0.5 * np.sum((second @ first) ** 2, axis=(1, 2))
    weight = np.exp(-energy)
    mean = np.sum(weight * energy) / np.sum(weight)
    error = np.sqrt(np.sum((weight * (energy - mean)) ** 2)) / np.sum(weight)
    assert error < 0.01 * mean
    assert abs(accuracy_answers.two_layers_at_zero(widths, 3.0, 1.0) - mean) < 3 * error


def test_a_product_of_three_against_importance_sampling():
    w = np.random.default_rng(1).normal(size=(3, 1_000_000)) / np.sqrt(2)
    energy = 10 * np.prod(w, axis=0) ** 2 / 2
    weight = np.exp(-energy)
    mean = np.sum(weight * energy) / np.sum(weight)
    error = np.sqrt(np.sum((weight * (energy - mean)) ** 2)) / np.sum(weight)
    assert error < 0.01 * mean
    assert abs(accuracy_answers.product_of_three(10.0, 2.0) - mean) < 3 * error


def test_two_layers_approach_their_learning_coefficient_from_below():
    values = [accuracy_answers.two_layers_at_zero((2, 2, 2), n_beta, 1.0) for n_beta in (1e2, 1e4, 1e8)]
    assert values[0] < values[1] < values[2] < 1.5
    assert values[2] == pytest.approx(aoyagi((2, 2, 2), 0)[0], abs=0.01)


def test_the_quadratic_of_the_reference():
    """n = 1000, ε = 1e-3, h = γ = 1, full batch: .515 once stationary."""
    assert accuracy_answers.quadratic_answer(1.0, N_BETA, 1.0)(1e-3, np.array([10**6])) == pytest.approx(0.515, abs=6e-4)


def test_minibatch_quadratics_against_a_direct_simulation_with_its_transient():
    """Gradients h (w - x) with x ~ N(0, 4), means over 10 of them, from w = 0 on."""
    rng = np.random.default_rng(0)
    h, n_beta, localization, step, batch, walkers = 0.5, 50.0, 2.0, 0.03, 10, 200_000
    w, values = np.zeros(walkers), []
    for _ in range(12):
        values.append(n_beta * h * w**2 / 2)
        gradient = h * (w - rng.normal(scale=2 / np.sqrt(batch), size=walkers))
        w = w - step / 2 * (n_beta * gradient + localization * w) + np.sqrt(step) * rng.normal(size=walkers)
    answer = accuracy_answers.quadratic_answer(h, n_beta, localization, noise=h**2 * 4 / batch)
    for kept in (slice(0, 4), slice(4, 12)):
        per_walker = np.mean(values[kept], axis=0)
        error = per_walker.std() / np.sqrt(walkers)
        exact = answer(step, np.arange(12)[kept])
        assert error < 0.005 * exact
        assert abs(per_walker.mean() - exact) < 3 * error


def test_the_transient_starts_at_zero():
    answer = accuracy_answers.quadratic_answer([0.5, 2.0], 100.0, 1.0)
    assert answer(1e-3, np.array([0])) == 0
    assert 0 < answer(1e-3, np.array([1])) < answer(1e-3, np.array([5])) < answer(1e-3, np.array([10**6]))


@pytest.mark.end_to_end
def test_minibatch_regression_against_a_direct_simulation():
    rng = np.random.default_rng(0)
    inputs, residuals = rng.normal(size=(40, 2)), rng.normal(size=40)
    residuals -= inputs @ np.linalg.lstsq(inputs, residuals, rcond=None)[0]
    n_beta, step, batch, walkers = 20.0, 0.02, 5, 20_000
    w, values = np.zeros((walkers, 2)), []
    for number in range(400):
        chosen = rng.integers(40, size=(walkers, batch))
        x, r = inputs[chosen], residuals[chosen]
        gradient = np.mean(x * (np.einsum("wbi,wi->wb", x, w) - r)[..., None], axis=1)
        w = w - step / 2 * (n_beta * gradient + w) + np.sqrt(step) * rng.normal(size=w.shape)
        if number >= 100:
            values.append(n_beta / 2 * np.mean((w @ inputs.T) ** 2, axis=1))
    per_walker = np.mean(values, axis=0)
    exact = accuracy_answers.regression_answer(inputs, residuals, n_beta, 1.0, batch)(step, np.array([10**6]))
    error = per_walker.std() / np.sqrt(walkers)
    assert error < 0.005 * exact
    assert abs(per_walker.mean() - exact) < 3 * error


@pytest.mark.end_to_end
@pytest.mark.parametrize("widths", [(2, 2, 3), (4, 6, 6, 4), (3, 2, 4, 2)])
def test_the_spectrum_of_the_product_map_is_that_of_the_hessian(widths):
    layers = accuracy_rows.orthonormal_layers(widths, seed=0)
    flat, unflatten = ravel_pytree(layers)
    hessian = jax.hessian(lambda w: accuracy_rows.matching(accuracy_answers.product(layers))(unflatten(w), None))(flat)
    direct, through_product = np.linalg.eigvalsh(np.asarray(hessian)), accuracy_answers.product_spectrum(layers)
    assert np.sum(direct > 1e-3) == np.sum(through_product > 1e-3) == 2 * aoyagi(widths, min(widths))[0]
    np.testing.assert_allclose(direct[direct > 1e-3], through_product[through_product > 1e-3], rtol=1e-4)


@pytest.mark.parametrize(("widths", "rank"), [((3, 3, 3, 3), 2), ((10, 10, 10), 5), ((4, 2, 3), 0)])
def test_points_where_every_layer_and_the_product_have_the_rank(widths, rank):
    layers = accuracy_rows.layers_of_rank(widths, rank, seed=1)
    assert [layer.shape for layer in layers] == [(after, before) for before, after in pairwise(widths)]
    for matrix in (*layers, accuracy_answers.product(layers)):
        values = np.linalg.svd(np.asarray(matrix), compute_uv=False)
        np.testing.assert_allclose(values, [1.0] * rank + [0.0] * (len(values) - rank), atol=1e-5)
    assert np.sum(accuracy_answers.product_spectrum(layers) > 1e-3) / 2 <= aoyagi(widths, rank)[0]


@pytest.mark.end_to_end
@pytest.mark.parametrize(("k", "dead_bias", "rank"), [(5, -5.0, 14), (5, 1 / 12, 17), (6, 0.0, 17)])
def test_polygons_have_the_published_rank(k, dead_bias, rank):
    weight, bias = polygon(k, 6, dead_bias)
    h = accuracy_rows.spectrum(accuracy_rows.superposition_loss, {"weight": weight, "bias": bias})
    assert np.sum(h > 1e-3) == rank
    assert np.all(np.abs(np.sort(h)[: 18 - rank]) < 1e-4)


@pytest.mark.end_to_end
@pytest.mark.parametrize(("widths", "expectation"), [((2, 1, 3), None), ((2, 2, 2), None), ((1, 1, 1, 1), "three")])
def test_gibbs_sampling_against_quadrature(widths, expectation):
    layers = accuracy_rows.layers_of_rank(widths, 0, seed=0)
    mean, error = accuracy_answers.gibbs_energy(layers, 100.0, 1.0, sweeps=6000, burn_in=500, chains=32)
    product_of_three, two_layers = accuracy_answers.product_of_three, accuracy_answers.two_layers_at_zero
    exact = product_of_three(100.0, 1.0) if expectation else two_layers(widths, 100.0, 1.0)
    assert error < 0.01 * exact
    assert abs(mean - exact) < 3 * error


def test_gibbs_sampling_of_a_smooth_fibre():
    """Where all layers have full rank and γ holds them near w*, λ̂ is that of the quadratic, to leading order."""
    layers = accuracy_rows.orthonormal_layers((2, 4, 3), seed=0)
    h = accuracy_answers.product_spectrum(layers)
    h = h[h > 1e-3]
    mean, error = accuracy_answers.gibbs_energy(layers, 1e7, 1e4, sweeps=1500, burn_in=100, chains=16)
    exact = float(np.sum(1e7 * h / 2 / (1e7 * h + 1e4)))
    assert error < 0.01 * exact
    assert abs(mean - exact) < 3 * error


@pytest.mark.end_to_end
def test_a_row_is_measured():
    """A hand-set and a calibrated step on a quadratic: both agree with their own exact value, over a few seeds."""
    row = next(accuracy_rows.quadratics())
    for step in ("hand", "auto"):
        measured = accuracy.measure(row, step, seeds=4)
        assert measured.bias == pytest.approx(measured.mean - measured.expected)
        assert abs(measured.bias) < 3 * measured.standard_error
        assert measured.verdicts == {"ok": 4}
        assert measured.standard_error < 0.02 * measured.expected
    assert jnp.isfinite(measured.root_mean_square_error)


@pytest.mark.end_to_end
@pytest.mark.parametrize(("family", "name"), [("crossings", "crossing (1, 1)"), ("singular_networks", "2-1-3, rank 0")])
def test_sgld_at_singular_points_agrees_with_quadrature(family, name):
    """A step by hand, and draws enough for an error below 5%."""
    row = next(row for row in getattr(accuracy_rows, family)() if name in row.name)
    found = accuracy.estimate(replace(row, chains=64, draws=20_000, burn_in=10_000), jax.random.key(5))
    exact, _ = row.expected()
    assert exact < 0.95 * row.limit
    assert found.standard_error[0] < 0.05 * exact
    assert abs(found.mean[0] - exact) < 3 * found.standard_error[0]
