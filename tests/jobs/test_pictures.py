"""The recording of pictures: which checkpoints, how much, and the faults of a user's own."""

import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.config import SparseFeatures, Superposition
from ontogeny.errors import SpecificationError
from ontogeny.jobs.pictures import LARGEST, MOST_CHECKPOINTS, count_for, picture_recorder
from ontogeny.pipeline.pictures import read_recordings
from ontogeny.problem.build import build_problem

OWN = """
import jax.numpy as jnp
import numpy as np

def views(network, task):
    return {"gram": lambda params: params["weight"].T @ params["weight"], "names": np.array(["a", "b"])}

def cube(network, task):
    return {"cube": lambda params: jnp.zeros((2, 2, 2))}

def words(network, task):
    return {"words": lambda params: {"a": 1.0}}

def wrong(network, task):
    return {"wrong": lambda params: params["no such"]}

def huge(network, task):
    return {"huge": lambda params: jnp.zeros((1024, 1024))}
"""


@pytest.fixture
def recorder(tmp_path):
    (tmp_path / "own.py").write_text(OWN)

    def of(*kinds):
        task, model = SparseFeatures(kind="sparse_features", features=3, examples=10), Superposition(kind="superposition")
        return picture_recorder(build_problem(task, model, base=tmp_path, pictures=kinds))

    return of


def parameters(count):
    weights = np.random.default_rng(0).normal(size=(count, 2, 3)).astype(np.float32)
    return {"weight": weights, "bias": np.zeros((count, 3), np.float32)}


def test_some_checkpoints_are_recorded_the_first_and_the_last_among_them(recorder, tmp_path):
    steps, params = np.arange(0, 1510, 10), parameters(151)
    (path,) = recorder("features", "own.py:views")(tmp_path, steps, params)
    assert path.stat().st_size < 10_000
    recordings = read_recordings(tmp_path)
    assert list(recordings) == ["features", "own.py:views"]
    features, own = recordings.values()
    assert len(features.steps) == MOST_CHECKPOINTS
    assert (features.steps[0], features.steps[-1]) == (0, 1500)
    places = np.array(features.steps) // 10
    np.testing.assert_array_equal(features.along["vectors"], params["weight"][places])
    grams = np.einsum("cdi,cdj->cij", params["weight"], params["weight"])[places]
    np.testing.assert_allclose(own.along["gram"], grams, rtol=1e-5)
    assert own.constant["names"].tolist() == ["a", "b"]


def test_a_family_without_pictures_leaves_no_file_of_an_earlier_run(recorder, tmp_path):
    (path,) = recorder("features")(tmp_path, [0, 1], parameters(2))
    assert recorder()(tmp_path, [0, 1], parameters(2)) == []
    assert not path.exists()
    assert read_recordings(tmp_path) == {}


def test_large_arrays_are_recorded_at_fewer_checkpoints():
    eighth = jnp.zeros(LARGEST // 8, jnp.uint8)
    assert count_for({"attention": {"patterns": eighth}}) == 8
    assert count_for({"features": {"vectors": jnp.zeros((2, 6))}}) == MOST_CHECKPOINTS


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cube", r"own\.py:cube: cube has the shape \(2, 2, 2\); a picture is an array with one axis or two"),
        ("words", r"own\.py:words: words has the type dict"),
        ("wrong", r"own\.py:wrong: wrong fails: KeyError: 'no such' \(line 15: return "),
        ("huge", r"own\.py:huge: a checkpoint takes 4,194,304 bytes; all together may take 1,048,576"),
    ],
)
def test_faults_of_a_picture_of_ones_own_are_told_in_one_line(recorder, tmp_path, name, words):
    with pytest.raises(SpecificationError, match=words) as caught:
        recorder(f"own.py:{name}")(tmp_path, [0, 1], parameters(2))
    assert "\n" not in str(caught.value)
