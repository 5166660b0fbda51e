"""Sums, maps and means do not depend on how the rows are cut."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.arrays.memory import Memory
from ontogeny.arrays.parts import call_in_chunks, filled, mapped, mean_in_parts, padded_map, summed, summed_and_mapped

X, Y = jax.random.normal(jax.random.key(0), (2, 50, 3))
SIZES = [1, 7, 10, 49, 50, 60, None]


@pytest.mark.parametrize("size", SIZES)
def test_a_sum_is_that_over_all_rows(size):
    result = summed(lambda rows: {"total": (rows[0] * rows[1]).sum(0)}, (X, Y), size)
    np.testing.assert_allclose(result["total"], (X * Y).sum(0), rtol=1e-4)


@pytest.mark.parametrize("size", SIZES)
def test_a_map_keeps_the_order_of_the_rows(size):
    np.testing.assert_array_equal(mapped(lambda rows: 2 * rows[0] + rows[1], (X, Y), size), 2 * X + Y)


@pytest.mark.parametrize("size", SIZES)
def test_a_sum_and_a_map_take_one_pass(size):
    calls = []

    def both(rows):
        jax.debug.callback(lambda count: calls.append(int(count)), len(rows))
        return rows.sum(0), rows**2

    total, squares = summed_and_mapped(both, X, size)
    jax.effects_barrier()
    np.testing.assert_allclose(total, X.sum(0), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(squares, X**2)
    assert sum(calls) == 50 and max(calls) == min(size or 50, 50)


@pytest.mark.parametrize("numbers", [1, 7, 30, 60, 10_000])
def test_a_mean_is_that_over_all_examples(numbers):
    """Half of the cache holds so many numbers of 4 bytes; an example shows three."""
    shown_sizes = []

    def show(examples):
        shown_sizes.append(examples[0].size)
        return examples[0] ** 2

    memory = Memory(intermediates=0, results=0, cache=2 * 4 * numbers)
    mean = mean_in_parts(show, lambda squares, examples: squares * examples[1], (X, Y), memory)
    np.testing.assert_allclose(mean, (X**2 * Y).mean(0), rtol=1e-4)
    assert max(shown_sizes) <= max(numbers, 3)


def test_the_last_row_fills_up():
    np.testing.assert_array_equal(filled(np.arange(5), 4), [0, 1, 2, 3, 4, 4, 4, 4])
    np.testing.assert_array_equal(filled(np.arange(8), 4), np.arange(8))
    assert filled({"a": jnp.ones((3, 2))}, 5)["a"].shape == (5, 2)


@pytest.mark.parametrize("size", [1, 7, 10, 60])
def test_a_padded_map_sees_groups_of_one_size_and_returns_the_rows(size):
    def group(rows):
        assert rows[0].shape == (size, 3)
        return rows[0] - rows[1].max()

    result = jax.jit(lambda rows: padded_map(group, rows, size))((X, Y))
    np.testing.assert_array_equal(result[0], X[0] - Y[:size].max())
    assert result.shape == X.shape


@pytest.mark.parametrize("size", [1, 7, 50, 60])
def test_chunks_of_one_size_are_called_one_after_another(size):
    sizes, reported = set(), []

    def program(rows):
        sizes.add(len(rows["x"]))
        return {"y": 2 * rows["x"]}

    result = call_in_chunks(program, {"x": X}, size, reported.append)
    np.testing.assert_array_equal(result["y"], 2 * X)
    assert isinstance(result["y"], np.ndarray)
    assert sizes == {size} and reported == [*range(size, 50, size), 50]
