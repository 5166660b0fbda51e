import jax
import jax.numpy as jnp
import pytest

from ontogeny.arrays.parts import CACHE, example_bytes, part_of
from ontogeny.sampling.layout import ENOUGH, TOGETHER, VECTORS, Layout, choose_layout, even_size


def dense(parameters, batch):
    return jnp.sum(jax.nn.relu(batch @ parameters) ** 2, axis=1)


def shapes(width, hidden):
    return jax.ShapeDtypeStruct((width, hidden), jnp.float32), jax.ShapeDtypeStruct((1000, width), jnp.float32)


def test_bytes_of_an_example_count_its_intermediate_results_inner_jaxprs_included():
    parameters, data = shapes(8, 256)
    once = example_bytes(dense, parameters, data)
    assert once >= 3 * 256 * 4
    assert example_bytes(jax.jit(dense), parameters, data) == once

    def branching(parameters, batch):
        return jax.lax.cond(parameters[0, 0] > 0, dense, lambda parameters, batch: batch[:, 0], parameters, batch)

    def looping(parameters, batch):
        return jax.lax.scan(lambda sum, _: (sum + dense(parameters, batch), None), jnp.zeros(len(batch)), None, length=10)[0]

    assert example_bytes(branching, parameters, data) >= once
    assert example_bytes(looping, parameters, data) >= 10 * once


def test_small_models_are_vectorised_whole():
    assert choose_layout(dense, *shapes(6, 6), batch=500, chains=10, checkpoints=1) == Layout(None, True)


def test_a_batch_beyond_the_cache_is_cut_and_its_chains_run_in_turn():
    parameters, data = shapes(8, 100_000)
    layout = choose_layout(dense, parameters, data, batch=64, chains=16, checkpoints=9)
    assert layout.microbatch is not None
    assert not layout.vectorize_chains
    assert layout.checkpoints == 1
    assert layout.microbatch * example_bytes(dense, parameters, data) <= CACHE.microbatch


@pytest.mark.parametrize(
    ("batch", "most", "size"),
    [(32, 7, 4), (32, 8, 8), (30, 7, 6), (31, 7, 7), (9, 2, 2), (1018, 100, 100), (62, 30, 30), (61, 30, 29)],
)
def test_parts_are_large_and_leave_no_rest_or_none_of_one_where_they_can(batch, most, size):
    assert part_of(batch, most) == size


def test_a_micro_batch_never_holds_one_example_only():
    assert choose_layout(dense, *shapes(8, 10_000_000), batch=64, chains=2, checkpoints=1).microbatch == 2


def test_a_potential_has_nothing_to_cut():
    layout = choose_layout(lambda w, batch: w.sum(), jax.ShapeDtypeStruct((3,), jnp.float32), None, 1, 400, checkpoints=17)
    assert layout == Layout(None, True, None, 9)


def test_checkpoints_fill_the_cache_side_by_side_and_chains_then_do_not():
    few, many = (choose_layout(dense, *shapes(6, 6), batch=500, chains=10, checkpoints=count) for count in (5, 500))
    assert few == Layout(None, True, None, 5)
    bytes_of_one = 500 * example_bytes(dense, *shapes(6, 6))
    assert not many.vectorize_chains and ENOUGH["cpu"] <= many.checkpoints * bytes_of_one <= TOGETHER["cpu"]


@pytest.mark.parametrize(("checkpoints", "most", "size"), [(51, 12, 11), (20, 20, 20), (3, 100, 3), (7, 0, 1), (10, 9, 5)])
def test_groups_of_checkpoints_are_filled_as_far_as_can_be(checkpoints, most, size):
    assert even_size(checkpoints, most) == size


def test_checkpoints_of_many_parameters_do_not_lie_side_by_side_however_small_their_batch():
    """A batch of two examples through ten million parameters: the parameters fill the memory, not the batch."""
    layout = choose_layout(dense, *shapes(1000, 10_000), batch=2, chains=4, checkpoints=10)
    assert layout == Layout(None, False, layout.center, 1)
    smaller = choose_layout(dense, *shapes(10, 10_000), batch=2, chains=4, checkpoints=100)
    assert 1 < smaller.checkpoints <= TOGETHER["cpu"] / (VECTORS * 10 * 10_000 * 4)
