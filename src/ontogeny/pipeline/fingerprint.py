"""Digests of what a stage depends on: its specification, the code it runs and the user's files it reads.

Snakemake does not track imported modules. A stage's digest therefore covers the syntax trees, without comments and
docstrings, of every `ontogeny` module that its entry module imports, however deep: an edit of the code reruns the
stage, an edit of a comment does not. Kinds of models, tasks and observables are imported by name, so the entry modules
of a stage name those that its configuration uses, and no others.
"""

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]
CHANGES_NO_RESULT = ("config", "pipeline.fingerprint", "pipeline.progress", "pipeline.provenance")
"""Modules and packages left out: what config validates is in the specification itself, the others only tell what is going on."""


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def digest(value: Any) -> str:
    """16 hexadecimal digits that name a JSON value."""
    return hashlib.blake2b(canonical_json(value).encode(), digest_size=8).hexdigest()


def bytes_digest(data: bytes) -> str:
    """16 hexadecimal digits that name some bytes."""
    return hashlib.blake2b(data, digest_size=8).hexdigest()


@cache
def code_digest(*modules: str) -> str:
    """A digest of the code of these modules, dotted names below `ontogeny`, and of all that they import from it."""
    reached: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in reached and not f"{module}.".startswith(tuple(f"{name}." for name in CHANGES_NO_RESULT)):
            reached.add(module)
            waiting += imports(module)
    return digest({module: module_digest(module) for module in reached})


def python_digest(source: str) -> str:
    """A digest of Python source that comments, docstrings and layout leave as it is."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if (
            isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
            and ast.get_docstring(node, clean=False) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return bytes_digest(ast.dump(tree).encode())


def file_digest(path: Path) -> str:
    """A digest of a file of the user: of its syntax tree for Python, of its bytes for anything else."""
    return python_digest(path.read_text()) if path.suffix == ".py" else bytes_digest(path.read_bytes())


def folder_digest(folder: Path) -> str:
    """A digest of every file below a folder of the package, such as the templates of the report."""
    return digest(
        {str(path.relative_to(folder)): bytes_digest(path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()}
    )


@cache
def module_digest(module: str) -> str:
    return python_digest(source_path(module).read_text())


@cache
def imports(module: str) -> tuple[str, ...]:
    """The modules of the package that a module imports, at any place in it."""
    nodes = ast.walk(ast.parse(source_path(module).read_text()))
    return tuple(sorted({name for node in nodes for name in imported_names(node) if is_module(name)}))


def imported_names(node: ast.AST) -> Iterator[str]:
    """Every dotted name that may be a module: `from a.b import c` may mean a.b.c, and runs a and a.b as well."""
    dotted: Iterable[str] = ()
    if isinstance(node, ast.Import):
        dotted = (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        dotted = (f"{node.module}.{alias.name}" for alias in node.names)
    for name in dotted:
        parts = name.split(".")
        if parts[0] == "ontogeny":
            yield from (".".join(parts[1 : stop + 1]) for stop in range(1, len(parts)))


def is_module(name: str) -> bool:
    return (PACKAGE / Path(*name.split("."))).with_suffix(".py").is_file() or (
        PACKAGE / Path(*name.split(".")) / "__init__.py"
    ).is_file()


def source_path(name: str) -> Path:
    path = PACKAGE / Path(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
