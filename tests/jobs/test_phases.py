"""The stage that samples the posterior while n grows: what it writes, what it keeps, and the page that shows it."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from ontogeny.config import Posterior
from ontogeny.jobs import phases
from ontogeny.jobs.family_page import posterior as summary_of
from ontogeny.jobs.job import Job
from ontogeny.pipeline.files import read_json
from ontogeny.report.family_page import family_page
from ontogeny.report.tables import FamilySummary


def job(folder, **changed) -> Job:
    section = Posterior(largest_sample_size=600, sizes=20, particles=100, **{"repeats": 2, "moves": 1, **changed})
    specification = {"code": "0", "features": 6, "phases": section.model_dump(mode="json")}
    return Job(name="phases", results=folder, family="toy", variant="base", specification=specification)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    phases.run(job(results))
    return results


@pytest.mark.end_to_end
def test_shares_sum_to_one_and_the_crossing_comes_with_its_prediction(folder):
    table = pd.read_parquet(folder / "toy" / "base" / "phases.parquet")
    assert list(table.columns) == ["repeat", "n", "phase", "share", "mean_loss"]
    assert table.groupby(["repeat", "n"])["share"].sum().to_numpy() == pytest.approx(1, abs=1e-4)
    written = read_json(folder / "toy" / "base" / "phases.json")
    (last,) = (row for row in written["transitions"] if row["before"] == 5)
    assert len(last["found"]) == 2 and last["predicted"]["leading"] == pytest.approx(601, abs=0.1)
    assert written["digest"] and written["versions"]["blackjax"] and 0 < written["least_effective_share"] <= 1


@pytest.mark.end_to_end
def test_repeats_that_are_done_are_kept_and_others_added(folder):
    kept = [folder / "toy" / "base" / "phases" / f"repeat~{repeat}.parquet" for repeat in range(2)]
    before = [path.stat().st_mtime_ns for path in kept]
    phases.run(job(folder, repeats=3))
    assert [path.stat().st_mtime_ns for path in kept] == before
    table = pd.read_parquet(folder / "toy" / "base" / "phases.parquet")
    assert table["repeat"].nunique() == 3 and table.groupby("repeat")["share"].apply(tuple).nunique() == 3
    sizes = np.geomspace(1, 600, 20)
    phases.sample_repeat(job(folder), 0, "another specification", 6, sizes, job(folder).section("phases", Posterior))
    assert kept[0].stat().st_mtime_ns > before[0]


@pytest.mark.end_to_end
def test_the_page_of_the_family_shows_it(folder):
    page = family_page(FamilySummary(family="toy", description="", runs=[], posteriors=[summary_of(folder / "toy", "base")]), {})
    (data,) = re.findall(r'<script type="application/json" id="page-data">(.*?)</script>', page, re.DOTALL)
    names = [trace["name"] for trace in json.loads(data)["figures"]["posterior-base"]["data"]]
    assert {"5 corners", "6 corners", "predicted by n L + λ log n − log φ"} <= set(names)
    assert "601" in page and "base/phases.json" in page
