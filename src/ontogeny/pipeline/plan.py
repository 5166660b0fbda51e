"""From a study to its jobs: blocks of seeds, their paths, and each stage's specification as canonical JSON.

A job takes a block of seeds of one variant, aligned on `seed // seeds_per_job`, so that the seeds of a small model
share one start-up and one compiled program. Snakemake compares a job's parameters as text; they hold exactly what the
stage depends on, and the digest of the code that it runs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ontogeny.config import OBSERVABLES, ModelSection, SparseFeatures
from ontogeny.config.observables import cards, labels_on, rules_on
from ontogeny.config.reading import Variant, corpora, corpus_files, is_file_corpus, user_kinds
from ontogeny.config.study import Study
from ontogeny.pipeline.fingerprint import (
    PACKAGE,
    canonical_json,
    code_digest,
    code_file_digest,
    digest,
    file_digest,
    folder_digest,
)


@dataclass(frozen=True)
class Block:
    """The seeds of a variant that one job takes."""

    name: str
    lanes: tuple[int, ...]
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """A study, where its config lies, and all that Snakemake asks of it."""

    study: Study
    variants: tuple[Variant, ...]
    base: Path

    @cached_property
    def by_name(self) -> Mapping[tuple[str, str], Variant]:
        return {(variant.family_name, variant.name): variant for variant in self.variants}

    def variant(self, family: str, variant: str) -> Variant:
        return self.by_name[family, variant]

    def folder(self, variant: Variant) -> str:
        return f"{self.study.results}/{variant.family_name}/{variant.name}"

    def variants_of(self, family: str) -> list[Variant]:
        return [variant for variant in self.variants if variant.family_name == family]

    def manifests(self, variant: Variant, stage: str) -> list[str]:
        """The declared outputs of a stage over all blocks of a variant."""
        return [f"{self.folder(variant)}/jobs/{block.name}/{stage}.json" for block in blocks(variant)]

    def posteriors(self, family: str) -> list[str]:
        """The results of the variants of a family whose whole posterior is sampled; none for most families."""
        variants = self.variants_of(family)
        return [f"{self.folder(variant)}/phases.json" for variant in variants if variant.family.phases is not None]

    def first_manifest(self, variant: Variant, stage: str) -> str:
        """The declared output of a stage for the block of the first listed seed, which calibration is made on."""
        return f"{self.folder(variant)}/jobs/{first_block(variant).name}/{stage}.json"

    def specification(self, stage: str, family: str, variant: str = "", block: str = "") -> str:
        """The canonical JSON of what a job of a stage depends on."""
        return canonical_json(SPECIFICATIONS[stage](self, family, variant, block))

    def specification_file(self, stage: str, family: str = "", variant: str = "", block: str = "") -> str:
        """Return where the specification of a job is written, relative to the results: beside the job's log."""
        folder = "/".join(part for part in (family or "report", variant and f"{variant}/jobs", block) if part)
        return f"{folder}/{stage}.specification.json"


def seeds_per_job(variant: Variant) -> int:
    """Return how many seeds share a job: what the family says, else what suits its model; one for a user's own model."""
    model = variant.family.model
    return variant.family.seeds_per_job or (model.seeds_per_job if isinstance(model, ModelSection) else 1)


def blocks(variant: Variant) -> list[Block]:
    """The blocks of a variant's seeds. A block's name and lanes do not depend on which of its seeds are listed."""
    size = seeds_per_job(variant)
    members: dict[int, list[int]] = {}
    for seed in sorted(variant.seeds):
        members.setdefault(seed // size * size, []).append(seed)
    return [make_block(start, size, seeds) for start, seeds in members.items()]


def first_block(variant: Variant) -> Block:
    """The block of the first listed seed, which calibration is made on."""
    return next(block for block in blocks(variant) if variant.seeds[0] in block.seeds)


def make_block(start: int, size: int, seeds: Iterable[int]) -> Block:
    name = f"seed~{start}" if size == 1 else f"seeds~{start}-{start + size - 1}"
    return Block(name, tuple(range(start, start + size)), tuple(seeds))


def problem_part(plan: Plan, variant: Variant) -> dict[str, Any]:
    """Task and network, as every stage that computes with them needs them."""
    family = variant.family
    return {
        "task": family.task.model_dump(mode="json"),
        "model": family.model.model_dump(mode="json"),
        "files": user_files(plan, variant),
    }


def user_files(plan: Plan, variant: Variant) -> dict[str, str]:
    """Digests of the user's files that the task and the model are made of."""
    family = variant.family
    kinds = [kind for key, kind in user_kinds(family) if not key.startswith("observables")]
    files = {kind: code_file_digest(plan.base / kind.rpartition(":")[0]) for kind in kinds}
    return files | corpus_digests(plan, variant, "task.")


def corpus_digests(plan: Plan, variant: Variant, section: str) -> dict[str, str]:
    """Path -> digest, of the files of the corpora that a section of the family names."""
    named = [corpus for key, corpus in corpora(variant.family).items() if key.startswith(section) and is_file_corpus(corpus)]
    return {str(path): file_digest(path) for corpus in named for path in corpus_files(corpus, plan.base)}


def problem_modules(variant: Variant) -> list[str]:
    """The modules, imported by name, that the kinds of a variant's task and model are."""
    family = variant.family
    kinds = [f"tasks.{family.task.kind}", f"models.{family.model.kind}"]
    return [kind for kind in kinds if ".py:" not in kind]


def selected(plan: Plan, family: str, variant: str, block: str) -> tuple[Variant, list[int], list[int]]:
    chosen = plan.variant(family, variant)
    found = next(candidate for candidate in blocks(chosen) if candidate.name == block)
    return chosen, list(found.seeds), list(found.lanes)


def train_specification(plan: Plan, family: str, name: str, block: str) -> dict[str, Any]:
    variant, seeds, lanes = selected(plan, family, name, block)
    sections = variant.family.model_dump(mode="json", include={"training", "checkpoints"})
    code = code_digest("jobs.train", *problem_modules(variant))
    return {"seeds": seeds, "lanes": lanes, "code": code, **problem_part(plan, variant), **sections}


def calibrate_specification(plan: Plan, family: str, name: str, block: str) -> dict[str, Any]:
    variant = plan.variant(family, name)
    code = code_digest("jobs.calibrate", *problem_modules(variant))
    llc = variant.family.llc.model_dump(mode="json", exclude={"refine", "per_example"})
    # The manifest of the first seed's block changes with every seed that is added to it, so its training stands here.
    training = train_specification(plan, family, name, first_block(variant).name)
    return {
        "seed": variant.seeds[0],
        "code": code,
        "llc": llc,
        "training": digest(training | {"seeds": None}),
        **problem_part(plan, variant),
    }


def sample_specification(plan: Plan, family: str, name: str, block: str) -> dict[str, Any]:
    variant, seeds, _ = selected(plan, family, name, block)
    code = code_digest("jobs.sample", *problem_modules(variant))
    llc = variant.family.llc.model_dump(mode="json")
    refine = variant.family.llc.refine
    others = {
        name: variant.family.task.with_changes(changes).model_dump(mode="json")
        for name, changes in (refine.data if refine else {}).items()
    }
    data = {"other_data": others, "other_files": corpus_digests(plan, variant, "llc.")}
    return {"seeds": seeds, "code": code, "llc": llc, **data, **problem_part(plan, variant)}


def observe_specification(plan: Plan, family: str, name: str, block: str) -> dict[str, Any]:
    variant, seeds, _ = selected(plan, family, name, block)
    kinds = variant.family.observables
    built_in = [f"observables.{kind}" for kind in (kinds if kinds is not None else OBSERVABLES) if ".py:" not in kind]
    code = code_digest("jobs.observe", *problem_modules(variant), *built_in)
    files = {kind: code_file_digest(plan.base / kind.rpartition(":")[0]) for kind in kinds or [] if ".py:" in kind}
    return {"seeds": seeds, "code": code, "observables": kinds, "observable_files": files, **problem_part(plan, variant)}


def detect_specification(plan: Plan, family: str, name: str, block: str) -> dict[str, Any]:
    variant, seeds, _ = selected(plan, family, name, block)
    section = variant.family.transitions
    rules = [*section.rules, *rules_on(cards(variant.family.observables, plan.base))]
    return {
        "seeds": seeds,
        "code": code_digest("jobs.detect"),
        "training": variant.family.training.model_dump(mode="json"),
        "transitions": section.model_copy(update={"rules": rules}).model_dump(mode="json"),
    }


def consensus_specification(plan: Plan, family: str, name: str, block: str) -> dict[str, Any]:
    return {"seeds": list(plan.variant(family, name).seeds), "code": code_digest("jobs.consensus")}


def phases_specification(plan: Plan, family: str, name: str, block: str) -> dict[str, Any]:
    """Empty where the variant's posterior is not sampled. No run, data set or start is part of it: the loss is exact."""
    chosen = plan.variant(family, name).family
    if chosen.phases is None or not isinstance(chosen.task, SparseFeatures):
        return {}
    code = code_digest("jobs.phases")
    return {"code": code, "features": chosen.task.features, "phases": chosen.phases.model_dump(mode="json")}


def run_pages_specification(plan: Plan, family: str, name: str, block: str) -> dict[str, Any]:
    variant = plan.variant(family, name)
    configuration = variant.family.model_dump(mode="json", exclude={"seeds", "phases"})
    return {
        "seeds": list(variant.seeds),
        "code": page_code("jobs.run_pages"),
        "configuration": configuration,
        "labels": labels(plan, [variant]),
    }


def labels(plan: Plan, variants: Iterable[Variant]) -> dict[str, Any]:
    """Return the labels of all observables that pages on the variants may show."""
    kinds = [kind for variant in variants for kind in variant.family.observables or ()]
    return {name: label.model_dump() for name, label in labels_on(cards(kinds, plan.base)).items()}


def family_page_specification(plan: Plan, family: str, name: str, block: str) -> dict[str, Any]:
    variants = {variant.name: list(variant.seeds) for variant in plan.variants_of(family)}
    sampled = [variant.name for variant in plan.variants_of(family) if variant.family.phases is not None]
    return {
        **({"posteriors": sampled} if sampled else {}),
        "variants": variants,
        "code": page_code("jobs.family_page"),
        "labels": labels(plan, plan.variants_of(family)),
        "description": plan.study.families[family].description,
    }


def index_page_specification(plan: Plan, family: str, name: str, block: str) -> dict[str, Any]:
    families = {
        name: {
            "description": section.description,
            "variants": {variant.name: list(variant.seeds) for variant in plan.variants_of(name)},
        }
        for name, section in plan.study.families.items()
    }
    return {"families": families, "code": page_code("jobs.index_page"), "labels": labels(plan, plan.variants)}


def page_code(stage: str) -> str:
    """The code of a stage that writes pages, with the templates that it fills in."""
    return digest([code_digest(stage), folder_digest(PACKAGE / "report" / "templates")])


SPECIFICATIONS = {
    "train": train_specification,
    "calibrate": calibrate_specification,
    "sample": sample_specification,
    "observe": observe_specification,
    "detect": detect_specification,
    "consensus": consensus_specification,
    "phases": phases_specification,
    "run_pages": run_pages_specification,
    "family_page": family_page_specification,
    "index_page": index_page_specification,
}
