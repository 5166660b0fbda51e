"""What a notebook shows of an estimate is what the estimate holds."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import ontogeny
from ontogeny.estimates.llc import summarise
from ontogeny.sampling.kernels.sgld import SGLD

STEPS = (0, 10, 20)


@pytest.fixture(scope="module")
def estimate():
    draws = ontogeny.sample(
        lambda w, _: (w**2).sum(),
        jnp.zeros((len(STEPS), 3)),
        key=jax.random.key(0),
        sampler=SGLD(step_size=1e-3),
        n=100,
        chains=2,
        draws=12,
        burn_in=4,
        steps=STEPS,
    )
    return summarise(draws)


def test_the_datatree_holds_the_draws_whose_mean_is_the_llc(estimate):
    posterior = estimate.to_datatree()["posterior"]
    assert posterior["llc"].dims == ("chain", "draw", "step") and posterior["step"].values.tolist() == list(STEPS)
    np.testing.assert_allclose(posterior["llc"].mean(("chain", "draw")).values, estimate.mean, rtol=1e-5)


def test_rows_that_fail_a_check_are_coloured_and_no_others(estimate):
    rows = estimate._repr_html_().split("<tr")[2:]
    assert len(rows) == len(STEPS)
    assert ["background" in row for row in rows] == [verdict != "ok" for verdict in estimate.verdict]


def test_a_plot_shows_every_value_with_its_error_and_marks_failures(estimate):
    traces = estimate.plot().data
    drawn = {float(x): float(y) for trace in traces for x, y in zip(trace.x, trace.y, strict=True) if np.isfinite(y)}
    assert drawn == pytest.approx(dict(zip(STEPS, estimate.mean.tolist(), strict=True)))
    crosses = [x for trace in traces if trace.mode == "markers" for x in trace.x]
    assert crosses == [step for step, verdict in zip(STEPS, estimate.verdict, strict=True) if verdict != "ok"]
    assert traces[0].error_y.array == pytest.approx(1.96 * estimate.standard_error)


def test_a_trajectory_has_a_panel_for_each_observable_and_its_candidates_shaded():
    table = pd.DataFrame(
        {
            "step": [0, 1, 0, 1],
            "observable": ["accuracy", "accuracy", "loss", "loss"],
            "component": "",
            "value": [0.0, 1.0, 2.0, 1.0],
            "standard_error": np.nan,
            "verdict": "",
        }
    )
    rows = pd.DataFrame({"start": [0.2, 0.5], "end": [0.4, 0.7], "decision": ["candidate", "void"]})
    figure = ontogeny.plot_trajectory(table, rows)
    assert [note.text for note in figure.layout.annotations][:1] == ["loss"]
    assert {(shape.x0, shape.x1) for shape in figure.layout.shapes} == {(0.2, 0.4)}
    with pytest.raises(ValueError, match=r"no lost; it has accuracy, loss"):
        ontogeny.plot_trajectory(table, observables=["lost"])


def test_an_estimate_is_a_trajectory_with_its_chains():
    steps = np.arange(16)
    drawn = 0.05 * np.random.default_rng(0).normal(size=(16, 4)) + np.where(steps < 8, 1.0, 4.0)[:, None]

    class Given:
        def __init__(self):
            self.chains = {("llc", ""): drawn}

        def to_trajectory(self):
            columns = {"observable": "llc", "component": "", "verdict": "ok"}
            errors = drawn.std(axis=1, ddof=1) / 2
            return pd.DataFrame({"step": steps, **columns, "value": drawn.mean(axis=1), "standard_error": errors})

    given = Given()
    found = ontogeny.detect_transitions(given, scale="linear")
    pd.testing.assert_frame_equal(found, ontogeny.detect_transitions(given.to_trajectory(), scale="linear", chains=given.chains))
    assert len(found) == 1 and 6 <= found["location"][0] <= 9
