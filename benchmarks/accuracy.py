"""`python -m benchmarks.accuracy`: λ̂ beside the value it ought to have, and whether its error bar covers it.

Every row is a local posterior p(w) ∝ exp(-nβ L(w) - (γ/2)|w - w*|²) sampled by SGLD from many seeds, once with a step size
set by hand and once with `step_size="auto"`. What λ̂ is compared with is one of

- exact: the expectation of chains at the row's own nβ, γ, ε, batch and number of steps;
- Hessian: the same for the quadratic with the spectrum of the Hessian at w*, right to leading order in 1/nβ;
- posterior: the expectation under the local posterior, by quadrature; the step adds a bias that is not known;
- Gibbs: the same by Gibbs sampling, a layer at a time, which knows no step;
- NUTS: the same by the No-U-Turn sampler of BlackJAX, at the toy model of superposition.
"""

import argparse
import json
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import jax
import numpy as np
from scipy.stats import binom

import ontogeny
from benchmarks.accuracy_rows import FAMILIES, Claim, Row

PAGE = Path(__file__).parents[1] / "docs" / "accuracy.md"
LEVELS = (0.95, 0.997)
Step = Literal["hand", "auto", "auto, control variates"]
STEPS: tuple[Step, ...] = get_args(Step)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What all seeds of a row came to.

    `expected` is the mean that estimates ought to have, known to `expected_error`; `posterior` λ̂ under the local
    posterior itself, from which `root_mean_square_error` is taken. `within`: seeds within 1, 2, 3 standard errors of
    `expected`; `inside`: seeds whose intervals of `LEVELS` cover it.
    """

    name: str
    step: Step
    step_size: float
    burn_in: int
    claim: Claim
    parameters: int
    limit: float
    posterior: float
    expected: float
    expected_error: float
    mean: float
    bias: float
    bias_error: float
    standard_error: float
    root_mean_square_error: float
    within: tuple[int, ...]
    inside: tuple[int, ...]
    seeds: int
    dead_chains: int
    verdicts: dict[str, int]
    seconds: float


def calibrated(row: Row) -> Row:
    """The row with the step size that `calibrate` chooses. Burn-in lasts as long as by hand in ε t, or as `calibrate` finds."""
    found = ontogeny.calibrate(
        row.loss,
        stacked(row.checkpoint),
        row.data,
        key=jax.random.key(1_000_003),
        sampler=ontogeny.SGLD(step_size="auto"),
        inverse_temperature=row.n_beta,
        localization=row.localization,
        batch_size=row.batch_size,
        mask=row.mask,
        control_variates=row.control_variates,
    )
    chosen = found.sampler.step_size
    burn_in = max(found.burn_in, round(row.burn_in * max(1.0, row.step_size / chosen)))
    return replace(row, step_size=chosen, burn_in=burn_in)


def prepared(row: Row, step: Step) -> Row:
    """The row with its step set; with control variates it takes half the steps, so as many gradients."""
    if step == "hand":
        return row
    if step == "auto":
        return calibrated(row)
    half = {"draws": row.draws // 2, "burn_in": row.burn_in // 2}
    return calibrated(replace(row, control_variates=True, answer=None, claim="posterior", **half))


def stacked(checkpoint: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf[None], checkpoint)


def key_of(row: Row, step: str, seed: int) -> Any:
    """Rows share no random numbers, so that their coverages are independent and may be pooled."""
    return jax.random.fold_in(jax.random.key(seed), zlib.crc32(f"{row.name}, {step}".encode()))


def estimate(row: Row, key: Any) -> ontogeny.Estimate:
    return ontogeny.estimate_llc(
        row.loss,
        stacked(row.checkpoint),
        row.data,
        key=key,
        sampler=ontogeny.SGLD(step_size=row.step_size),
        inverse_temperature=row.n_beta,
        localization=row.localization,
        chains=row.chains,
        draws=row.draws,
        burn_in=row.burn_in,
        batch_size=row.batch_size,
        mask=row.mask,
        extrapolate=row.extrapolate,
        control_variates=row.control_variates,
    )


def measure(row: Row, step: Step, seeds: int) -> Measured:
    """All seeds of a row, through one compiled program: only the key differs between them."""
    start = time.perf_counter()
    row = prepared(row, step)
    (posterior, _), (expected, expected_error) = row.posterior(), row.expected()
    estimates = [estimate(row, key_of(row, step, seed)) for seed in range(seeds)]
    means, errors = (np.array([getattr(one, name)[0] for one in estimates]) for name in ("mean", "standard_error"))
    deviations = means - expected
    verdicts = [one.verdict[0] for one in estimates]
    return Measured(
        name=row.name,
        step=step,
        step_size=row.step_size,
        burn_in=row.burn_in,
        claim=row.claim,
        parameters=row.parameters,
        limit=float(row.limit),
        posterior=posterior,
        expected=expected,
        expected_error=expected_error,
        mean=float(means.mean()),
        bias=float(deviations.mean()),
        bias_error=float(means.std(ddof=1) / np.sqrt(seeds)) if seeds > 1 else float("nan"),
        standard_error=float(errors.mean()),
        root_mean_square_error=float(np.sqrt(np.mean((means - posterior) ** 2))),
        within=tuple(int(np.sum(np.abs(deviations) <= count * errors)) for count in (1, 2, 3)),
        inside=tuple(covering([one.interval(level) for one in estimates], expected) for level in LEVELS),
        seeds=seeds,
        dead_chains=int(sum(one.dead_chains[0] for one in estimates)),
        verdicts={verdict: verdicts.count(verdict) for verdict in sorted(set(verdicts))},
        seconds=time.perf_counter() - start,
    )


def covering(intervals: Sequence[tuple[np.ndarray, np.ndarray]], value: float) -> int:
    return sum(bool(low[0] <= value <= high[0]) for low, high in intervals)


def band(seeds: int, level: float) -> tuple[int, int]:
    """Where 99% of counts lie if every interval covers with probability `level`."""
    low, high = binom.interval(0.99, seeds, level)
    return int(low), int(high)


def pooled(measured: Sequence[Measured]) -> list[dict[str, Any]]:
    """Coverage over all seeds of the rows, by what they are compared with and how the step was set, and of all rows."""
    rows = []
    for claims in (("exact",), ("Hessian",), ("posterior", "Gibbs", "NUTS"), get_args(Claim)):
        for step in STEPS:
            chosen = [one for one in measured if one.claim in claims and one.step == step]
            seeds = sum(one.seeds for one in chosen)
            for place, level in enumerate(LEVELS if seeds else ()):
                count, (low, high) = sum(one.inside[place] for one in chosen), band(seeds, level)
                told = {"claim": "all" if claims == get_args(Claim) else ", ".join(claims), "step": step, "level": level}
                rows.append({**told, "seeds": seeds, "inside": count, "low": low, "high": high, "holds": low <= count <= high})
    return rows


HEADER = (
    "row", "compared with", "step", "ε", "d", "λ", "posterior", "expected", "±", "mean", "bias", "± of bias", "error", "RMSE",
    "in 1", "in 2", "in 3", "t 95", "t 99.7", "seeds", "dead", "not ok", "s",
)  # fmt: skip


def cells(one: Measured) -> list[str]:
    """A line of the table; errors, bias and RMSE in percent of the expected value."""
    share = [f"{100 * count / one.seeds:.0f}" for count in (*one.within, *one.inside)]
    parts = (one.bias, one.bias_error, one.standard_error, one.root_mean_square_error)
    percent = [f"{100 * value / one.expected:.2f}" for value in (one.expected_error, *parts)]
    return [
        one.name, one.claim, one.step, f"{one.step_size:.2g}", str(one.parameters), f"{one.limit:.4g}", f"{one.posterior:.4g}",
        f"{one.expected:.4g}", percent[0], f"{one.mean:.4g}", *percent[1:], *share, str(one.seeds), str(one.dead_chains),
        str(one.seeds - one.verdicts.get("ok", 0)), f"{one.seconds:.0f}",
    ]  # fmt: skip


def markdown(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = ["---"] * len(header)
    return "\n".join("| " + " | ".join(line) + " |" for line in (header, rule, *lines))


def page(measured: Sequence[Measured], command: str) -> str:
    """docs/accuracy.md."""
    bands = [
        [one["claim"], one["step"], f"{one['level']:.1%}", f"{one['inside']} of {one['seeds']}",
         f"{one['low']} to {one['high']}", "yes" if one["holds"] else "no"]
        for one in pooled(measured)
    ]  # fmt: skip
    return TEXT.format(
        command=command,
        minutes=sum(one.seconds for one in measured) / 60,
        rows=markdown(HEADER, [cells(one) for one in measured]),
        bands=markdown(("compared with", "step", "level", "inside", "band of 99%", "holds"), bands),
        summary=summary(measured),
    )


TEXT = """# λ̂ beside exact answers

Written by `{command}` in {minutes:.0f} minutes. The error of the expected value (±), the bias, its own uncertainty, the mean
standard error and the root-mean-square error (RMSE) are in percent of the expected value. The columns `in 1, 2, 3` (standard
errors) and `t` (intervals of 95% and 99.7% by Student's t) hold the percentage of seeds that cover it; `dead` counts chains,
`not ok` the seeds whose verdict is not `ok`.

`posterior` is λ̂ under the local posterior, and the RMSE is taken from that: a step by hand and `auto` may be compared by it.
`expected` is what the mean ought to be: for `exact` rows the expectation of chains at their own nβ, γ, ε, batch and steps, for
`Hessian` rows the same with the Hessian's spectrum, which holds to leading order; `posterior` (quadrature), `Gibbs` (Gibbs
sampling) and `NUTS` rows expect the posterior's value, and the bias of the step counts against them.

{rows}

## Pooled coverage

{bands}

{summary}
"""


def summary(measured: Sequence[Measured]) -> str:
    """How `auto` does beside the step by hand, and control variates beside `auto`."""
    sentences = []
    for step, other in (("auto", "hand"), ("auto, control variates", "auto")):
        errors = {one.name: one.root_mean_square_error for one in measured if one.step == other}
        ratios = {one.name: one.root_mean_square_error / errors[one.name] for one in measured if one.step == step}
        if ratios:
            mean = np.exp(np.mean(np.log(list(ratios.values()))))
            worst = max(ratios, key=lambda name: ratios[name])
            sentences.append(
                f"RMSE of `{step}` over that of `{other}`, geometric mean over {len(ratios)} rows: {mean:.2f}; the largest is "
                f"{ratios[worst]:.2f} ({worst})."
            )
    return "\n".join(sentences)


def selected(only: str, seeds: int | None, steps: Sequence[Step]) -> Iterator[tuple[Row, Step, int]]:
    """The rows whose names contain `only`, each with its ways to set the step and its number of seeds."""
    for family in FAMILIES:
        for row in family():
            if only in row.name:
                for step in steps:
                    if row.batch_size or step != "auto, control variates":
                        yield row, step, seeds or row.seeds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--seeds", type=int, help="of every row; 200 on quadratics, 20 on others and 3 at 1e5 parameters if not given"
    )
    parser.add_argument("--only", default="", metavar="PATTERN", help="rows whose names contain this")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=STEPS)
    parser.add_argument(
        "--output", type=Path, help="write the results here as JSON, after every row; rows that it has are not measured again"
    )
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.parent.name}/{PAGE.name}")
    arguments = parser.parse_args()
    there = arguments.output and arguments.output.exists()
    kept = {(one["name"], one["step"]): Measured(**one) for one in (json.loads(arguments.output.read_text()) if there else ())}
    measured: list[Measured] = []
    print(" ".join(HEADER))
    for row, step, seeds in selected(arguments.only, arguments.seeds, arguments.steps):
        measured.append(kept.get((row.name, step)) or measure(row, step, seeds))
        print("  ".join(cells(measured[-1])), flush=True)
        if arguments.output:
            arguments.output.write_text(json.dumps([vars(one) for one in measured], indent=2) + "\n")
    for one in pooled(measured):
        print(one)
    print(summary(measured))
    if arguments.write:
        PAGE.write_text(page(measured, "python -m benchmarks.accuracy"))


if __name__ == "__main__":
    main()
