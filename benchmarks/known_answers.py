"""Print λ̂ of a finished study beside exact values.

Run it as: python -m benchmarks.known_answers studies/known-answers.yaml

Each row is a point of known learning coefficient λ and multiplicity m, of a family whose model has a `start`. `exact` is E λ̂
under the local posterior at the study's nβ and γ: by quadrature for polynomials, by Gibbs sampling without a step size for linear
networks, with its error. `chains` is λ̂ of the study at the first checkpoint, `apart` their distance in errors of both.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import ontogeny
from benchmarks.accuracy_answers import gibbs_energy
from ontogeny import config
from ontogeny.config.reading import Variant, read_study
from ontogeny.results import Run
from ontogeny.theory.linear_networks import aoyagi
from ontogeny.theory.polynomials import expected_llc, learning_coefficient

SWEEPS = 20_000
"""Gibbs sweeps of linear networks; a tenth is discarded."""


@dataclass(frozen=True)
class Known:
    """What is known of a point: λ, its multiplicity, and E λ̂ at the study's nβ and γ with the error it is known to."""

    limit: float
    multiplicity: int
    exact: float
    error: float = 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    arguments = parser.parse_args()
    study, variants = read_study(arguments.config)
    print("| family | variant | component | nβ | γ | λ | m | exact | chains | apart | verdict |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for line in rows(Path(study.results), variants):
        print(line, flush=True)


def rows(results: Path, variants: tuple[Variant, ...]) -> Iterator[str]:
    for variant in variants:
        if getattr(variant.family.model, "start", None) is None:
            continue
        run = ontogeny.load_run(results / variant.family_name / variant.name / f"seed~{variant.seeds[0]}")
        first = run.llc[run.llc["step"] == run.steps[0]].set_index("component")
        answers = known_answers(variant, run)
        for component, found in first.iterrows():
            yield row(variant, str(component), found, answers[str(component)])


def row(variant: Variant, component: str, found: pd.Series, known: Known) -> str:
    llc = variant.family.llc
    error = np.hypot(found["standard_error"], known.error)
    cells = (
        variant.family_name,
        variant.name,
        component or "all",
        f"{llc.inverse_temperature:g}",
        f"{llc.localization:g}",
        f"{known.limit:.4g}",
        known.multiplicity,
        f"{known.exact:.4f}" + (f" ± {known.error:.4f}" if known.error else ""),
        f"{found['llc']:.4f} ± {found['standard_error']:.4f}",
        f"{(found['llc'] - known.exact) / error:+.1f}",
        found["verdict"],
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def known_answers(variant: Variant, run: Run) -> dict[str, Known]:
    """Return what is known of the first checkpoint of a run, by component; "" is the whole network.

    Raises:
        ValueError: the model is neither a polynomial with a start nor a linear network with one.
    """
    model, llc = variant.family.model, variant.family.llc
    assert llc.inverse_temperature is not None
    parameters = run.params(run.steps[0])
    if isinstance(model, config.PolynomialModel) and model.start is not None:
        centers = [parameters[f"factors.{j}"].tolist() for j in range(len(model.exponents))]
        parts = {"": slice(None)} | {f"factors.{j}": slice(j, j + 1) for j in range(len(centers))}
        return {
            name: Known(
                *learning_coefficient(model.exponents[part], model.start[part]),
                expected_llc(model.exponents[part], centers[part], llc.inverse_temperature, llc.localization),
            )
            for name, part in parts.items()
        }
    if isinstance(model, config.Linear) and model.start is not None:
        layers = [parameters[f"layers.{i}"] for i in range(len(model.hidden) + 1)]
        widths = [layers[0].shape[1], *(layer.shape[0] for layer in layers)]
        exact, error = gibbs_energy(layers, llc.inverse_temperature, llc.localization, sweeps=SWEEPS, burn_in=SWEEPS // 10)
        return {"": Known(*aoyagi(widths, model.start.rank), exact, error)}
    raise ValueError(f"{variant.family_name}: the model has no start of known learning coefficient")


if __name__ == "__main__":
    main()
