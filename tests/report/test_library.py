"""The page that the library writes says what the estimate and the transitions say."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import ontogeny
from ontogeny.trajectory import assemble, curve_rows

STEPS = tuple(range(0, 120, 10))


@pytest.fixture(scope="module")
def estimate():
    """λ̂ of twelve checkpoints that jumps from about 1 to about 4 at the seventh, as its chains say."""
    estimate = ontogeny.estimate_llc(
        lambda w, _: (w**2).sum(),
        jnp.zeros((len(STEPS), 3)),
        key=jax.random.key(0),
        sampler=ontogeny.SGLD(step_size=1e-3),
        n=100,
        chains=4,
        draws=40,
        burn_in=4,
        steps=STEPS,
    )
    noise = 0.01 * np.random.default_rng(0).normal(size=(len(STEPS), 4))
    per_chain = np.where(np.arange(len(STEPS)) < 6, 1.0, 4.0)[:, None] + noise
    mean, standard_error = per_chain.mean(1), np.full(len(STEPS), 0.005)
    passing = {name: np.zeros(len(STEPS), bool) for name in estimate.failed}
    return replace(estimate, per_chain=per_chain, mean=mean, standard_error=standard_error, failed=passing)


def test_a_page_of_an_estimate_names_its_candidate_and_needs_no_other_file(estimate, tmp_path):
    detected = ontogeny.detect_transitions(estimate)
    assert detected["decision"].tolist() == ["candidate"]
    path = ontogeny.write_report(estimate, detected, tmp_path / "pages" / "run.html", title="a toy")
    text = path.read_text(encoding="utf-8")
    assert "<title>a toy" in text and 'id="candidate-1"' in text and 'id="candidate-2"' not in text
    assert "<script src" not in text and "seed" not in text.split("<main", 1)[1].split("</header>", 1)[0][:2000]
    assert 'id="seeds"' not in text and 'id="record"' not in text


def test_a_page_without_a_search_says_so(estimate, tmp_path):
    text = ontogeny.write_report(estimate, path=tmp_path / "run.html").read_text(encoding="utf-8")
    assert "Transitions have not been looked for." in text and 'id="traces"' in text


def test_a_table_of_any_observables_has_a_page(tmp_path):
    steps = np.arange(30)
    table = assemble(curve_rows(steps, "accuracy", "", np.where(steps < 15, 0.1, 0.9)))
    text = ontogeny.write_report(table, ontogeny.detect_transitions(table), tmp_path / "run.html").read_text(encoding="utf-8")
    assert 'id="candidate-1"' in text and "Neither a loss nor λ̂ was measured" in text


def test_a_table_that_is_no_trajectory_is_told(tmp_path):
    with pytest.raises(ValueError, match="not a trajectory table"):
        ontogeny.write_report(pd.DataFrame({"step": [0]}), path=tmp_path / "run.html")
    assert not list(tmp_path.iterdir())
