"""`python -m benchmarks.detection_runs RESULTS`: detection on runs whose transitions are known from something else.

RESULTS is the folder of a finished study, made to be studies/transitions.yaml. What happened is read off one exact or behavioural
curve, without any detection: the exact loss passing from one level of the table of polygons to the next, the largest
prefix-matching score passing .3, held-out accuracy passing .5, the numerical rank growing. What is claimed are the candidates
with the name of that development. Found: an event that lies within such a candidate, a checkpoint spacing and a half given;
right: a candidate that holds such an event. The same is asked of λ̂ of the whole network alone, whose candidates have no name.

Negative controls: runs that cannot make a transition (one layer, no weight decay) must have no candidate of that name; λ̂ of one
checkpoint sampled again and again, each time with another key, and λ̂ of a quiet stretch in shuffled order must not be flagged.
"""

import argparse
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import ontogeny
from ontogeny.config.observables import built_in_cards, repeated_on
from ontogeny.jobs.detect import chains_of
from ontogeny.transitions.candidates import candidates, evidence_of
from ontogeny.transitions.matching import Interval
from ontogeny.transitions.records import Candidate, Evidence

SPACINGS = 1.5
REPEATS, REPEATED_CURVES = 40, 100
LEVELS = {"4": 1 / 9, "4+": 0.104167, "4++": 0.097222, "5": 0.068744, "5+": 0.061799, "6": 0.048192}
"""Exact losses of the critical points of the toy model with six features (Chen et al. 2023)."""

Run = tuple[pd.DataFrame, Sequence[Candidate], Sequence[Evidence]]
"""The trajectory, the candidates, and those of λ̂ alone."""


def curve(table: pd.DataFrame, observable: str) -> tuple[np.ndarray, np.ndarray]:
    """The steps, and an observable at each: the largest over its components."""
    largest = pd.DataFrame(table[table["observable"] == observable]).groupby("step", as_index=False).agg({"value": "max"})
    return largest["step"].to_numpy(float), largest["value"].to_numpy(float)


def passes(table: pd.DataFrame, observable: str, threshold: float) -> list[float]:
    """Where an observable goes above a threshold for good: halfway, in log step, between two checkpoints."""
    steps, values = curve(table, observable)
    below = np.flatnonzero(values < threshold)
    if not len(below) or below[-1] == len(values) - 1:
        return []
    return [between(steps, int(below[-1]))]


def between(steps: np.ndarray, place: int) -> float:
    return float(np.expm1(np.log1p(steps[place : place + 2]).mean()))


def polygons(table: pd.DataFrame) -> list[float]:
    """Where the exact loss goes over from the levels of a k-gon to those of a (k+1)-gon."""
    steps, losses = curve(table, "population_loss")
    names = np.array([name[0] for name in LEVELS])
    nearest = names[np.abs(losses[:, None] - np.array(list(LEVELS.values()))).argmin(axis=1)]
    return [between(steps, place) for place in np.flatnonzero(nearest[1:] > nearest[:-1]).tolist()]


def ranks(table: pd.DataFrame) -> list[float]:
    steps, values = curve(table, "rank")
    return [between(steps, place) for place in np.flatnonzero(np.diff(values) > 0).tolist()]


DEVELOPMENTS: dict[str, tuple[str, Callable[[pd.DataFrame], list[float]]]] = {
    "superposition": (r"\d-gon → \d-gon", polygons),
    "induction": ("induction-head formation", lambda table: passes(table, "prefix_matching_score", 0.3)),
    "modular_addition": ("generalisation", lambda table: passes(table, "evaluation_accuracy", 0.5)),
    "deep_linear": (r"rank \d → \d", ranks),
}
"""Family -> what its transitions are called, and where they are known to lie."""


def runs_of(results: Path, family: str) -> Iterator[tuple[str, Path]]:
    for folder in sorted(results.glob(f"{family}/*/seed~*")):
        if (folder / "trajectory.parquet").is_file():
            yield folder.parent.name, folder


def detected(folder: Path) -> Run:
    """The trajectory of a run, its candidates as the pipeline finds them, by the code as it is now, and what λ̂ alone shows."""
    table = pd.read_parquet(folder / "trajectory.parquet")
    chains = chains_of(pd.read_parquet(folder / "llc.parquet"))
    criteria = folder / "information.parquet"
    made_of_draws = list(pd.read_parquet(criteria).columns) if criteria.is_file() else []
    left_out = [*made_of_draws, *repeated_on(built_in_cards())]
    independent = pd.DataFrame(table[~table["observable"].isin(left_out)])
    found = ontogeny.detect_transitions(independent, chains=chains)
    alone = ontogeny.detect_transitions(table, observables=["llc"], chains=chains)
    of_llc = [passage for passage in evidence_of(alone, ["candidate"]) if not passage.component]
    return table, candidates(table, found, chains=chains).candidates, of_llc


def holds(candidate: Interval, event: float, spacing: float) -> bool:
    low, high = np.log1p([candidate.start, candidate.end])
    return bool(low - SPACINGS * spacing <= np.log1p(event) <= high + SPACINGS * spacing)


def score(run: Run, family: str) -> dict[str, int]:
    """Events and those found, named candidates and those that are right, other candidates; and the same of λ̂ alone."""
    table, found, alone = run
    name, truth = DEVELOPMENTS[family]
    steps = np.log1p(np.unique(table["step"]))
    events, named = truth(table), [one for one in found if re.fullmatch(name, one.name)]

    def spacing(event: float) -> float:
        after = min(max(int(np.searchsorted(steps, np.log1p(event))), 1), len(steps) - 1)
        return float(steps[after] - steps[after - 1])

    return {
        "events": len(events),
        "found": sum(any(holds(one, event, spacing(event)) for one in named) for event in events),
        "named": len(named),
        "right": sum(any(holds(one, event, spacing(event)) for event in events) for one in named),
        "others": len(found) - len(named),
        "llc_found": sum(any(holds(one, event, spacing(event)) for one in alone) for event in events),
        "llc_candidates": len(alone),
        "llc_right": sum(any(holds(one, event, spacing(event)) for event in events) for one in alone),
    }


def repeated_checkpoint() -> list[bool]:
    """Whether λ̂ of one 5-gon, estimated again and again with other keys as though along a run, is flagged."""
    import jax

    from benchmarks.speed_jax import examples_last
    from benchmarks.speed_workloads import problem
    from ontogeny.models.superposition import polygon

    weight, bias = polygon(5, 6, dead_bias=-1.0)
    checkpoint = {"weight": weight[None], "bias": bias[None]}
    data = problem("tms")[1]
    options: dict[str, Any] = {"sampler": ontogeny.SGLD(step_size=1e-3), "localization": 10.0, "chains": 8, "draws": 400}
    flagged = []
    for number in range(REPEATED_CURVES):
        keys = jax.random.split(jax.random.key(number), REPEATS)
        found = [ontogeny.estimate_llc(examples_last, checkpoint, data, key=key, burn_in=100, **options) for key in keys]
        rows = {"step": 100 * np.arange(REPEATS), "observable": "llc", "component": "", "verdict": "ok"}
        table = pd.DataFrame(rows).assign(
            value=[one.mean[0] for one in found], standard_error=[one.standard_error[0] for one in found]
        )
        flagged.append(is_flagged(table, np.concatenate([one.per_chain for one in found])))
    return flagged


def is_flagged(llc: pd.DataFrame, chains: np.ndarray) -> bool:
    """Whether λ̂ alone, with its chains [K, C] in the order of its rows, has a candidate."""
    return bool((ontogeny.detect_transitions(llc, chains={("llc", ""): chains})["decision"] == "candidate").any())


def shuffled_plateaus(results: Path, shuffles: int = 5) -> list[bool]:
    """Whether λ̂ of the superposition runs that stay where they are, in shuffled order, is flagged."""
    generator = np.random.default_rng(0)
    flagged = []
    for _, folder in runs_of(results, "superposition"):
        table = pd.read_parquet(folder / "trajectory.parquet")
        llc = pd.DataFrame(table[(table["observable"] == "llc") & (table["component"] == "")]).sort_values(by="step")
        quiet = np.asarray((llc["verdict"] == "ok") & (llc["step"] > llc["step"].max() / 5))
        usable, chains = pd.DataFrame(llc[quiet]), chains_of(pd.read_parquet(folder / "llc.parquet"))["llc", ""][quiet]
        if polygons(table) or len(usable) < 12:
            continue
        for _ in range(shuffles):
            order = generator.permutation(len(usable))
            mixed = usable.assign(**{name: usable[name].to_numpy()[order] for name in ("value", "standard_error")})
            flagged.append(is_flagged(mixed, chains[order]))
    return flagged


def table_of(results: Path) -> list[dict[str, Any]]:
    """A row for every variant of every family that the results have."""
    rows = []
    for family, (name, _) in DEVELOPMENTS.items():
        scores: dict[str, list[dict[str, int]]] = {}
        for variant, folder in runs_of(results, family):
            scores.setdefault(variant, []).append(score(detected(folder), family))
        for variant, found in scores.items():
            sums = {key: sum(one[key] for one in found) for key in found[0]}
            rows.append({"family": family, "variant": variant, "name": name, "runs": len(found), **sums})
            print(rows[-1], flush=True)
    return rows


def page(rows: list[dict[str, Any]], controls: dict[str, list[bool]]) -> str:
    columns = ("runs", "events", "found", "named", "right", "others", "llc_found", "llc_candidates", "llc_right")
    lines = [
        "| runs | variant | seeds | known events | found | candidates named so | right | other candidates "
        "| found by λ̂ alone | candidates of λ̂ alone | right |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in rows:
        counts = " | ".join(str(one[key]) for key in columns)
        lines.append(f"| {one['family']} | {one['variant']} | {counts} |")
    sums = {key: sum(one[key] for one in rows) for key in columns}
    whole = {"found": "events", "right": "named", "llc_found": "events", "llc_right": "llc_candidates"}
    told = [
        f"{sums[key]} ({100 * sums[key] / sums[whole[key]]:.0f}%)" if sums.get(whole.get(key, ""), 0) else str(sums[key])
        for key in columns
    ]
    lines.append(f"| all | | {' | '.join(told)} |")
    lines += ["", "| negative control | curves | flagged |", "|---|---|---|"]
    lines += [f"| {name} | {len(flags)} | {sum(flags)} |" for name, flags in controls.items()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="such as results/studies/transitions")
    parser.add_argument("--output", type=Path, help="write the rows here as JSON")
    arguments = parser.parse_args()
    rows = table_of(arguments.results)
    if not rows:
        parser.error(f"{arguments.results} holds no run of {', '.join(DEVELOPMENTS)}")
    controls = {
        "one checkpoint sampled with independent keys": repeated_checkpoint(),
        "a quiet stretch in shuffled order": shuffled_plateaus(arguments.results),
    }
    if arguments.output:
        arguments.output.write_text(json.dumps({"runs": rows, "controls": controls}, indent=1) + "\n")
    print(page(rows, controls))


if __name__ == "__main__":
    main()
