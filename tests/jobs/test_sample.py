"""Test what a sampling job keeps, what it does again, and what it refuses."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import zarr
from line import job

from ontogeny import config
from ontogeny.errors import SpecificationError
from ontogeny.jobs import sample
from ontogeny.jobs.sample import refined_components
from ontogeny.problem.build import build_problem
from ontogeny.sampling import draws as store

TASK = config.Text(kind="text", corpus="python", tokenizer="byte", context=8, examples=4, evaluation=4)


@cache
def problem():
    return build_problem(TASK, config.Transformer(kind="transformer", width=8), base=Path())


def components(*patterns):
    return refined_components(problem(), config.Refine(components=list(patterns)))


def test_patterns_name_components_once():
    heads = ["layers.0.heads.0", "layers.0.heads.1", "layers.1.heads.0", "layers.1.heads.1"]
    assert list(components("layers.*.heads.*")) == heads
    assert list(components("layers.1.heads.0", "layers.1.heads.*", "embedding")) == [*heads[2:], "embedding"]
    assert refined_components(problem(), None) == {}


def test_a_pattern_that_names_none_is_told_with_those_that_are():
    with pytest.raises(SpecificationError, match=r"'layers\.7\.\*' names no component of the model; it has embedding"):
        components("layers.7.*")


def sampled(base: Path, component: str = "", **llc) -> store.Draws:
    made = job(base, "sample", **llc)
    sample.run(made)
    return store.read(made.seed_folder(0) / "draws", component, made.manifest(0, "sample")["steps"])[0]


def chunk_files(base: Path) -> dict[Path, int]:
    folder = job(base, "sample").seed_folder(0) / "draws" / "network" / "loss_difference"
    return {path: path.stat().st_mtime_ns for path in folder.glob("c.*")}


def test_draws_have_the_axes_of_the_calibration(base):
    draws = sampled(base)
    assert draws.values.shape == (7, 2, 25) and draws.steps.tolist() == list(range(0, 61, 10))
    assert (draws.n, draws.dimension, draws.inverse_temperature) == (30, 1, 30.0)


@pytest.mark.end_to_end
def test_kept_losses_average_to_what_the_chains_read(base):
    draws = sampled(base, per_example={"examples": "all", "every": 10})
    losses = draws.collected["per_example_loss"]
    assert losses.shape == (7, 2, 3, 30) and losses.dtype == np.float32
    mean, read = losses.mean(-1), draws.values[:, :, ::10]
    np.testing.assert_allclose(mean - mean[:, :1, :1], read - read[:, :1, :1], atol=1e-6)
    few = sampled(base, per_example={"examples": 4, "every": 5}).collected["per_example_loss"]
    np.testing.assert_array_equal(few[:, :, ::2], losses[..., :4])


def test_a_new_component_leaves_the_draws_of_the_network(base):
    sampled(base)
    before = chunk_files(base)
    flipped = sampled(base, "data:flipped", refine={"data": {"flipped": {"slope": -1.0}}})
    assert chunk_files(base) == before and flipped.values.shape == (7, 2, 25)
    sampled(base)
    assert store.components(job(base, "sample").seed_folder(0) / "draws") == [""]


def test_an_interrupted_job_samples_only_what_is_missing(base):
    whole = sampled(base)
    before = chunk_files(base)
    made = job(base, "sample")
    group = zarr.open_group(made.seed_folder(0) / "draws", mode="a")["network"]
    group["step"].resize((4,))
    made.manifest_path(0, "sample").unlink()
    again = sampled(base)
    np.testing.assert_array_equal(again.values, whole.values)
    changed = {path.name for path, written in chunk_files(base).items() if before[path] != written}
    assert changed == {"c.4.0.0", "c.5.0.0", "c.6.0.0"}


def test_more_checkpoints_are_added_to_those_there_are(base):
    few = sampled(base, checkpoints=3)
    before = chunk_files(base)
    all_of_them = sampled(base)
    assert {path: chunk_files(base)[path] for path in before} == before
    np.testing.assert_array_equal(all_of_them.values[[0, 3, 6]], few.values)


def test_other_data_are_laid_out_as_suits_them(base):
    more = sampled(base, "data:more", refine={"data": {"more": {"n": 40}}})
    assert more.n == 40 and more.values.shape == (7, 2, 25)


@pytest.mark.parametrize(
    ("llc", "message"),
    [
        ({"per_example": {"examples": 31}}, r"llc.per_example.examples \(31\) is larger than n \(30\)"),
        ({"refine": {"data": {"wide": {"inputs": 2}}}}, r"llc.refine.data.wide: has the shape {'inputs': 2}; the network .* 1}"),
        (
            {"batch_size": 20, "refine": {"data": {"few": {"n": 10}}}},
            r"llc.batch_size \(20\) is larger than n of llc.refine.data.few \(10\)",
        ),
        ({"refine": {"data": {"wide": {"slopes": 2}}}}, r"llc.refine.data.wide: mine.py:task fails: TypeError"),
    ],
)
def test_what_cannot_be_sampled_is_named_by_its_key(base, llc, message):
    with pytest.raises(SpecificationError, match=message):
        sample.run(job(base, "sample", **llc))


def test_a_profile_is_written_and_nothing_else(base, tmp_path):
    made = replace(job(base, "sample"), profile_trace=tmp_path / "trace")
    before = sorted(path for path in made.folder.rglob("*"))
    sample.run(made)
    assert list((tmp_path / "trace").rglob("perfetto_trace.json.gz"))
    assert sorted(path for path in made.folder.rglob("*")) == before
