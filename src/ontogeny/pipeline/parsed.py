"""What a Python file says, without comments and layout: a digest of its code, and the names that it may import.

Parsing the whole package takes a second. What was read of a text is therefore kept in the user's cache folder by a digest of the
text, so that `ontogeny status` and every start of the workflow read it from one file.
"""

import ast
import hashlib
import json
import os
import platform
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ontogeny.pipeline.devices import cache_folder
from ontogeny.pipeline.own_card import without_card

MOST_KEPT = 2000
"""The most files that the cache knows; it starts again above."""


class Parsed(NamedTuple):
    """The digest of a file's code, and the dotted names below `ontogeny` that it may import."""

    digest: str
    names: tuple[str, ...]


@cache
def parsed(source: str) -> Parsed:
    """Return what a Python source says, from the cache where it is known."""
    key = bytes_digest(f"{platform.python_version()}\n{source}".encode())
    if key not in known():
        tree = ast.parse(source)
        names = sorted({name for node in ast.walk(tree) for name in imported_names(node)})
        known()[key] = new()[key] = Parsed(tree_digest(tree), tuple(names))
    return known()[key]


@cache
def known() -> dict[str, Parsed]:
    """Return what the cache file holds, and what this process has parsed."""
    try:
        entries = json.loads(cache_file().read_text())
        kept = {key: Parsed(str(digest), tuple(map(str, names))) for key, (digest, names) in entries.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
    return kept if len(kept) <= MOST_KEPT else {}


@cache
def new() -> dict[str, Parsed]:
    """Return what this process has parsed and not yet written."""
    return {}


def keep() -> None:
    """Write what is new into the cache file; where that is not possible, the next process parses again."""
    if not new():
        return
    unfinished = cache_file().with_name(f".{os.getpid()}.{cache_file().name}")
    try:
        cache_file().parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(json.dumps(known()))
        unfinished.replace(cache_file())
    except OSError:
        return
    new().clear()


def cache_file() -> Path:
    return cache_folder() / "parsed.json"


def python_digest(source: str) -> str:
    """Return a digest of a user's Python source that does not depend on comments, docstrings, layout and the card in it."""
    return tree_digest(without_card(ast.parse(source)))


def tree_digest(tree: ast.Module) -> str:
    """Return a digest of a syntax tree, whose docstrings are removed."""
    for node in ast.walk(tree):
        if (
            isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
            and ast.get_docstring(node, clean=False) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return bytes_digest(ast.dump(tree).encode())


def imported_names(node: ast.AST) -> Iterator[str]:
    """Yield the dotted names that may be modules: `from a.b import c` runs a and a.b, and c may be a module too."""
    dotted: Iterable[str] = ()
    if isinstance(node, ast.Import):
        dotted = (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        dotted = (f"{node.module}.{alias.name}" for alias in node.names)
    for name in dotted:
        parts = name.split(".")
        if parts[0] == "ontogeny":
            yield from (".".join(parts[1 : stop + 1]) for stop in range(1, len(parts)))


def bytes_digest(data: bytes) -> str:
    """Return 16 hexadecimal digits that identify bytes."""
    return hashlib.blake2b(data, digest_size=8).hexdigest()
