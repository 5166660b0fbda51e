"""λ and λ̂ at finite nβ of linear blocks of rank one: limits, an integral over the plane, Gibbs sampling, and chains."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import dblquad

import ontogeny
from benchmarks.accuracy_answers import gibbs_energy, two_layers_at_zero
from ontogeny.theory.linear_blocks import Block, expected_llc, learning_coefficient
from ontogeny.theory.linear_networks import aoyagi


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("learnt", [False, True])
def test_a_block_is_a_linear_network_of_one_hidden_unit(size, learnt):
    assert learning_coefficient(size, learnt) == aoyagi((size, 1, size), int(learnt))


@pytest.mark.parametrize("size", [1, 3, 12])
def test_a_block_at_zero_agrees_with_an_integral_over_its_length(size):
    assert expected_llc(Block(size), 1000.0, 10.0) == pytest.approx(two_layers_at_zero((size, 1, size), 1000.0, 10.0), rel=1e-6)


@pytest.mark.parametrize(("a", "b"), [(1.0, 1.0), (0.3, 1.4), (0.1, 0.05)])
def test_a_block_of_size_one_agrees_with_an_integral_over_the_plane(a, b):
    n_beta, gamma = 40.0, 5.0

    def integrand(power):
        def value(y, x):
            energy = n_beta / 2 * (x * y - a * b) ** 2
            return energy**power * np.exp(-energy - gamma / 2 * ((x - a) ** 2 + (y - b) ** 2))

        return dblquad(value, -4, 5, -4, 5, epsabs=1e-9)[0]

    assert expected_llc(Block(1, a, b), n_beta, gamma) == pytest.approx(integrand(1) / integrand(0), rel=1e-5)


@pytest.mark.parametrize("block", [Block(3, 1.0, 1.0), Block(5, 0.5, 0.2), Block(2, 0.02, 0.03)])
def test_a_block_agrees_with_gibbs_sampling(block):
    a, b = np.zeros((1, block.size)), np.zeros((block.size, 1))
    a[0, 0], b[-1, 0] = block.inward, block.outward
    found, error = gibbs_energy([a, b], 300.0, 10.0, sweeps=1500, burn_in=150)
    assert abs(found - expected_llc(block, 300.0, 10.0)) < 3.5 * error


def test_a_learnt_block_reaches_its_limit_and_the_step_comes_down_to_its_limit():
    size = 6
    steps = [
        expected_llc(Block(size, 1.0, 1.0), n_beta, 1.0) - expected_llc(Block(size), n_beta, 1.0) for n_beta in (1e3, 1e6, 1e9)
    ]
    assert steps == sorted(steps, reverse=True)
    assert (size - 1) / 2 < steps[-1] < (size - 1) / 2 + 0.1
    assert expected_llc(Block(size, 1.0, 1.0), 1e9, 1.0) == pytest.approx(size - 0.5, abs=1e-3)


@pytest.mark.end_to_end
def test_chains_agree_with_the_exact_values():
    """Chains at a learnt block and at zero, of size 4, lie within four of their errors and the bias of the step."""

    def loss(w, _):
        return jnp.sum((w["b"][:, None] * w["a"][None] - jnp.zeros((4, 4)).at[0, 0].set(w["target"])) ** 2) / 2

    target = np.array([1.0, 0.0], np.float32)
    point = np.zeros((2, 4), np.float32)
    point[0, 0] = 1.0
    estimate = ontogeny.estimate_llc(
        loss,
        {"a": point, "b": point, "target": target},
        mask={"a": np.ones(4), "b": np.ones(4), "target": np.zeros(())},
        key=jax.random.key(0),
        sampler=ontogeny.SGHMC(step_size=2e-4, friction=0.1),
        inverse_temperature=300.0,
        localization=10.0,
        chains=16,
        draws=4000,
        burn_in=500,
    )
    exact = [expected_llc(block, 300.0, 10.0) for block in (Block(4, 1.0, 1.0), Block(4))]
    assert estimate.verdict == ["ok", "ok"]
    assert np.all(np.abs(estimate.mean - exact) < 4 * estimate.standard_error + 0.01 * np.array(exact))
