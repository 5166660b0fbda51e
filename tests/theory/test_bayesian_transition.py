"""The Bayesian transition where it is known: two wells by quadrature, polygons by the rank and the scale of their integrals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.special import logsumexp

from ontogeny.models.superposition import polygon
from ontogeny.phases.occupancy import crossing, last_rise, occupancy
from ontogeny.phases.polygons import free_energy, joined_loss, leading_crossing, learning_coefficient, log_dead, second_order

LEFT, RIGHT, GAP, PRIOR_VARIANCE = 1.0, 25.0, 0.1, 25.0
SIZES = np.geomspace(0.5, 120.0, 40)
REPEATS = 32


def two_wells(w):
    """A broad minimum of higher loss at -4 and a narrow one of lower loss at 4: the mass goes over as n grows."""
    return jnp.minimum(GAP + LEFT * (w[0] + 4) ** 2 / 2, RIGHT * (w[0] - 4) ** 2 / 2)


def side(w):
    return (w[0] > 0).astype(int)


@pytest.fixture(scope="module")
def found():
    def once(key):
        return occupancy(
            two_wells,
            side,
            2,
            jnp.zeros(1),
            jnp.asarray(SIZES),
            key=key,
            particles=500,
            prior_variance=PRIOR_VARIANCE,
            curvature=RIGHT,
        )

    return jax.tree.map(np.asarray, jax.vmap(once)(jax.random.split(jax.random.key(2), REPEATS)))


@pytest.fixture(scope="module")
def exact():
    """Share of the right well, and the mean loss within each, at every n."""
    grid = np.linspace(-50, 50, 200_001)
    loss = np.minimum(GAP + LEFT * (grid + 4) ** 2 / 2, RIGHT * (grid - 4) ** 2 / 2)
    density = np.exp(-SIZES[:, None] * loss - grid**2 / (2 * PRIOR_VARIANCE))
    mass = np.stack([density[:, grid <= 0].sum(1), density[:, grid > 0].sum(1)], axis=1)
    lost = np.stack([(density * loss)[:, grid <= 0].sum(1), (density * loss)[:, grid > 0].sum(1)], axis=1)
    return mass / mass.sum(1, keepdims=True), lost / mass


@pytest.mark.long
def test_the_share_of_each_phase_is_exact_at_every_size(found, exact):
    error = found.shares.std(axis=0, ddof=1) / np.sqrt(REPEATS)
    assert error.max() < 0.015
    distance = (found.shares.mean(axis=0) - exact[0]) / np.maximum(error, 1e-3)
    assert np.abs(distance).max() < 4
    assert exact[0][0, 1] < 0.4 and exact[0][-1, 1] > 0.99


@pytest.mark.long
def test_the_mean_loss_within_a_phase_is_exact(found, exact):
    held = exact[0].min(axis=1) > 0.1
    error = found.losses.std(axis=0, ddof=1)[held] / np.sqrt(REPEATS)
    distance = (found.losses.mean(axis=0)[held] - exact[1][held]) / error
    assert held.sum() > 10 and np.abs(distance).max() < 4


@pytest.mark.long
def test_the_crossing_is_found_where_it_is(found, exact):
    places = [crossing(SIZES, one[:, 0], one[:, 1]) for one in found.shares]
    wanted = crossing(SIZES, *exact[0].T)
    assert abs(np.mean(places) - wanted) < 4 * np.std(places, ddof=1) / np.sqrt(REPEATS) < 0.1 * wanted


def test_a_rise_that_does_not_last_is_none():
    sizes = np.array([1.0, 10.0, 100.0])
    assert last_rise(sizes, np.array([-1.0, 1.0, 3.0])) == pytest.approx(10**0.5)
    for never in ([1.0, 1.0, 1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 0.0]):
        assert np.isnan(last_rise(sizes, np.array(never)))


@pytest.mark.long
@pytest.mark.parametrize(("k", "features"), [(5, 6), (6, 6)])
def test_the_learning_coefficient_is_half_the_rank_of_the_hessian(k, features):
    loss, curvatures, _ = second_order(k, features)
    assert len(curvatures) == 2 * learning_coefficient(k) and curvatures.min() > 0.01
    assert loss == pytest.approx({5: 0.0687436, 6: 0.0481924}[k], abs=1e-6)


def test_free_energies_grow_as_they_must():
    sizes = np.array([1e6, 1e7])
    loss, _, _ = second_order(6, 6)
    energy = free_energy(6, 6, sizes, 1.0)
    assert energy[1] - energy[0] - 9e6 * loss == pytest.approx(8.5 * np.log(10), abs=0.02)
    assert leading_crossing(5, 6, 1.0) == pytest.approx(601.0, abs=0.1)


@pytest.mark.long
def test_the_volume_of_a_dead_feature_is_that_of_quadrature():
    """One dead feature beside the 5-gon: its two weights and its bias on a grid, against importance sampling."""
    weight, bias = polygon(5, 6)
    live, sizes = (weight[:, :5], bias[:5]), np.array([50.0, 200.0])
    base, _, _ = second_order(5, 6)
    places, biases = jnp.linspace(-1.8, 1.8, 101), jnp.linspace(-5, 5, 201)

    def at_bias(bias):
        def rise(x, y):
            return joined_loss(live, (jnp.array([[x], [y]]), bias[None])) - base

        rises = jax.vmap(lambda x: jax.vmap(lambda y: rise(x, y))(places))(places)
        prior = -(places[:, None] ** 2 + places[None] ** 2 + bias**2) / 2 - 1.5 * jnp.log(2 * jnp.pi)
        return jax.vmap(lambda n: logsumexp(prior - n * rises))(jnp.asarray(sizes))

    cell = (places[1] - places[0]) ** 2 * (biases[1] - biases[0])
    expected = logsumexp(jax.jit(lambda: jax.lax.map(at_bias, biases))(), axis=0) + jnp.log(cell)
    np.testing.assert_allclose(log_dead(live, base, 1, sizes, 1.0), expected, atol=0.03)
