"""Memorisation and double descent: what few, more and many training points leave in the network (Henighan et al. 2023)."""

import json
from pathlib import Path

import pandas as pd
import pytest
from small_study import ROOT

from ontogeny.config.reading import read_study
from ontogeny.jobs import observe, train
from ontogeny.jobs.job import Job
from ontogeny.pipeline.plan import Plan, blocks

POINTS = (5, 40, 1000, 3000)


@pytest.fixture(scope="module")
def ends(tmp_path_factory) -> pd.DataFrame:
    """The observables at the last step of the study's own networks: a row for each T and seed."""
    path = ROOT / "studies" / "double-descent.yaml"
    plan, results, rows = Plan(*read_study(path), path.parent), tmp_path_factory.mktemp("double-descent"), []
    for points in POINTS:
        variant = plan.variant("double_descent", f"points~{points}")
        (block,) = blocks(variant)
        for kind in (train, observe):
            name = kind.__name__.rpartition(".")[2]
            specification = json.loads(plan.specification(name, variant.family_name, variant.name, block.name))
            kind.run(
                Job(
                    name=name,
                    results=results,
                    specification=specification,
                    family=variant.family_name,
                    variant=variant.name,
                    block=block.name,
                )
            )
        for seed in block.seeds:
            rows.append({"points": points, "seed": seed, **last(results / variant.family_name / variant.name / f"seed~{seed}")})
    return pd.DataFrame(rows)


def last(folder: Path) -> dict[str, float]:
    table = pd.read_parquet(folder / "observables.parquet")
    table = table[table["step"] == table["step"].max()]
    return dict(zip(table["observable"], table["value"], strict=True))


@pytest.mark.long
@pytest.mark.end_to_end
def test_few_points_are_memorised_as_a_polygon_and_many_give_a_polygon_of_features(ends):
    middle = ends.groupby("points").median()
    assert middle.loc[5, "data_dimensionality"] == pytest.approx(2 / 5, abs=0.02)
    assert (ends.loc[ends["points"] == 5, "data_vertices"] == 5).all()
    assert (ends.loc[ends["points"] >= 1000, "long_features"].between(5, 7)).all()
    assert middle.loc[[1000, 3000], "long_features"].min() < 6.5
    assert middle.loc[40, "weight_norm"] > 2 * middle.loc[[5, 1000, 3000], "weight_norm"].max()


@pytest.mark.long
@pytest.mark.end_to_end
def test_the_loss_on_other_points_is_largest_between_memorisation_and_features(ends):
    middle = ends.groupby("points")["evaluation_loss"].median()
    assert middle[40] > 1.5 * middle[5] and middle[40] > 1.5 * middle[1000]
    assert middle[3000] < middle[1000] * 1.01 < 1 and ends.groupby("points")["loss"].median().is_monotonic_increasing
