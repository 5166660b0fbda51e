import re

import pytest

from ontogeny.report.evidence import condensed, evidence_views


@pytest.mark.parametrize(
    ("components", "words"),
    [
        (["positions.17", "positions.8", "positions.18", "positions.19"], "positions 8, 17–19"),
        (["layers.0.heads.1", "layers.0.heads.0", "layers.1.heads.0"], "layer 0 heads 0, 1; layer 1 head 0"),
        (["embedding"], "embedding"),
        ([], ""),
    ],
)
def test_components_are_drawn_together(components, words):
    assert condensed(components) == words


def test_curves_of_one_observable_share_a_row_with_a_small_plot_and_the_fitted_step(induction):
    views = evidence_views(induction.candidates[2].evidence, induction.trajectory, logarithmic=True)
    assert [view["curve"] for view in views] == ["prefix-matching score", "in-context learning score", "loss", "copying score"]
    first = views[0]
    assert first["components"] == "layer 1 heads 0, 1" and [each["change"] for each in first["members"]] == ["+0.570", "+0.770"]
    assert re.findall(r'class="(\w+)"', first["plot"]) == ["other", "curve", "fit"]
    assert views[3]["plot"] == "" and len(views[3]["members"]) == 3  # the table has no such curve


def test_the_fitted_step_runs_between_the_levels_at_the_ends_of_the_passage(induction):
    view = evidence_views(induction.candidates[2].evidence[2:3], induction.trajectory, logarithmic=False)[0]
    steps = [
        [float(part) for part in point.split(",")] for point in re.findall(r'class="fit" points="(.*?)"', view["plot"])[0].split()
    ]
    (left, high), (start, before), (end, after), (right, low) = steps
    assert left < start < end < right
    assert high == before < after == low  # the loss falls, and SVG counts downwards
