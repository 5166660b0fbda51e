"""Print λ̂ of deep linear networks beside λ of their rank.

Run it as: python -m benchmarks.linear_networks studies/linear-networks.yaml

For the families of a finished study that are trained: at which steps the rank grows, how often every layer has the rank of the
product, and for each rank λ, m, how many checkpoints were sampled, the mean of λ̂ over them, and E λ̂ at the last of them by Gibbs
sampling at the study's nβ and γ.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

import ontogeny
from benchmarks.accuracy_answers import gibbs_energy
from ontogeny import config
from ontogeny.config.reading import Variant, read_study
from ontogeny.results import Run

SWEEPS = 4000
"""Gibbs sweeps; a tenth is discarded."""
COLUMNS = (
    *("family", "seed", "rank", "from step", "layers agree", "λ", "m"),
    *("checkpoints", "mean λ̂", "at step", "λ̂ there", "exact there", "verdict"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    arguments = parser.parse_args()
    study, variants = read_study(arguments.config)
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for variant in variants:
        if isinstance(variant.family.model, config.Linear) and variant.family.model.start is None:
            for seed in variant.seeds:
                folder = Path(study.results) / variant.family_name / variant.name / f"seed~{seed}"
                for line in rows(variant, seed, ontogeny.load_run(folder)):
                    print(line, flush=True)


def rows(variant: Variant, seed: int, run: Run) -> Iterator[str]:
    """Yield a row for each rank that the run passes through."""
    seen = pd.read_parquet(run.folder / "observables.parquet")
    wide = seen.pivot_table(index="step", columns=["observable", "component"], values="value").sort_index()
    llc = run.llc[run.llc["component"] == ""].set_index("step").sort_index()
    ranks = wide["rank", ""]
    agree = wide["layer_rank"].sub(ranks, axis=0).abs().sum(axis=1)
    for rank in sorted(set(ranks)):
        steps = ranks.index[ranks == rank]
        sampled = llc[llc.index.isin(steps)]
        if sampled.empty:
            continue
        last = sampled.iloc[-1]
        exact, error = exact_llc(variant, run, int(sampled.index[-1]))
        cells = (
            variant.family_name,
            seed,
            f"{rank:g}",
            int(steps[0]),
            f"{(agree.loc[steps] == 0).mean():.0%}",
            f"{wide.loc[steps[0], ('known_llc', '')]:g}",
            f"{wide.loc[steps[0], ('known_multiplicity', '')]:g}",
            len(sampled),
            f"{sampled['llc'].mean():.2f}",
            int(sampled.index[-1]),
            f"{last['llc']:.2f} ± {last['standard_error']:.2f}",
            f"{exact:.2f} ± {error:.2f}",
            last["verdict"],
        )
        yield "| " + " | ".join(map(str, cells)) + " |"


def exact_llc(variant: Variant, run: Run, step: int) -> tuple[float, float]:
    """Return E λ̂ at a checkpoint under the local posterior of the study, and the error it is known to."""
    llc, parameters = variant.family.llc, run.params(step)
    layers = [parameters[f"layers.{i}"] for i in range(len(parameters))]
    assert llc.inverse_temperature is not None
    return gibbs_energy(layers, llc.inverse_temperature, llc.localization, sweeps=SWEEPS, burn_in=SWEEPS // 10)


if __name__ == "__main__":
    main()
