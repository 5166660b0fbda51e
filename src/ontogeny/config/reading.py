"""From the text of config.yaml to a `Study` whose every variant is valid, or to one message with all its faults."""

import ast
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from glob import glob
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ontogeny.config import Text, UserKind
from ontogeny.config.family import Family, FamilyWithSweep
from ontogeny.config.faults import describe
from ontogeny.config.section import AS_WRITTEN
from ontogeny.config.study import Study
from ontogeny.errors import SpecificationError

NUMBER = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+")


class ConfigError(SpecificationError):
    """A config.yaml that cannot be run; its text lists every fault with its path, its value and what is allowed."""


class Loader(yaml.SafeLoader):
    """Refuses a mapping in which a key stands twice: the first would be lost without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        if doubled := [key for key in keys if keys.count(key) > 1]:
            raise yaml.constructor.ConstructorError(None, None, f"the key {doubled[0]} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


@dataclass(frozen=True)
class Variant:
    """One point of a family's sweep: `base` where there is no sweep."""

    family_name: str
    name: str
    family: Family
    seeds: tuple[int, ...]


def read_study(path: Path) -> tuple[Study, tuple[Variant, ...]]:
    """The study that a file describes, and its variants.

    Raises:
        ConfigError: the file is missing, is not YAML, or has faults.
    """
    return validate_study(load(path), path)


def load(path: Path) -> dict[str, Any]:
    """What a file says, not validated.

    Raises:
        ConfigError: the file is missing or not YAML, or a key stands twice in it.
    """
    try:
        raw = yaml.load(path.read_text(), Loader)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML: {error}") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: expected keys such as `families:`, found {type(raw).__name__}")
    return raw


def validate_study(raw: Mapping[str, Any], path: Path) -> tuple[Study, tuple[Variant, ...]]:
    """The same from a mapping already read; `path` is where it came from, and what its own paths are relative to."""
    raw = read_numbers(raw)
    study, faults = try_study(raw)
    variants: list[Variant] = []
    families = raw.get("families")
    for name, family in (families if isinstance(families, dict) else {}).items():
        unreadable = ("seeds", f"families.{name}.seeds", f"families.{name}.sweep")
        if isinstance(family, dict) and not any(fault.startswith(unreadable) for fault in faults):
            for found in expand(str(name), family, raw.get("seeds", [0]), path.parent):
                if isinstance(found, Variant):
                    variants.append(found)
                else:
                    faults.append(found)
    if study is None or faults:
        told = [fault for fault in dict.fromkeys(faults) if fault.rpartition(" (in ")[0] not in faults]
        listed = "\n".join(f"  {fault}" for fault in told)
        raise ConfigError(f"{path} cannot be run:\n{listed}")
    return study, tuple(variants)


def try_study(raw: Mapping[str, Any]) -> tuple[Study | None, list[str]]:
    try:
        return Study.model_validate(raw, context=AS_WRITTEN), []
    except ValidationError as error:
        return None, describe(error, Study)


def expand(name: str, raw: Mapping[str, Any], study_seeds: Any, base: Path) -> Iterator[Variant | str]:
    """The variants of a family's sweep, or the faults that keep them from being one."""
    sweep = raw.get("sweep") or {}
    seen: set[str] = set()
    for point in itertools.product(*sweep.values()):
        overrides = dict(zip(sweep, point, strict=True))
        variant = variant_name(overrides)
        if variant in seen:
            yield f"families.{name}.sweep: two points of it are both called {variant}"
        seen.add(variant)
        try:
            family = Family.model_validate(override({key: value for key, value in raw.items() if key != "sweep"}, overrides))
        except ValidationError as error:
            where = f" (in {variant})" if overrides else ""
            yield from (f"{fault}{where}" for fault in describe(error, FamilyWithSweep, f"families.{name}"))
            continue
        seeds = tuple(dict.fromkeys(family.seeds or study_seeds))
        yield from (f"families.{name}.{fault}" for fault in missing_files(family, base))
        yield Variant(name, variant, family, seeds)


def variant_name(overrides: Mapping[str, Any]) -> str:
    """`layers~2`, or `sparsity~0.1,width~64`; `base` without a sweep."""
    return ",".join(f"{key.rsplit('.', 1)[-1]}~{spell(value)}" for key, value in overrides.items()) or "base"


def spell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return re.sub(r"[^A-Za-z0-9_.+-]+", "-", text).strip("-")


def override(raw: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of nested mappings with the values at some dotted keys replaced."""
    result = dict(raw)
    for dotted, value in overrides.items():
        head, _, rest = dotted.partition(".")
        below = result.get(head)
        result[head] = override(below if isinstance(below, dict) else {}, {rest: value}) if rest else value
    return result


def read_numbers(value: Any) -> Any:
    """YAML 1.1 reads 1e-3 as text; everybody who writes it means the number."""
    if isinstance(value, Mapping):
        return {key: read_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [read_numbers(item) for item in value]
    return float(value) if isinstance(value, str) and NUMBER.fullmatch(value) else value


def missing_files(family: Family, base: Path) -> Iterator[str]:
    """Faults of the files of the user that a family names: missing, not Python, or without the name."""
    for section, kind in user_kinds(family):
        file, _, name = kind.rpartition(":")
        path = base / file
        if not path.is_file():
            yield f"{section} is {kind!r}: no such file: {path}"
            continue
        try:
            body = ast.parse(path.read_text()).body
        except SyntaxError as error:
            yield f"{section} is {kind!r}: {path} line {error.lineno}: {error.msg}"
            continue
        except (OSError, ValueError) as error:
            yield f"{section} is {kind!r}: {path} cannot be read: {error}"
            continue
        if name not in set(itertools.chain.from_iterable(bound_names(node) for node in body)):
            yield f"{section} is {kind!r}: {path} defines no {name}"
    for key, corpus in corpora(family).items():
        if corpus.startswith("huggingface:") and find_spec("datasets") is None:
            yield f"{key} is {corpus!r}: it needs the package datasets: pip install 'ontogeny[huggingface]'"
        if is_file_corpus(corpus) and not corpus_files(corpus, base):
            others = "other corpora are sotu, python, huggingface:NAME"
            yield f"{key} is {corpus!r}: no file matches {base / corpus}; {others}"


def corpora(family: Family) -> dict[str, str]:
    """Key -> corpus, of every text that a family reads; those under `llc` are read by sampling alone."""
    if not isinstance(family.task, Text):
        return {}
    found = {"task.corpus": family.task.corpus, "task.tokenizer_corpus": family.task.tokenizer_corpus}
    refined = family.llc.refine.data if family.llc.refine else {}
    found |= {f"llc.refine.data.{name}.corpus": other.get("corpus") for name, other in refined.items()}
    return {key: corpus for key, corpus in found.items() if corpus is not None}


def bound_names(node: ast.stmt) -> list[str]:
    """The names that a statement at the top of a module binds."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name for alias in node.names]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def user_kinds(family: Family) -> list[tuple[str, str]]:
    """(key, kind) of every model, task and observable of a family that is a file of the user."""
    kinds = [
        (f"{name}.kind", section.kind)
        for name, section in (("task", family.task), ("model", family.model))
        if isinstance(section, UserKind)
    ]
    return kinds + [(f"observables.{place}", kind) for place, kind in enumerate(family.observables or []) if ".py:" in kind]


def is_file_corpus(corpus: str) -> bool:
    return corpus not in ("sotu", "python") and not corpus.startswith("huggingface:")


def corpus_files(corpus: str, base: Path) -> list[Path]:
    """The files of a corpus that is a path or a glob, absolute or relative to the config, in order of their names."""
    return sorted(path for path in map(Path, glob(str(base / corpus), recursive=True)) if path.is_file())
