from hypothesis import given
from hypothesis import strategies as st

from ontogeny.config import Checkpoints
from ontogeny.training.schedule import checkpoint_steps, consecutive, sampled_steps

counts = st.one_of(st.none(), st.integers(1, 50))


@given(linear=counts, logarithmic=counts, every=st.integers(1, 100), steps=st.integers(1, 10_000))
def test_kept_steps(linear, logarithmic, every, steps):
    kept = checkpoint_steps(Checkpoints(linear=linear, logarithmic=logarithmic, every=every), steps)
    assert kept[0] == 0 and kept[-1] == steps
    assert list(kept) == sorted(set(kept))
    assert set(range(0, steps + 1, every)) <= set(kept)


def test_the_papers_checkpoints():
    assert checkpoint_steps(Checkpoints(linear=150), 225_000) == tuple(range(0, 225_001, 1500))


def test_logarithmic_steps_have_even_ratios():
    assert checkpoint_steps(Checkpoints(logarithmic=5), 10_000) == (0, 1, 10, 100, 1000, 10_000)


@given(length=st.integers(2, 300), count=st.integers(2, 300))
def test_sampled_steps(length, count):
    kept = tuple(range(0, 10 * length, 10))
    sampled = sampled_steps(kept, count)
    assert len(sampled) == min(count, length) == len(set(sampled))
    assert sampled[0] == kept[0] and sampled[-1] == kept[-1] and set(sampled) <= set(kept)


@given(length=st.integers(0, 100), size=st.integers(1, 30))
def test_blocks_cut_without_loss(length, size):
    cut = consecutive(range(length), size)
    assert [step for block in cut for step in block] == list(range(length))
    assert all(0 < len(block) <= size for block in cut)
