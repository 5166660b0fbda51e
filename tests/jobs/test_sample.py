"""Components of `llc.refine`, by their patterns."""

from pathlib import Path

import pytest

from ontogeny import config
from ontogeny.errors import SpecificationError
from ontogeny.jobs.sample import refined_masks
from ontogeny.problem.build import build_problem

TASK = config.Text(kind="text", corpus="python", tokenizer="byte", context=8, examples=4, evaluation=4)
PROBLEM = build_problem(TASK, config.Transformer(kind="transformer", width=8), base=Path())


def masks(*patterns):
    return refined_masks(PROBLEM, config.Refine(components=list(patterns)))


def test_patterns_name_components_once():
    heads = ["layers.0.heads.0", "layers.0.heads.1", "layers.1.heads.0", "layers.1.heads.1"]
    assert list(masks("layers.*.heads.*")) == heads
    assert list(masks("layers.1.heads.0", "layers.1.heads.*", "embedding")) == [*heads[2:], "embedding"]
    assert refined_masks(PROBLEM, None) == {}


def test_a_pattern_that_names_none_is_told_with_those_that_are():
    with pytest.raises(SpecificationError, match=r"'layers\.7\.\*' names no component of the model; it has embedding"):
        masks("layers.7.*")
