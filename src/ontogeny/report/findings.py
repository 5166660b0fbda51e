"""Say what was found in a family: one transition a sentence, the variants against each other."""

from collections.abc import Mapping
from dataclasses import dataclass

from ontogeny.report.agreement import sureness
from ontogeny.report.labels import capital, listed
from ontogeny.report.numbers import number
from ontogeny.report.places import called, spelt
from ontogeny.report.tables import FamilySummary
from ontogeny.report.words import counted, is_named
from ontogeny.transitions.records import UNNAMED, Agreement, Consensus

DIGITS = 3


@dataclass(frozen=True)
class Finding:
    """What the seeds of a family's variants say of one named transition.

    Attributes:
        rows: variant -> what its seeds agree on; a variant without the transition is missing.
        seeds: variant -> how many seeds were compared.
    """

    name: str
    rows: Mapping[str, Agreement]
    seeds: Mapping[str, int]

    @property
    def shares(self) -> list[float]:
        """The share of the seeds that make the transition, for each variant."""
        return [len(self.rows[variant].seeds) / of if variant in self.rows else 0.0 for variant, of in self.seeds.items()]

    @property
    def contrast(self) -> float:
        """How far apart the variants are in how many of their seeds make the transition."""
        return max(self.shares) - min(self.shares)

    @property
    def q_value(self) -> float:
        """The largest q of a seed that makes the transition."""
        return max((each.q_value for row in self.rows.values() for each in row.certainties), default=1.0)


def findings(consensus: Mapping[str, Consensus]) -> list[Finding]:
    """Return the named transitions: those that tell variants apart first, then those that most seeds make, then the surest."""
    seeds = {variant: len(of_variant.seeds) for variant, of_variant in consensus.items()}
    rows: dict[str, dict[str, Agreement]] = {}
    for variant, of_variant in consensus.items():
        for row in of_variant.transitions:
            rows.setdefault(row.name, {})[variant] = row
    found = [Finding(name, by_variant, seeds) for name, by_variant in rows.items() if name != UNNAMED]
    return sorted(found, key=lambda each: (-each.contrast * max(each.shares), -max(each.shares), each.q_value, -sum(each.shares)))


def family_findings(family: FamilySummary) -> list[str]:
    """Return a sentence for each named transition of a family, the one that says most first; where there is none, it says so."""
    if not family.runs:
        return ["No run of this family is there yet."]
    if not family.consensus:
        return ["The transitions of its seeds have not been compared."]
    found = findings(family.consensus)
    if found:
        return [sentence(each) for each in found]
    unnamed = unnamed_count(family.consensus)
    none = "No named transition" if unnamed else "No transition"
    besides = f"; {counted(unnamed, 'unnamed one')}" if unnamed else ""
    return [f"{none} in {counted(len(family.runs), 'run')}{besides}."]


def unnamed_count(consensus: Mapping[str, Consensus]) -> int:
    return sum(not is_named(row) for of_variant in consensus.values() for row in of_variant.transitions)


def sentence(found: Finding) -> str:
    """Return what was found of a transition: 'Induction-head formation: layers = 2 near step 967 in 3 of 3 seeds …; layers = 1
    in none of 3 seeds.'"""
    several = len(found.seeds) > 1
    ordered = sorted(found.rows, key=lambda variant: -len(found.rows[variant].seeds) / found.seeds[variant])
    parts = [in_variant(found.rows[variant], variant_in_words(variant) if several else "") for variant in ordered]
    never = [variant_in_words(variant) for variant in found.seeds if variant not in found.rows]
    if never:
        parts.append(f"{listed(never)} {seeds_without(found)}")
    return f"{capital(found.name)}: {'; '.join(parts)}."


def seeds_without(found: Finding) -> str:
    """Say in how many seeds of the variants without the transition it was looked for: 'in none of 3 seeds'."""
    return f"in none of {counted(sum(of for variant, of in found.seeds.items() if variant not in found.rows), 'seed')}"


def in_variant(row: Agreement, variant: str) -> str:
    """Return where and in how many seeds a variant makes a transition, and how sure these are."""
    sure = sureness(row)
    where = f"{variant} near {called(rounded(row.location_median))}".strip()
    return f"{where} in {len(row.seeds)} of {counted(row.of, 'seed')}{f' ({sure})' if sure else ''}"


def rounded(location: float) -> str:
    """Return a step to three digits: 115,000."""
    return spelt(float(f"{location:.{DIGITS}g}")) if location >= 1 else number(location)


def variant_in_words(variant: str) -> str:
    """Return the name of a variant as it is read: 'layers~2,width~32' -> 'layers = 2, width = 32'."""
    return variant.replace(",", ", ").replace("~", " = ")
