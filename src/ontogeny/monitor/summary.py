"""The last lines of a run: what was found, which runs failed their checks, the page, the cost."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.parquet

from ontogeny.config.reading import Variant
from ontogeny.errors import SpecificationError
from ontogeny.pipeline.files import ResultError
from ontogeny.pipeline.plan import Plan
from ontogeny.report.numbers import step
from ontogeny.transitions.records import UNNAMED, Agreement, Consensus, read_record

MOST_FAMILIES, MOST_RUNS = 3, 4


def found(plan: Plan, families: Sequence[str]) -> Iterator[str]:
    """Yield a line for each of the first families: its named transitions, where they lie, and in how many seeds."""
    for family in families[:MOST_FAMILIES]:
        variants = plan.by_family[family]
        tell = [f"{f'{variant.name}: ' if len(variants) > 1 else ''}{transitions(plan, variant)}" for variant in variants]
        yield f"{family}: {'; '.join(tell)}"
    if len(families) > MOST_FAMILIES:
        yield f"and {len(families) - MOST_FAMILIES} more families: see the page"


def transitions(plan: Plan, variant: Variant) -> str:
    """Return the named transitions of a variant in words; how many have no name where none has one."""
    try:
        consensus = read_record(Consensus, Path(plan.folder(variant)) / "consensus.json")
    except (ResultError, SpecificationError):
        return "not finished"
    named = [each for each in consensus.transitions if each.name != UNNAMED]
    if named:
        return ", ".join(in_words(each, consensus.axis.name) for each in named)
    unnamed = len(consensus.transitions)
    return f"no named transition, {unnamed} unnamed" if unnamed else "no transition"


def in_words(each: Agreement, axis: str) -> str:
    return f"{each.name} near {axis} {step(each.location_median)} in {len(each.seeds)} of {each.of} seeds"


def checks(plan: Plan, families: Sequence[str]) -> str:
    """Return the share of checkpoints whose λ̂ passes its checks, and the runs of which most checkpoints fail."""
    shares = {
        f"{family}/{variant.name}/seed~{seed}": passing(Path(plan.folder(variant)) / f"seed~{seed}" / "health.parquet")
        for family in families
        for variant in plan.by_family[family]
        for seed in variant.seeds
    }
    measured = {run: share for run, share in shares.items() if share[1]}
    if not measured:
        return "checks: no λ̂ was measured"
    ok, of = (sum(counts) for counts in zip(*measured.values(), strict=True))
    failed = [f"{run} ({passed} of {total} pass)" for run, (passed, total) in measured.items() if 2 * passed < total]
    head = f"checks: λ̂ passes at {ok} of {of} checkpoints"
    if not failed:
        return f"{head}; in every run at most of them" if len(measured) > 1 else head
    more = f" and {len(failed) - MOST_RUNS} more" if len(failed) > MOST_RUNS else ""
    return f"{head}; most fail in {', '.join(failed[:MOST_RUNS])}{more}"


def passing(health: Path) -> tuple[int, int]:
    """Return how many checkpoints of a run pass, and how many there are; 0 of 0 where the file cannot be read."""
    try:
        table = pyarrow.parquet.read_table(health, columns=["component", "verdict"])
    except (OSError, ValueError):
        return 0, 0
    network = [row["verdict"] for row in table.to_pylist() if not row["component"]]
    return network.count("ok"), len(network)


def page(plan: Plan, families: Sequence[str]) -> Path:
    """Return the page to open: the index, or that of the only family where the index was not asked for."""
    results = Path(plan.study.results)
    index = results / "report" / "index.html"
    return index if index.is_file() or len(families) != 1 else results / families[0] / "report.html"
