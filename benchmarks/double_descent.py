"""Print what the networks of a finished study are along the number T of training points.

Run it as: python -m benchmarks.double_descent studies/double-descent.yaml

A row is a value of T, at the last checkpoint of every seed. `train` and `test` are losses per example, |W| is the norm of the
feature vectors, `D of data` the mean dimensionality of the training points beside 2/T, `vertices` the corners of their hull,
`long` the number of features longer than half of the longest and `D` their mean dimensionality. Each is the median over the
seeds, with the range where two numbers are joined by a dash. λ̂ is the mean over the seeds with the mean standard error of one
seed, and `spread` the standard deviation over the seeds. Below stand the transitions that the seeds agree on.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from ontogeny.config.reading import read_study
from ontogeny.transitions.records import Consensus, read_record

COLUMNS = (
    *("T", "train", "test", "test, range", "|W|", "|W|, range", "D of data (2/T)", "vertices", "long", "long, range", "D"),
    *("λ̂", "spread", "ok"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    study, _ = read_study(parser.parse_args().config)
    for family in (name for name, section in study.families.items() if section.along):
        folder = Path(study.results) / family / "along"
        print(f"{family}\n\n| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
        for line in rows(trajectories(folder)):
            print(line)
        print()
        for line in transitions(folder):
            print(line)


def trajectories(folder: Path) -> pd.DataFrame:
    """Return the trajectories of all seeds of the whole network, with the column `seed`."""
    parts = [
        pd.read_parquet(path).assign(seed=int(path.parent.name.removeprefix("seed~")))
        for path in sorted(folder.glob("seed~*/trajectory.parquet"))
    ]
    table = pd.concat(parts, ignore_index=True)
    return pd.DataFrame(table[table["component"] == ""])


def rows(table: pd.DataFrame) -> Iterator[str]:
    for points, at in table.groupby("points"):
        values = {str(name): pd.Series(rows["value"], dtype=float) for name, rows in at.groupby("observable")}
        llc = at[at["observable"] == "llc"]
        cells = (
            f"{points:g}",
            f"{values['loss'].median():.3f}",
            f"{values['evaluation_loss'].median():.3f}",
            span(values["evaluation_loss"], ".2f"),
            f"{values['weight_norm'].median():.2f}",
            span(values["weight_norm"], ".1f"),
            f"{values['data_dimensionality'].median():.3f} ({2 / float(str(points)):.3f})",
            f"{values['data_vertices'].median():g}",
            f"{values['long_features'].median():g}",
            span(values["long_features"], "g"),
            f"{values['long_feature_dimensionality'].median():.2f}",
            f"{llc['value'].mean():.2f} ± {llc['standard_error'].mean():.2f}",
            f"{llc['value'].std():.2f}",
            f"{llc['verdict'].tolist().count('ok')} of {len(llc)}",
        )
        yield "| " + " | ".join(cells) + " |"


def span(values: pd.Series, digits: str) -> str:
    """Return the smallest and the largest value: '0.94–4.61'."""
    return f"{values.min():{digits}}–{values.max():{digits}}"


def transitions(folder: Path) -> Iterator[str]:
    for row in read_record(Consensus, folder / "consensus.json").transitions:
        place = f"{row.location_median:.3g} ({row.location_low:.3g} to {row.location_high:.3g})"
        yield f"- {row.name}: T = {place}, in {len(row.seeds)} of {row.of} seeds, {row.support}"


if __name__ == "__main__":
    main()
