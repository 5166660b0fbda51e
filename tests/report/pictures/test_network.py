"""Pictures on the pages of runs and families: which checkpoints they show, and that no JAX draws them."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from synthetic import rows

from ontogeny.config import PICTURES
from ontogeny.pipeline.pictures import FILE, Recording, write_recordings
from ontogeny.report.pictures.film import Film, place_after, place_before, run_picture, shown_candidates, sides
from ontogeny.report.pictures.network import KINDS, family_pictures, network_pictures
from ontogeny.transitions.records import Agreement, Candidate, Consensus, Development

STEPS = (0, 10, 20, 30, 40, 50)


def passage(name="unnamed", start=12.0, end=28.0, q_value=0.01):
    middle = (start + end) / 2
    place = {"start": start, "location": middle, "location_low": middle, "location_high": middle, "end": end}
    clearest = {"observable": "loss", "component": "", "direction": "up", "change": 1.0, "change_standard_error": 0.1}
    return Candidate(name=name, **place, **clearest, p_value=q_value, q_value=q_value, co_timing_p_value=1.0)


def development(candidates=()):
    return Development(candidates=tuple(candidates), stages=(), boundaries=(), void=(), undecided=())


def film(**more):
    return Film(
        title="Weights",
        caption="What is seen.",
        steps=STEPS,
        frames=[f"<b>{step}</b>" for step in STEPS],
        words=[f"norm {step}" for step in STEPS],
        width=100,
        **more,
    )


@pytest.fixture
def run(tmp_path):
    """The folder of a run of two heads, with a picture of its attention, of its features and one of its own."""
    folder = tmp_path / "base" / "seed~0"
    folder.mkdir(parents=True)
    kinds = {
        "own.py:gram": ({"gram": np.zeros((6, 3, 3))}, {}),
        "attention": ({"patterns": np.zeros((6, 1, 2, 4, 4), np.uint8)}, {"texts": np.array(list("abcd"))}),
        "features": ({"vectors": np.random.default_rng(0).normal(size=(6, 2, 3))}, {}),
    }
    write_recordings(
        folder / FILE,
        [Recording(kind=kind, steps=STEPS, along=along, constant=constant) for kind, (along, constant) in kinds.items()],
    )
    scores = [rows(np.array(STEPS), "prefix_matching_score", np.linspace(0, height, 6), f"layers.0.heads.{head}")
              for head, height in enumerate((0.2, 0.8))]  # fmt: skip
    pd.concat(scores).to_parquet(folder / "trajectory.parquet")
    return folder


def test_a_checkpoint_beside_a_passage_is_the_nearest_outside_it():
    assert [place_before(STEPS, at) for at in (-1, 0, 9.9, 10, 99)] == [0, 0, 0, 1, 5]
    assert [place_after(STEPS, at) for at in (0, 9.9, 10, 50, 99)] == [0, 1, 1, 5, 5]


def test_a_strip_has_the_start_both_sides_of_candidates_and_the_end():
    grown = development(candidates=[passage("growth"), passage(start=20.0, end=41.0)])
    assert [(STEPS[side.place], side.caption) for side in sides(STEPS, grown)] == [
        (0, "start"), (10, "before 1"), (20, "before 2"), (30, "after 1"), (50, "after 2, end"),
    ]  # fmt: skip
    assert [side.place for side in sides(STEPS, None)] == [0, 5]


def test_of_many_candidates_the_named_and_then_the_clearest_are_shown():
    many = [passage(q_value=0.001 * place) for place in range(6, 0, -1)] + [passage("growth", q_value=0.9)]
    assert [number for number, _ in shown_candidates(development(candidates=many))] == [3, 4, 5, 6, 7]
    html = run_picture(film(), development(candidates=many)).html
    assert "2 less clear candidates left out" in html


def test_a_film_can_be_read_without_sight_and_without_javascript():
    picture = run_picture(film(), development(candidates=[passage("a < b")]))
    assert re.findall(r'<template data-step="(\d+)"', picture.html) == list(map(str, STEPS))
    assert 'role="img" aria-label="Weights at step 50: norm 50"><b>50</b>' in picture.html
    assert '<input type="range" min="0" max="5" value="5" aria-label="Step of Weights" aria-valuetext="step 50">' in picture.html
    assert "1: a &lt; b." in picture.html
    assert len(re.findall("<figcaption>", picture.html)) == 4


def test_a_film_of_changes_shows_them_across_candidates_or_all_of_training():
    changing = film(change=lambda before, after: f"<i>{STEPS[before]} to {STEPS[after]}</i>")
    assert "<i>10 to 30</i>" in run_picture(changing, development(candidates=[passage("growth")])).html
    assert "<i>0 to 50</i>" in run_picture(changing, None).html


def test_the_pictures_of_a_run_come_in_their_order_with_scores_over_training(run):
    pictures = network_pictures(run, development(candidates=[passage("growth")]))
    titles = ["Feature vectors", "Attention of every head", "Scores of every head over training", "gram"]
    assert [picture.title for picture in pictures] == titles
    assert all(picture.caption and picture.html for picture in pictures)
    scores = pictures[2].html
    assert "full colour: 0.80" in scores
    assert "<span>layer 0 head 0</span><span>layer 0 head 1</span>" in scores
    assert "the largest is 0.80, of layer 0 head 1" in scores
    assert network_pictures(run.parent) == []


def test_seeds_stand_side_by_side_at_the_same_steps(run, tmp_path):
    grown = development(candidates=[passage("growth")])
    place = {"location_median": 20.0, "location_low": 20.0, "location_high": 33.0}
    agreed = Consensus(
        seeds=(0, 1), transitions=(Agreement(name="growth", support="weak", seeds=(0,), of=2, reason="", **place),)
    )
    second = tmp_path / "base" / "seed~1"
    second.mkdir()
    (second / FILE).write_bytes((run / FILE).read_bytes())
    developments = {("base", 0): grown, ("base", 1): development()}
    first, *_ = family_pictures(tmp_path, developments, {"base": agreed})
    assert first.title == "Feature vectors"
    assert re.findall(r"<h5>(.*?)</h5>", first.html) == ["seed 0", "seed 1"]
    assert re.findall(r"<b>step (\d+)</b>", first.html) == ["0", "10", "40", "50"] * 2
    assert "before and after growth, steps 12 to 33" in first.html


def test_every_recorded_kind_is_drawn():
    assert {*KINDS} == {*PICTURES}


def test_pictures_are_drawn_without_jax(run):
    code = (
        "import sys, pathlib; from ontogeny.report.pictures.network import network_pictures\n"
        f"assert len(network_pictures(pathlib.Path({str(run)!r}))) == 4\n"
        "assert not {'jax', 'flax', 'orbax'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
