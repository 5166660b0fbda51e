"""The mean over examples does not depend on how they are cut."""

import jax
import numpy as np
import pytest

from ontogeny.arrays import chunks


@pytest.mark.parametrize("largest", [1, 7, 30, 60, 10_000])
def test_the_mean_is_that_over_all_examples(monkeypatch, largest):
    monkeypatch.setattr(chunks, "LARGEST", largest)
    x, y = jax.random.normal(jax.random.key(0), (2, 50, 3))
    shown_sizes = []

    def show(examples):
        shown_sizes.append(examples[0].size)
        return examples[0] ** 2

    mean = chunks.mean_in_chunks(show, lambda squares, examples: squares * examples[1], (x, y))
    np.testing.assert_allclose(mean, (x**2 * y).mean(0), rtol=1e-5)
    assert max(shown_sizes) <= max(largest, 3)
