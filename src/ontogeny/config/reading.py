"""From the text of config.yaml to a `Study` whose every variant is valid, or to one message with all its faults."""

import ast
import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from glob import iglob
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ontogeny.config import Text, UserKind
from ontogeny.config.family import Family, FamilyWithSweep
from ontogeny.config.faults import describe
from ontogeny.config.limits import LONGEST_NAME, MOST_FILES, MOST_RUNS, MOST_VARIANTS
from ontogeny.config.loader import Loader
from ontogeny.config.observables import SUFFIX, Card, user_card
from ontogeny.config.section import AS_WRITTEN, NAME
from ontogeny.config.study import Study
from ontogeny.errors import SpecificationError
from ontogeny.pipeline.fingerprint import bytes_digest

NUMBER = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+")
MOST_FAULTS = 50
"""The most faults that one message lists."""


class ConfigError(SpecificationError):
    """A config.yaml that cannot be run. Its text lists every fault with its path, its value and what is allowed."""


@dataclass(frozen=True)
class Variant:
    """One point of a family's sweep; it is called `base` where there is no sweep."""

    family_name: str
    name: str
    family: Family
    seeds: tuple[int, ...]


def read_study(path: Path) -> tuple[Study, tuple[Variant, ...]]:
    """Return the study that a file describes, and its variants.

    Raises:
        ConfigError: the file is missing, is not YAML, or has faults.
    """
    return validate_study(load(path), path)


def load(path: Path) -> dict[str, Any]:
    """Return what a file says, not validated.

    Raises:
        ConfigError: the file is missing or not YAML, or its YAML is more than config.yaml may use.
    """
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    except RecursionError:
        raise ConfigError(f"{path}: not YAML: nested too deeply") from None
    except yaml.YAMLError as error:
        lines = "\n".join(map(printable, str(error).splitlines()))
        raise ConfigError(f"{path}: not YAML: {lines}") from None
    except ValueError as error:  # a number of too many digits, or a date that does not exist
        raise ConfigError(f"{path}: a value cannot be read: {str(error).partition(';')[0]}") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: expected keys such as `families:`, found {type(raw).__name__}")
    return raw


def validate_study(raw: Mapping[str, Any], path: Path) -> tuple[Study, tuple[Variant, ...]]:
    """Return the study that a mapping describes, and its variants.

    Args:
        raw: what the file says.
        path: the file, which the paths in it are relative to.

    Raises:
        ConfigError: the study has faults.
    """
    raw = read_numbers(raw)
    study, faults = try_study(raw)
    families = readable_families(raw, faults)
    variants: list[Variant] = []
    for result in too_many_variants(families) or expand_all(families, study.seeds if study else [0], path.parent):
        if isinstance(result, Variant):
            variants.append(result)
        else:
            faults.append(result)
    if study is None or faults:
        raise ConfigError(f"{path} cannot be run:\n{listing(faults)}")
    return study, tuple(variants)


def try_study(raw: Mapping[str, Any]) -> tuple[Study | None, list[str]]:
    """Return the validated study without its variants, or None and the faults."""
    try:
        study = Study.model_validate(raw, context=AS_WRITTEN)
    except ValidationError as error:
        return None, describe(error, Study)
    fault = unusable_folder(Path(study.results))
    return study, [f"results is {study.results!r}: {fault}"] if fault else []


def readable_families(raw: Mapping[str, Any], faults: list[str]) -> dict[str, Mapping[str, Any]]:
    """Return the families whose name, seeds and sweep have no fault; only these can be expanded."""
    families = raw.get("families")
    if not isinstance(families, dict) or any(fault.startswith(("seeds", "families:")) for fault in faults):
        return {}
    spoilt = {match[1] for fault in faults if (match := re.match(r"families\.([^.]+)\.(?:seeds|sweep)", fault))}
    return {
        name: family
        for name, family in families.items()
        if isinstance(family, dict)
        and isinstance(name, str)
        and re.fullmatch(NAME, name)
        and len(name) <= LONGEST_NAME
        and name not in spoilt
    }


def unusable_folder(folder: Path) -> str:
    """Return why a folder for results cannot be made; "" where it can."""
    try:
        above = next((path for path in (folder, *folder.parents) if path.exists()), Path())
        return "" if above.is_dir() else f"{above} is a file, not a folder"
    except OSError as error:
        return str(error)


def listing(faults: list[str]) -> str:
    """Return the lines of a message: no fault twice, and no fault of a variant that the whole family has."""
    whole = set(faults)
    lines = [f"  {printable(fault)}" for fault in dict.fromkeys(faults) if fault.rpartition(" (in ")[0] not in whole]
    more = [f"  … and {len(lines) - MOST_FAULTS} more faults"] if len(lines) > MOST_FAULTS else []
    return "\n".join(lines[:MOST_FAULTS] + more)


def printable(text: str) -> str:
    """Return text with escapes in place of line breaks and of characters that control a terminal."""
    return "".join(part if part.isprintable() else part.encode("unicode_escape").decode() for part in text)


def too_many_variants(families: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a fault if the sweeps have more points than a study may have variants; no point is made."""
    points = {name: math.prod(map(len, (family.get("sweep") or {}).values())) for name, family in families.items()}
    if sum(points.values()) <= MOST_VARIANTS:
        return []
    largest = max(points, key=lambda name: points[name])
    count = points[largest] if points[largest] < 10**15 else "more than 10^15"
    return [f"families.{largest}.sweep makes {count} variants: the families of a study make at most {MOST_VARIANTS} in all"]


def expand_all(families: Mapping[str, Mapping[str, Any]], study_seeds: list[int], base: Path) -> Iterator[Variant | str]:
    """Yield the variants of all families, or their faults, until the study has too many runs."""
    runs = 0
    for name, family in families.items():
        for result in expand(name, family, study_seeds, base):
            runs += len(result.seeds) if isinstance(result, Variant) else 0
            if runs > MOST_RUNS:
                yield f"families.{name}: the study has more than {MOST_RUNS} runs (seeds of its variants), the most allowed"
                return
            yield result


def expand(name: str, raw: Mapping[str, Any], study_seeds: list[int], base: Path) -> Iterator[Variant | str]:
    """Yield the variants of a family's sweep, or the faults of points that cannot be variants."""
    sweep = raw.get("sweep") or {}
    seen: set[str] = set()
    for point in itertools.product(*sweep.values()):
        overrides = dict(zip(sweep, point, strict=True))
        variant = variant_name(overrides)
        if variant in seen:
            yield f"families.{name}.sweep: two points of it are both called {variant}"
        seen.add(variant)
        try:
            family = Family.model_validate(
                override({key: value for key, value in raw.items() if key not in ("sweep", "along")}, overrides)
            )
        except ValidationError as error:
            where = f" (in {variant})" if overrides else ""
            yield from (f"{fault}{where}" for fault in describe(error, FamilyWithSweep, f"families.{name}"))
            continue
        seeds = tuple(dict.fromkeys(family.seeds or study_seeds))
        yield from (f"families.{name}.{fault}" for fault in missing_files(family, base))
        yield Variant(name, variant, family, seeds)


def variant_name(overrides: Mapping[str, Any]) -> str:
    """Return a name for a folder: `layers~2`, or `sparsity~0.1,width~64`, or `base` without a sweep.

    A digest stands for the end of a name that is too long.
    """
    name = ",".join(f"{spell(key.rsplit('.', 1)[-1])}~{spell(value)}" for key, value in overrides.items()) or "base"
    end = f"~{bytes_digest(name.encode())}"
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - len(end)] + end


def spell(value: Any) -> str:
    """Return a value as part of a file name."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, skipkeys=True)
    return re.sub(r"[^A-Za-z0-9_.+-]+", "-", text).strip("-")


def override(raw: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of nested mappings with other values at the given dotted keys."""
    result = dict(raw)
    for dotted, value in overrides.items():
        head, _, rest = dotted.partition(".")
        below = result.get(head)
        result[head] = override(below if isinstance(below, dict) else {}, {rest: value}) if rest else value
    return result


def read_numbers(value: Any) -> Any:
    """Return a value with the number in place of text such as `1e-3`, which YAML 1.1 reads as text."""
    if isinstance(value, Mapping):
        return {key: read_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [read_numbers(item) for item in value]
    return float(value) if isinstance(value, str) and NUMBER.fullmatch(value) else value


def missing_files(family: Family, base: Path) -> Iterator[str]:
    """Yield the faults of the user's files that a family names: missing, not Python, or without the name."""
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
        if section.startswith(("observables", "pictures")):
            yield from (f"{section} is {kind!r}: {fault}" for fault in card_faults(kind, base))
    for key, corpus in corpora(family).items():
        if corpus.startswith("huggingface:") and find_spec("datasets") is None:
            yield f"{key} is {corpus!r}: it needs the package datasets: pip install 'ontogeny[huggingface]'"
        if is_file_corpus(corpus):
            files = len(corpus_files(corpus, base))
            if not files:
                others = "other corpora are sotu, python, huggingface:NAME"
                yield f"{key} is {corpus!r}: no file matches {base / corpus}; {others}"
            if files > MOST_FILES:
                yield f"{key} is {corpus!r}: more than {MOST_FILES} files match {base / corpus}, the most allowed"


def card_faults(kind: str, base: Path) -> list[str]:
    """Return the faults of the card of a user's observables or pictures; none where there is no card."""
    path = base / kind.rpartition(":")[0]
    beside = path.with_suffix(SUFFIX)
    place = str(beside) if beside.exists() else f"the card in {path}"
    try:
        user_card(kind, base)
    except ValidationError as error:
        return [f"{place}: {fault}" for fault in describe(error, Card)]
    except (OSError, ValueError, yaml.YAMLError) as error:
        return [f"{place} cannot be read: {error}"]
    return []


def corpora(family: Family) -> dict[str, str]:
    """Return key -> corpus of every text that a family reads. Only sampling reads those under `llc`."""
    if not isinstance(family.task, Text):
        return {}
    named = {"task.corpus": family.task.corpus, "task.tokenizer_corpus": family.task.tokenizer_corpus}
    refined = family.llc.refine.data if family.llc.refine else {}
    named |= {f"llc.refine.data.{name}.corpus": other.get("corpus") for name, other in refined.items()}
    return {key: corpus for key, corpus in named.items() if corpus is not None}


def bound_names(node: ast.stmt) -> list[str]:
    """Return the names that a statement at the top of a module binds."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name for alias in node.names]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def user_kinds(family: Family) -> list[tuple[str, str]]:
    """Return (key, kind) of every model, task, observable and picture of a family that is a file of the user."""
    kinds = [
        (f"{name}.kind", section.kind)
        for name, section in (("task", family.task), ("model", family.model))
        if isinstance(section, UserKind)
    ]
    for room, listed in (("observables", family.observables), ("pictures", family.pictures)):
        kinds += [(f"{room}.{place}", kind) for place, kind in enumerate(listed or []) if ".py:" in kind]
    return kinds


def is_file_corpus(corpus: str) -> bool:
    """Return whether a corpus is a path or a glob of the user's."""
    return corpus not in ("sotu", "python") and not corpus.startswith("huggingface:")


def corpus_files(corpus: str, base: Path) -> list[Path]:
    """Return the files of a corpus in the order of their names; at most one more than `MOST_FILES`.

    Args:
        corpus: a path or a glob, absolute or relative to `base`.
        base: the folder of the config.
    """
    files = (path for path in map(Path, iglob(str(base / corpus), recursive=True)) if path.is_file())
    return sorted(itertools.islice(files, MOST_FILES + 1))
