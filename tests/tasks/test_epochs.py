"""Minibatches without replacement: each epoch visits each example once, in an order of its own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.tasks.epochs import shuffled_indices


def epoch(examples, batch_size, key, number):
    steps = examples // batch_size
    indices = jax.vmap(shuffled_indices(examples, batch_size), in_axes=(None, 0))
    return np.asarray(indices(key, number * steps + jnp.arange(steps))).ravel()


@pytest.mark.parametrize(("examples", "batch_size"), [(1000, 20), (1000, 1000), (97, 10), (2, 1), (100_000, 500)])
def test_an_epoch_has_no_example_twice(examples, batch_size):
    visited = epoch(examples, batch_size, jax.random.key(0), 3)
    assert len(set(visited)) == len(visited) == examples // batch_size * batch_size
    assert visited.min() >= 0 and visited.max() < examples


def test_epochs_and_keys_have_orders_of_their_own():
    orders = [epoch(1000, 20, jax.random.key(seed), number).tobytes() for seed in range(5) for number in range(5)]
    assert len(set(orders)) == 25


@pytest.mark.end_to_end
def test_examples_are_equally_likely_at_each_place():
    first = jax.vmap(shuffled_indices(10, 1), in_axes=(0, None))(jax.random.split(jax.random.key(0), 5000), jnp.int32(0))
    counts = np.bincount(np.asarray(first).ravel(), minlength=10)
    assert (abs(counts - 500) < 5 * np.sqrt(5000 * 0.1 * 0.9)).all()


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(ValueError, match=r"batch_size \(30\) is larger than task.examples \(20\)"):
        shuffled_indices(20, 30)
