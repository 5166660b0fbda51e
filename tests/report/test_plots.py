import dataclasses

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from ontogeny.estimates.information import InformationCriteria
from ontogeny.report.health import diagnostic_panels, trace_data
from ontogeny.report.labels import LABELS
from ontogeny.report.overlays import drawn_runs, largest, overlay_panels
from ontogeny.report.plots import BAND, component_panel, marks, observable_panels, overview, ticks, training_panels, whole_panel
from ontogeny.report.tables import RunReport, curve, finite, spaced_logarithmically


def panels_of(report):
    return [
        panel
        for panel in [overview(report), *observable_panels(report), *training_panels(report), *diagnostic_panels(report)]
        if panel
    ]


def trace(panel, name):
    return next(trace for trace in panel.figure["data"] if trace["name"] == name)


@pytest.mark.parametrize("name", ["polygon", "induction"])
def test_plotly_accepts_every_figure(name, request):
    for panel in panels_of(request.getfixturevalue(name)):
        go.Figure(panel.figure)
        assert all(len(drawn["x"]) == len(drawn["y"]) for drawn in panel.figure["data"])


def test_the_band_is_1_96_standard_errors(polygon):
    panel = overview(polygon)
    llc = polygon.trajectory.query("observable == 'llc'").dropna(subset="value")
    upper = trace(panel, f"± {BAND} standard errors")["y"]
    np.testing.assert_allclose(upper, llc["value"] + 1.96 * llc["standard_error"], rtol=1e-4)


def test_failing_checkpoints_stay_on_the_plot_under_another_marker(polygon):
    panel = overview(polygon)
    line, crosses, lost = trace(panel, "λ̂"), trace(panel, "λ̂, fails a check"), trace(panel, "no estimate")
    assert len(line["x"]) == 150
    assert crosses["x"] == [75_000] and set(crosses["x"]) < set(line["x"])
    assert crosses["text"] == ["R̂ too large, trace still drifting"]
    assert lost["x"] == [112_500]
    assert crosses["marker"]["symbol"] != line["marker"].get("symbol", "circle")


def test_every_observable_has_a_panel_and_every_component_a_line(induction):
    panels = {panel.identifier: panel for panel in observable_panels(induction)}
    assert set(panels) == {
        "observable-in-context-learning-score",
        "observable-cross-entropy-to-bigram",
        "components-prefix-matching-score",
        "components-previous-token-score",
        "components-loss-by-position",
    }
    heads = panels["components-prefix-matching-score"].figure
    assert [drawn["name"] for drawn in heads["data"]] == [
        f"layers.{layer}.heads.{head}" for layer in range(2) for head in range(2)
    ]
    assert heads["layout"]["showlegend"]
    assert panels["components-prefix-matching-score"].title == "prefix-matching score of each head"


def test_refined_estimates_that_fail_a_check_are_crossed_and_data_sets_named(induction):
    network = curve(induction.trajectory, "llc").assign(observable="llc")
    bad = network["verdict"] != "ok"
    assert 0 < bad.sum() < len(network)
    parts = ["layers.0.heads.0", "data:plain"]
    table = pd.concat([network.assign(component=part) for part in parts], ignore_index=True)
    panel = component_panel(table, "llc", parts)
    assert panel.title == "local learning coefficient of each head and data set"
    assert component_panel(table, "llc", parts[1:]).title == "local learning coefficient of each data set"
    *lines, crossed = panel.figure["data"]
    assert [drawn["name"] for drawn in lines] == parts
    expected = network.loc[bad & network["value"].notna(), "step"]
    assert crossed["name"] == "fails a check" and crossed["x"] == [*expected, *expected]
    everything_passed = component_panel(table.assign(verdict="ok"), "llc", parts)
    assert len(everything_passed.figure["data"]) == 2


def test_criteria_have_names_and_carry_the_verdict_of_their_draws(induction):
    rows = finite(curve(induction.trajectory, "llc")).assign(standard_error=np.nan)
    panel = whole_panel("waic", rows)
    assert panel.title == "WAIC" and panel.figure["layout"]["yaxis"]["title"]["text"] == "nats per example"
    assert [drawn["name"] for drawn in panel.figure["data"]] == ["WAIC", "fails a check"]
    assert {field.name for field in dataclasses.fields(InformationCriteria)} <= set(LABELS)


def test_many_components_are_shaded_in_their_natural_order(induction):
    panel = component_panel(
        induction.trajectory, "loss_by_position", ["positions.2", "positions.10", *[f"positions.{i}" for i in range(11, 25)]]
    )
    colours = [drawn["line"]["color"] for drawn in panel.figure["data"]]
    assert len(set(colours)) == len(colours)
    assert not panel.figure["layout"]["showlegend"]
    assert "from dark (positions.2) to light (positions.24)" in panel.caption
    ordered = next(panel for panel in observable_panels(induction) if panel.identifier == "components-loss-by-position")
    assert [drawn["name"] for drawn in ordered.figure["data"]] == [f"positions.{i}" for i in range(1, 32)]


def test_parts_may_be_missing(polygon):
    only_loss = dataclasses.replace(polygon, trajectory=polygon.trajectory.query("observable == 'loss'"))
    panel = overview(only_loss)
    assert panel.title == "loss" and "λ̂ was not sampled" in panel.caption
    only_llc = RunReport(
        family="f", variant="v", seed=0, description="", trajectory=polygon.trajectory.query("observable == 'llc'")
    )
    panel = overview(only_llc)
    assert panel.title == "local learning coefficient" and "No loss was measured." in panel.caption
    assert all("yaxis" not in drawn or drawn["yaxis"] == "y" for drawn in panel.figure["data"])


def test_lambda_without_any_estimate_is_still_shown(polygon, make_rows):
    lost = make_rows([0, 10], "llc", [np.nan, np.nan], verdicts="all chains dead")
    panel = overview(dataclasses.replace(polygon, trajectory=lost, training=polygon.training.iloc[:0]))
    assert [drawn["name"] for drawn in panel.figure["data"]] == ["no estimate"]


def test_whole_numbers_get_whole_ticks_and_constants_a_range():
    assert ticks([{"y": [4, 5, None]}]) == {"dtick": 1}
    assert ticks([{"y": [4.5, 5]}]) == {}
    assert ticks([{"y": [0.005, 0.005]}]) == {"range": [0, 0.01]}
    assert ticks([]) == {}


def test_marks_carry_what_the_script_needs(polygon):
    first, second = marks(polygon.candidates)
    assert (first["named"], second["named"]) == (False, True)
    assert second == {"number": 2, "name": "4-gon → 5-gon", "named": True, "start": 131_000, "location": 133_000, "end": 135_000}


def test_traces_are_thinned_and_show_the_failing_checkpoint(polygon):
    shown = trace_data(polygon)
    points = sum(len(chain["draw"]) for entry in shown for chain in entry["chains"])
    assert len(shown) == 12 and 15_000 <= points <= 30_000
    assert {0, 75_000, 225_000} <= {entry["step"] for entry in shown}
    failing = next(entry for entry in shown if entry["step"] == 75_000)
    assert failing["label"] == "step 75,000 – R̂ too large, trace still drifting"
    kept = polygon.traces.query("step == 75_000")
    assert failing["mean"] == pytest.approx(kept["value"].mean(), rel=1e-4)
    first = kept.query("chain == 0").sort_values("draw")["value"].iloc[:: failing["stride"]]
    np.testing.assert_allclose(failing["chains"][0]["value"], first, rtol=1e-3)


def test_dead_chains_are_counted_not_drawn(polygon):
    chains = next(panel for panel in diagnostic_panels(polygon) if panel.identifier == "health-chains")
    assert len(chains.figure["data"]) == 8
    assert "8 dead chains" in chains.caption
    assert all(112_500 not in drawn["x"] for drawn in chains.figure["data"])


def test_overlays_have_a_line_per_run_coloured_by_variant(summaries):
    runs = drawn_runs(summaries[::-1])
    assert [drawn.name for drawn in runs] == ["layers~1, seed 0", "layers~1, seed 1", "layers~2, seed 0", "layers~2, seed 1"]
    assert runs[0].colour == runs[1].colour != runs[2].colour
    assert runs[0].dash != runs[1].dash
    panels = {panel.identifier: panel for panel in overlay_panels(runs)}
    for panel in panels.values():
        go.Figure(panel.figure)
    assert len(panels["overlay-loss"].figure["data"]) == 4
    assert panels["overlay-prefix-matching-score"].title == "largest prefix-matching score of any head"
    diamonds = [drawn for drawn in panels["overlay-llc"].figure["data"] if drawn["marker"].get("symbol") == "diamond"]
    assert [len(drawn["x"]) for drawn in diamonds] == [1, 1, 3, 3]


def test_the_largest_head_is_taken_at_every_step(induction):
    top = largest(induction.trajectory, "prefix_matching_score").set_index("step")
    assert top.loc[2000, "component"] == "layers.1.heads.1"
    assert top["value"].is_monotonic_increasing


def test_whether_checkpoints_are_spaced_logarithmically_is_what_json_can_hold():
    assert spaced_logarithmically(pd.DataFrame({"step": [0, 1, 2, 4, 8, 16, 32, 64, 128]})) is True
    assert spaced_logarithmically(pd.DataFrame({"step": [0, 10, 20, 30, 40, 50]})) is False
