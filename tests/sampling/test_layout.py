import jax
import jax.numpy as jnp
import pytest

from ontogeny.arrays.memory import GIGABYTE, PROCESSOR, example_bytes, memory_within
from ontogeny.arrays.parts import even_size
from ontogeny.sampling.layout import VECTORS, Layout, choose_layout

SIDE_BY_SIDE = 2 * PROCESSOR.cache


def dense(parameters, batch):
    return jnp.sum(jax.nn.relu(batch @ parameters) ** 2, axis=1)


def shapes(width, hidden):
    return jax.ShapeDtypeStruct((width, hidden), jnp.float32), jax.ShapeDtypeStruct((1000, width), jnp.float32)


def test_small_models_are_vectorised_whole():
    assert choose_layout(dense, *shapes(6, 6), batch=500, chains=10, checkpoints=1) == Layout(None, True)


def test_a_batch_beyond_the_cache_is_cut_and_its_chains_run_in_turn():
    parameters, data = shapes(8, 100_000)
    layout = choose_layout(dense, parameters, data, batch=64, chains=16, checkpoints=9)
    assert layout.microbatch is not None
    assert not layout.vectorize_chains
    assert layout.checkpoints == 1
    assert layout.microbatch * example_bytes(dense, parameters, data) <= PROCESSOR.cache


def test_a_potential_has_nothing_to_cut():
    layout = choose_layout(lambda w, batch: w.sum(), jax.ShapeDtypeStruct((3,), jnp.float32), None, 1, 400, checkpoints=17)
    assert layout == Layout(None, True, None, 9)


def test_checkpoints_fill_the_cache_side_by_side_and_chains_then_do_not():
    few, many = (choose_layout(dense, *shapes(6, 6), batch=500, chains=10, checkpoints=count) for count in (5, 500))
    assert few == Layout(None, True, None, 5)
    bytes_of_one = 500 * example_bytes(dense, *shapes(6, 6))
    assert not many.vectorize_chains and PROCESSOR.cache // 8 <= many.checkpoints * bytes_of_one <= SIDE_BY_SIDE


@pytest.mark.parametrize(("checkpoints", "most", "size"), [(51, 12, 11), (20, 20, 20), (3, 100, 3), (7, 0, 1), (10, 9, 5)])
def test_groups_of_checkpoints_are_filled_as_far_as_can_be(checkpoints, most, size):
    assert even_size(checkpoints, most) == size


def test_checkpoints_of_many_parameters_do_not_lie_side_by_side_however_small_their_batch():
    """A batch of two examples through ten million parameters: the parameters fill the memory, not the batch."""
    layout = choose_layout(dense, *shapes(1000, 10_000), batch=2, chains=4, checkpoints=10)
    assert layout == Layout(None, False, layout.center, 1)
    smaller = choose_layout(dense, *shapes(10, 10_000), batch=2, chains=4, checkpoints=100)
    assert 1 < smaller.checkpoints <= SIDE_BY_SIDE / (VECTORS * 10 * 10_000 * 4)


def test_an_accelerator_takes_whole_batches_and_all_chains_where_they_fit():
    layout = choose_layout(dense, *shapes(8, 100_000), batch=64, chains=4, checkpoints=9, memory=memory_within(80 * GIGABYTE))
    assert layout == Layout(None, True, None, 9)


def test_a_batch_that_does_not_fit_an_accelerator_is_cut_to_what_does():
    """593 MB per example, as the windows of a language model of context 1024: 25 of 100 fit, not 2."""
    memory, (parameters, data) = memory_within(60 * GIGABYTE), shapes(8, 50_000_000)
    layout = choose_layout(dense, parameters, data, batch=100, chains=4, checkpoints=9, memory=memory)
    assert layout.microbatch is not None and layout.checkpoints == 1 and not layout.vectorize_chains
    used = layout.microbatch * example_bytes(dense, parameters, data)
    assert memory.intermediates / 4 < used <= memory.intermediates
