"""From a study to its jobs: blocks of seeds, the files that jobs declare, and what each job depends on.

A job takes a block of seeds of one variant, aligned on `seed // seeds_per_job`, so that the seeds of a small model share one
start-up and one compiled program. Snakemake compares a job's specification as text and reruns the job when it changes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ontogeny.config.cards import ModelSection
from ontogeny.config.job_names import KINDS
from ontogeny.config.reading import Variant
from ontogeny.config.study import Study
from ontogeny.pipeline import specifications
from ontogeny.pipeline.fingerprint import canonical_json


@dataclass(frozen=True)
class Block:
    """The seeds of a variant that one job takes.

    Attributes:
        lanes: all seeds that the block may hold; a seed's numbers depend on them, and not on which are listed.
        seeds: those that config.yaml lists.
    """

    name: str
    lanes: tuple[int, ...]
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """A study, the folder of its config, and what Snakemake asks of it."""

    study: Study
    variants: tuple[Variant, ...]
    base: Path

    @cached_property
    def by_name(self) -> Mapping[tuple[str, str], Variant]:
        return {(variant.family_name, variant.name): variant for variant in self.variants}

    @cached_property
    def by_family(self) -> Mapping[str, list[Variant]]:
        return {family: [variant for variant in self.variants if variant.family_name == family] for family in self.study.families}

    def variant(self, family: str, variant: str) -> Variant:
        return self.by_name[family, variant]

    def folder(self, variant: Variant) -> str:
        return f"{self.study.results}/{variant.family_name}/{variant.name}"

    def manifests(self, variant: Variant, kind: str) -> list[str]:
        """Return the declared outputs of a kind of job over all blocks of a variant."""
        return [f"{self.folder(variant)}/jobs/{block.name}/{kind}.json" for block in blocks(variant)]

    def first_manifest(self, variant: Variant, kind: str) -> str:
        """Return the declared output for the block of the first listed seed, which calibration uses."""
        return f"{self.folder(variant)}/jobs/{first_block(variant).name}/{kind}.json"

    def phases(self, family: str) -> list[str]:
        """Return the results of the variants of a family whose whole posterior is sampled; none for most families."""
        return [f"{self.folder(variant)}/phases.json" for variant in self.by_family[family] if variant.family.phases is not None]

    def along(self, family: str) -> list[str]:
        """Return the declared output of the trajectories of a family along a swept key; none for most families."""
        return [f"{self.study.results}/{family}/along/consensus.json"] if self.study.families[family].along else []

    def specification(self, kind: str, family: str = "", variant: str = "", block: str = "") -> str:
        """Return the canonical JSON of all that a job depends on."""
        chosen = self.variant(family, variant) if variant else None
        members = (
            next((candidate for candidate in blocks(chosen) if candidate.name == block), first_block(chosen)) if chosen else None
        )
        selected = specifications.Selected(self.study, self.by_family, self.base, family, chosen, members)
        return canonical_json(specifications.specification(KINDS[kind], selected))

    def specification_file(self, kind: str, family: str = "", variant: str = "", block: str = "") -> str:
        """Return where the specification of a job is written, relative to the results: beside the job's log."""
        folder = "/".join(part for part in (family or "report", variant and f"{variant}/jobs", block) if part)
        return f"{folder}/{kind}.specification.json"


def seeds_per_job(variant: Variant) -> int:
    """Return how many seeds share a job: what the family says, else what suits its model; one for a user's own model."""
    model = variant.family.model
    return variant.family.seeds_per_job or (model.seeds_per_job if isinstance(model, ModelSection) else 1)


def blocks(variant: Variant) -> list[Block]:
    """Return the blocks of a variant's seeds. A block's name and lanes do not depend on which of its seeds are listed."""
    size = seeds_per_job(variant)
    members: dict[int, list[int]] = {}
    for seed in sorted(variant.seeds):
        members.setdefault(seed // size * size, []).append(seed)
    return [make_block(start, size, seeds) for start, seeds in members.items()]


def first_block(variant: Variant) -> Block:
    """Return the block of the first listed seed."""
    return next(block for block in blocks(variant) if variant.seeds[0] in block.seeds)


def make_block(start: int, size: int, seeds: Iterable[int]) -> Block:
    name = f"seed~{start}" if size == 1 else f"seeds~{start}-{start + size - 1}"
    return Block(name, tuple(range(start, start + size)), tuple(seeds))
