from types import SimpleNamespace

import jax
import jax.numpy as jnp
import pytest

from ontogeny.arrays.memory import (
    ASSUMED_LIMIT,
    GIGABYTE,
    MEGABYTE,
    PROCESSOR,
    Memory,
    choose_microbatch,
    device_memory,
    example_bytes,
    memory_within,
    part_size,
)


def dense(parameters, batch):
    return jnp.sum(jax.nn.relu(batch @ parameters) ** 2, axis=1)


def shapes(width, hidden):
    return jax.ShapeDtypeStruct((width, hidden), jnp.float32), jax.ShapeDtypeStruct((1000, width), jnp.float32)


def test_a_processor_has_fixed_limits():
    assert device_memory() == PROCESSOR == Memory(8 * GIGABYTE, 16 * MEGABYTE, 8 * MEGABYTE)


@pytest.mark.parametrize(
    ("statistics", "limit"), [({"bytes_limit": 60 * GIGABYTE}, 60 * GIGABYTE), ({}, ASSUMED_LIMIT), (None, ASSUMED_LIMIT)]
)
def test_an_accelerator_gives_its_limit_less_a_margin(statistics, limit):
    memory = device_memory(SimpleNamespace(platform="gpu", memory_stats=lambda: statistics))
    assert memory == memory_within(limit)
    assert memory.cache == memory.intermediates
    assert 0.4 * limit < memory.intermediates + memory.results < 0.8 * limit


def test_cards_of_a_kind_have_the_same_limits_whatever_a_few_megabytes_are_used_for():
    assert memory_within(60 * GIGABYTE + 17 * MEGABYTE) == memory_within(60 * GIGABYTE + 900 * MEGABYTE)


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


@pytest.mark.parametrize(
    ("batch", "most", "size"),
    [(32, 7, 4), (32, 8, 8), (30, 7, 6), (31, 7, 7), (9, 2, 2), (1018, 100, 100), (62, 30, 30), (61, 30, 29)],
)
def test_parts_are_large_and_leave_no_rest_or_none_of_one_where_they_can(batch, most, size):
    assert part_size(batch, most) == size


def test_a_micro_batch_holds_one_example_only_where_two_exceed_the_memory():
    parameters, data = shapes(8, 10_000_000)
    assert choose_microbatch(dense, parameters, data, 64) == 2
    one = example_bytes(dense, parameters, data)
    assert choose_microbatch(dense, parameters, data, 64, memory=Memory(2 * one, 0, one)) == 2
    assert choose_microbatch(dense, parameters, data, 64, memory=Memory(2 * one - 1, 0, one)) == 1
