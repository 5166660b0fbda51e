"""The last lines of a run, from the files of its results."""

from pathlib import Path

import pandas as pd
import pytest

from ontogeny.config.reading import validate_study
from ontogeny.monitor.summary import checks, found, page
from ontogeny.pipeline.files import write_json
from ontogeny.pipeline.plan import Plan
from ontogeny.transitions.records import Agreement, Consensus, to_json

FAMILY = {
    "task": {"kind": "sparse_features"},
    "model": {"kind": "superposition"},
    "training": {"optimizer": {"name": "sgd", "learning_rate": 0.1}, "steps": 10},
    "checkpoints": {"linear": 2},
}


def agreement(name: str, location: float, seeds: tuple[int, ...]) -> Agreement:
    places = {"location_median": location, "location_low": location, "location_high": location}
    return Agreement(name=name, support="weak", seeds=seeds, of=3, reason="", **places)


@pytest.fixture
def plan(tmp_path) -> Plan:
    raw = {"results": str(tmp_path), "seeds": [0, 1, 2], "families": dict.fromkeys(("a", "b", "c", "d"), FAMILY)}
    return Plan(*validate_study(raw, Path("config.yaml")), Path())


def write(plan: Plan, family: str, *transitions: Agreement, verdicts: str = "") -> None:
    folder = Path(plan.study.results) / family / "base"
    write_json(folder / "consensus.json", to_json(Consensus(seeds=(0, 1, 2), transitions=transitions)))
    for seed in (0, 1, 2) if verdicts else ():
        (folder / f"seed~{seed}").mkdir()
        rows = [("", "ok" if mark == "." else "r_hat") for mark in verdicts.split()[seed]] + [("heads.0", "r_hat")]
        pd.DataFrame(rows, columns=["component", "verdict"]).to_parquet(folder / f"seed~{seed}" / "health.parquet")


def test_named_transitions_are_told_with_their_place_and_seeds(plan):
    write(plan, "a", agreement("unnamed", 3.0, (0,)), agreement("4-gon → 5-gon", 112_679.3, (0, 2)))
    write(plan, "b", agreement("unnamed", 3.0, (0,)))
    write(plan, "c")
    assert list(found(plan, "abcd")) == [
        "a: 4-gon → 5-gon near step 112,679 in 2 of 3 seeds",
        "b: no named transition, 1 unnamed",
        "c: no transition",
        "and 1 more families: see the page",
    ]
    assert list(found(plan, "d")) == ["d: not finished"]


def test_runs_of_which_most_checkpoints_fail_are_named(plan):
    write(plan, "a", verdicts="... ..x ...")
    assert checks(plan, ["a"]) == "checks: λ̂ passes at 8 of 9 checkpoints; in every run at most of them"
    write(plan, "b", verdicts="... x.x xxx")
    assert checks(plan, ["a", "b"]).endswith(
        "passes at 12 of 18 checkpoints; most fail in b/base/seed~1 (1 of 3 pass), b/base/seed~2 (0 of 3 pass)"
    )
    assert checks(plan, ["c"]) == "checks: no λ̂ was measured"


def test_the_page_of_the_only_family_is_named_where_there_is_no_index(plan, tmp_path):
    assert page(plan, ["a"]) == tmp_path / "a" / "report.html"
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "index.html").touch()
    assert page(plan, ["a"]) == tmp_path / "report" / "index.html"
