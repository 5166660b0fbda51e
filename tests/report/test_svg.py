import xml.etree.ElementTree as ElementTree

import numpy as np

from ontogeny.report.svg import sparkline, trajectory_svg


def test_the_record_is_byte_identical_and_dateless(induction, polygon, summaries):
    tables = {0: induction.trajectory, 1: summaries[3].trajectory}
    first = trajectory_svg(tables, title="induction, layers~2")
    assert first == trajectory_svg(tables, title="induction, layers~2")
    assert first != trajectory_svg({0: polygon.trajectory}, title="induction, layers~2")
    assert "dc:date" not in first
    ElementTree.fromstring(first)


def test_the_record_of_nothing_is_still_a_plot(bare):
    ElementTree.fromstring(trajectory_svg({0: bare.trajectory}, title="nothing"))


def test_sparklines_span_their_box(make_rows):
    svg = sparkline([make_rows([0, 5, 10], "llc", [1.0, np.nan, 3.0])], "λ̂ over steps")
    line = ElementTree.fromstring(svg).find("polyline")
    assert line is not None and line.attrib["points"] == "3.0,41.0 165.0,3.0"
    assert 'aria-label="λ̂ over steps"' in svg


def test_sparklines_of_constants_and_of_nothing(make_rows):
    assert "3.0,22.0 165.0,22.0" in sparkline([make_rows([0, 10], "llc", [2.0, 2.0])], "")
    assert sparkline([make_rows([0], "llc", [2.0])], "") == ""
    assert sparkline([], "") == ""


def test_more_seeds_than_colours_are_drawn_on_a_scale(polygon):
    figure = trajectory_svg(dict.fromkeys(range(12), polygon.trajectory), title="many seeds")
    colours = {part.split(";")[0].strip() for part in figure.split("stroke: ")[1:] if part.startswith("#")}
    assert len(colours) >= 12
