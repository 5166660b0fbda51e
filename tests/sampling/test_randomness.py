import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from ontogeny.sampling.randomness import BLOCK, batches, block_key, multiply_shift, noise

KEY = jax.random.key(0)


@pytest.mark.parametrize("n", [7, 1000, 50_000, 65_536, 100_000])
def test_batches_are_uniform_below_n(n):
    keys = jax.vmap(lambda block: block_key(KEY, 0, block))(jnp.arange(400))
    indices = np.asarray(jax.vmap(lambda key: batches(key, 51, n))(keys)).ravel()
    assert indices.min() >= 0
    assert indices.max() < n
    counts = np.histogram(indices, bins=np.linspace(0, n, min(n, 50) + 1).round())[0]
    widths = np.diff(np.linspace(0, n, min(n, 50) + 1).round())
    assert stats.chisquare(counts, len(indices) * widths / n).pvalue > 1e-3


def test_every_index_is_as_likely_as_any_other_where_16_bits_do_not_divide_evenly():
    """n = 40,000, over all 16-bit numbers: without the moving lattice some indices come twice as often as others."""
    n, shifts = 40_000, 64
    fractions = (np.arange(shifts) + 0.5) / shifts * 2**32
    halves = np.arange(2**15) << 16 | np.arange(2**15, 2**16)
    words = np.concatenate([fractions[:, None], np.tile(halves, (shifts, 1))], axis=1).astype(np.uint32)
    counts = np.bincount(np.asarray(multiply_shift(jnp.asarray(words), 2**16, n)).ravel(), minlength=n)
    assert len(counts) == n
    assert np.abs(counts - shifts * 2**16 / n).max() <= 2


def test_members_of_a_batch_are_independent_of_each_other():
    keys = jax.vmap(lambda block: block_key(KEY, 0, block))(jnp.arange(500))
    indices = np.asarray(jax.vmap(lambda key: batches(key, 4, 1000))(keys)).reshape(-1, 4)
    correlation = np.corrcoef(indices.T) - np.eye(4)
    assert np.abs(correlation).max() < 4 / np.sqrt(len(indices))


@pytest.mark.parametrize("largest", [200, 199], ids=["at once", "by draw"])
def test_noise_is_standard_normal_and_differs_between_chains_blocks_draws_and_coordinates(largest):
    keys = [block_key(KEY, chain, block) for chain in range(3) for block in range(3)]
    drawn = np.stack([jax.vmap(noise(key, 200, jnp.float32, largest))(jnp.arange(BLOCK)) for key in keys])
    assert stats.kstest(drawn.ravel(), "norm").pvalue > 1e-3
    assert len(np.unique(drawn)) > 0.99 * drawn.size


def test_noise_of_a_large_model_is_drawn_by_draw_and_that_of_a_small_one_at_once():
    """The largest intermediate result tells: that of 16 draws, or of one."""

    def largest_result(parameters):
        jaxpr = jax.make_jaxpr(lambda key, place: noise(key, parameters, jnp.float32, largest=100)(place))(KEY, 3)
        return max(output.aval.size for equation in jaxpr.eqns for output in equation.outvars)

    assert largest_result(100) == BLOCK * 100
    assert largest_result(101) == 101
