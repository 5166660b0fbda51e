"""Print how networks that learn modular addition develop.

Run it as: python -m benchmarks.modular_development studies/modular-addition.yaml

A row for each run of the families of a study that are followed along training; their jobs `observe`, and for λ̂ `estimate`,
must be done. It has the first checkpoints at which accuracy on learnt pairs is .95, at which the restricted loss has made half
of its fall, and at which held-out accuracy is .5 and .9; the values at the last checkpoint; and λ̂ where it is highest and at the
end.
"""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.modular_addition import FAMILY
from ontogeny.config.reading import read_study

COLUMNS = (
    *("family", "variant", "seed", "memorised", "restricted loss halfway", "held-out .5", "held-out .9"),
    *("held-out accuracy", "restricted", "excluded", "key frequencies", "their share", "Gini", "highest λ̂", "λ̂ at the end"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    arguments = parser.parse_args()
    study, variants = read_study(arguments.config)
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for variant in variants:
        if variant.family_name != FAMILY:
            for seed in variant.seeds:
                folder = Path(study.results) / variant.family_name / variant.name / f"seed~{seed}"
                cells = (variant.family_name, variant.name, seed, *development(folder), *of_llc(folder))
                print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def development(folder: Path) -> list[str]:
    """Return when a run memorised, formed its circuit and generalised, and what it is at the end."""
    seen = pd.read_parquet(folder / "observables.parquet")
    wide = seen[seen["component"] == ""].pivot_table(index="step", columns="observable", values="value").sort_index()
    restricted = wide["restricted_loss"]
    halfway = (restricted.iloc[0] + restricted.min()) / 2
    passes = [
        wide["accuracy"] >= 0.95,
        restricted <= halfway,
        wide["evaluation_accuracy"] >= 0.5,
        wide["evaluation_accuracy"] >= 0.9,
    ]
    names = ("evaluation_accuracy", "restricted_loss", "excluded_loss", "key_frequencies", "key_frequency_share", "fourier_gini")
    return [*map(first_step, passes), *(f"{wide[name].iloc[-1]:.3g}" for name in names)]


def first_step(holds: Any) -> str:
    """Return the first step at which something holds; a dash where it never does."""
    return str(int(holds.idxmax())) if holds.any() else "-"


def of_llc(folder: Path) -> list[str]:
    """Return λ̂ where it is highest with its step, and at the last checkpoint; dashes where none was estimated."""
    path = folder / "health.parquet"
    if not path.is_file():
        return ["-", "-"]
    table = pd.read_parquet(path)
    llc: Any = table[table["component"] == ""].set_index("step")["llc"].sort_index()
    return [f"{llc.max():.1f} at {int(llc.idxmax())}", f"{llc.iloc[-1]:.1f}"]


if __name__ == "__main__":
    main()
