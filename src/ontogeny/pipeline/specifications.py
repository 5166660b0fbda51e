"""What a job depends on: the parts of the study that its kind reads, and a digest of the code that it runs.

A part is a function from what a job works on to entries of its specification. The table of `config.job_names` says which
parts a kind of job reads. A specification holds exactly what the results depend on, and nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ontogeny.config import OBSERVABLES, PICTURES
from ontogeny.config.job_names import KINDS, JobKind
from ontogeny.config.observables import cards, labels_on, least_changes_on, pictures_on, repeated_on, rules_on
from ontogeny.config.reading import Variant, corpora, corpus_files, is_file_corpus, user_kinds, variant_name
from ontogeny.config.study import Study
from ontogeny.pipeline.fingerprint import PACKAGE, code_digest, code_file_digest, digest, file_digest, folder_digest
from ontogeny.sampling.kernels.build import kernel_module

if TYPE_CHECKING:
    from ontogeny.pipeline.plan import Block


class Selected(NamedTuple):
    """What one job works on; `variant` and `block` are None where the scope of its kind is wider."""

    study: Study
    by_family: Mapping[str, Sequence[Variant]]
    base: Path
    family_name: str
    variant: Any = None
    block: "Block | None" = None


def specification(kind: JobKind, selected: Selected) -> dict[str, Any]:
    """Return all that the results of a job depend on."""
    parts = (PARTS[name](selected) for name in kind.reads)
    return {"code": code_of(kind, selected), **{key: value for part in parts for key, value in part.items()}}


def code_of(kind: JobKind, selected: Selected) -> str:
    """Return the digest of the code that a job runs, and of the templates that it fills in."""
    named = [module for name in kind.code if name in MODULES for module in MODULES[name](selected.variant.family)]
    code = code_digest(f"jobs.{kind.name}", *named)
    return digest([code, folder_digest(PACKAGE / "report" / "templates")]) if "templates" in kind.code else code


MODULES: Mapping[str, Callable[[Any], list[str]]] = {
    "task": lambda family: built_in("tasks", [family.task.kind]),
    "model": lambda family: built_in("models", [family.model.kind]),
    "sampler": lambda family: [kernel_module(family.llc.sampler.kind)],
    "observables": lambda family: built_in("observables", OBSERVABLES if family.observables is None else family.observables),
    "pictures": lambda family: built_in("pictures", PICTURES if family.pictures is None else family.pictures),
}
"""The modules, imported by name, that the kinds of a family are."""


def built_in(room: str, kinds: Sequence[str]) -> list[str]:
    return [f"{room}.{kind}" for kind in kinds if ".py:" not in kind]


def seeds(selected: Selected) -> dict[str, Any]:
    assert selected.block is not None
    return {"seeds": list(selected.block.seeds)}


def lanes(selected: Selected) -> dict[str, Any]:
    assert selected.block is not None
    return {"lanes": list(selected.block.lanes)}


def all_seeds(selected: Selected) -> dict[str, Any]:
    return {"seeds": list(selected.variant.seeds)}


def first_seed(selected: Selected) -> dict[str, Any]:
    return {"seed": selected.variant.seeds[0]}


def run_count(selected: Selected) -> dict[str, Any]:
    return {"runs": len(selected.variant.seeds)}


def section(name: str) -> Callable[[Selected], dict[str, Any]]:
    """Return the part that is a section of the family as it stands."""
    return lambda selected: {name: getattr(selected.variant.family, name).model_dump(mode="json")}


def problem(selected: Selected) -> dict[str, Any]:
    """Return the task, the model, and digests of the user's files that they are made of."""
    family = selected.variant.family
    kinds = [kind for key, kind in user_kinds(family) if not key.startswith(("observables", "pictures"))]
    files = {kind: user_file_digest(selected, kind) for kind in kinds}
    sections = {name: getattr(family, name).model_dump(mode="json") for name in ("task", "model")}
    return {**sections, "files": files | corpus_digests(selected, "task.")}


def user_file_digest(selected: Selected, kind: str) -> str:
    return code_file_digest(selected.base / kind.rpartition(":")[0])


def corpus_digests(selected: Selected, prefix: str) -> dict[str, str]:
    """Return path -> digest, of the files of the corpora that the keys of the family with a prefix name."""
    named = [
        corpus for key, corpus in corpora(selected.variant.family).items() if key.startswith(prefix) and is_file_corpus(corpus)
    ]
    return {str(path): file_digest(path) for corpus in named for path in corpus_files(corpus, selected.base)}


def run_identity(selected: Selected) -> dict[str, Any]:
    """Return a digest of what makes a run of the first block what it is, whichever of its steps are kept.

    The manifest of the first block changes with every seed that is added to it; this does not.
    """
    parts = {key: value for part in (lanes, problem, section("training")) for key, value in part(selected).items()}
    return {"run": digest({"code": code_of(KINDS["train"], selected), **parts})}


def sampler(selected: Selected) -> dict[str, Any]:
    return {"llc": selected.variant.family.llc.model_dump(mode="json", exclude={"refine", "per_example", "sensitivity", "sweep"})}


def llc(selected: Selected) -> dict[str, Any]:
    return {"llc": selected.variant.family.llc.model_dump(mode="json", exclude={"sweep"})}


def sweep(selected: Selected) -> dict[str, Any]:
    """Return the settings that a sweep tries, and the components that it tries them on."""
    section = selected.variant.family.llc
    return {"sweep": section.sweep.model_dump(mode="json"), "components": section.refine.components if section.refine else []}


def other_data(selected: Selected) -> dict[str, Any]:
    """Return the other data sets that λ̂ is also estimated on, as tasks, and digests of their corpora."""
    family = selected.variant.family
    changes = family.llc.refine.data if family.llc.refine else {}
    tasks = {name: family.task.with_changes(change).model_dump(mode="json") for name, change in changes.items()}
    return {"other_data": tasks, "other_files": corpus_digests(selected, "llc.")}


def observables(selected: Selected) -> dict[str, Any]:
    kinds = selected.variant.family.observables
    files = {kind: user_file_digest(selected, kind) for kind in kinds or [] if ".py:" in kind}
    return {"observables": kinds, "observable_files": files}


def pictures(selected: Selected) -> dict[str, Any]:
    kinds = selected.variant.family.pictures
    files = {kind: user_file_digest(selected, kind) for kind in kinds or [] if ".py:" in kind}
    return {"pictures": kinds, "picture_files": files}


def picture_cards(selected: Selected) -> dict[str, Any]:
    """Return the cards of the user's own pictures that a page may show: of the variant or of the family."""
    variants = [selected.variant] if selected.variant else selected.by_family[selected.family_name]
    kinds = dict.fromkeys(kind for variant in variants for kind in variant.family.pictures or ())
    return {"picture_cards": {name: card.model_dump() for name, card in pictures_on(cards(kinds, selected.base)).items()}}


def transitions(selected: Selected) -> dict[str, Any]:
    """Return how transitions are detected and named, with what the cards of observables say behind what the family says."""
    section = selected.variant.family.transitions
    own = cards(selected.variant.family.observables, selected.base)
    complete = {
        "rules": [*section.rules, *rules_on(own)],
        "least_changes": least_changes_on(own) | section.least_changes,
        "not_searched": list(dict.fromkeys([*section.not_searched, *repeated_on(own)])),
    }
    return {"transitions": section.model_copy(update=complete).model_dump(mode="json")}


def labels(selected: Selected) -> dict[str, Any]:
    """Return the labels of all observables that a page may show: of the variant, the family or the study."""
    families = [selected.family_name] if selected.family_name else selected.by_family
    variants = [selected.variant] if selected.variant else [each for name in families for each in selected.by_family[name]]
    kinds = dict.fromkeys(kind for variant in variants for kind in variant.family.observables or ())
    return {"labels": {name: label.model_dump() for name, label in labels_on(cards(kinds, selected.base)).items()}}


def phases(selected: Selected) -> dict[str, Any]:
    """Return how the whole posterior is sampled. No run, data set or start is part of it, since the loss is exact."""
    family = selected.variant.family
    section = None if family.phases is None else family.phases.model_dump(mode="json")
    return {"features": getattr(family.task, "features", None), "phases": section}


def configuration(selected: Selected) -> dict[str, Any]:
    return {
        "configuration": selected.variant.family.model_dump(
            mode="json", exclude={"seeds": True, "phases": True, "llc": {"sweep"}}
        )
    }


def along(selected: Selected) -> dict[str, Any]:
    """Return the swept key that a family has trajectories along, its value in each variant, and how transitions are found."""
    family, members = selected.study.families[selected.family_name], selected.by_family[selected.family_name]
    if family.along is None:
        return {"along": None}
    of_member = selected._replace(variant=members[0])
    values = {variant_name({family.along: value}): value for value in family.sweep[family.along]}
    parts = (all_seeds(of_member), transitions(of_member), configuration(of_member))
    return {"along": {"key": family.along, "variants": values}, **{key: value for part in parts for key, value in part.items()}}


def description(selected: Selected) -> dict[str, Any]:
    return {"description": selected.study.families[selected.family_name].description}


def variants(selected: Selected) -> dict[str, Any]:
    members = selected.by_family[selected.family_name]
    sampled = [variant.name for variant in members if variant.family.phases is not None]
    own = {variant.name: list(variant.seeds) for variant in members}
    return {"variants": own, "phases": sampled, "along": selected.study.families[selected.family_name].along}


def families(selected: Selected) -> dict[str, Any]:
    def entry(name: str) -> dict[str, Any]:
        own = {variant.name: list(variant.seeds) for variant in selected.by_family[name]}
        return {"description": selected.study.families[name].description, "variants": own}

    return {"families": {name: entry(name) for name in selected.study.families}}


PARTS: Mapping[str, Callable[[Selected], dict[str, Any]]] = {
    "all_seeds": all_seeds,
    "along": along,
    "checkpoints": section("checkpoints"),
    "configuration": configuration,
    "description": description,
    "families": families,
    "first_seed": first_seed,
    "labels": labels,
    "lanes": lanes,
    "llc": llc,
    "observables": observables,
    "other_data": other_data,
    "phases": phases,
    "picture_cards": picture_cards,
    "pictures": pictures,
    "problem": problem,
    "run_count": run_count,
    "run_identity": run_identity,
    "sampler": sampler,
    "seeds": seeds,
    "sweep": sweep,
    "training": section("training"),
    "transitions": transitions,
    "variants": variants,
}
