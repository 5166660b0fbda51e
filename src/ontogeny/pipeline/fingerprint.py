"""Digests of what a job depends on: its specification, the code that it runs and the user's files that it reads.

Snakemake does not track imported modules. The digest of a job's code therefore covers every `ontogeny` module that its
entry modules import, directly or through other modules. It is made of their syntax trees without comments and docstrings:
an edit of the code reruns the job, an edit of a comment does not. Kinds of models, tasks and observables are imported by
name; the entry modules of a job name the kinds that its configuration uses, and no others.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from ontogeny.pipeline.parsed import bytes_digest, keep, parsed, python_digest

PACKAGE = Path(__file__).parents[1]
CHANGES_NO_RESULT = ("config", "pipeline.fingerprint", "pipeline.progress", "pipeline.provenance")
"""Modules and packages that the digests leave out. What `config` validates is in the specification; the others report only."""


def canonical_json(value: Any) -> str:
    """Return JSON with sorted keys and no spaces, so that equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def digest(value: Any) -> str:
    """Return 16 hexadecimal digits that identify a JSON value."""
    return bytes_digest(canonical_json(value).encode())


@cache
def code_digest(*modules: str) -> str:
    """Return a digest of the code of modules and of all that they import from `ontogeny`.

    Args:
        modules: dotted names below `ontogeny`.
    """
    reached: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in reached and not f"{module}.".startswith(tuple(f"{name}." for name in CHANGES_NO_RESULT)):
            reached.add(module)
            waiting += imports(module)
    content = {module: module_digest(module) for module in reached}
    keep()
    return digest(content)


def file_digest(path: Path) -> str:
    """Return a digest of the bytes of a file."""
    return bytes_digest(path.read_bytes())


def code_file_digest(path: Path) -> str:
    """Return a digest of a user's Python file that does not depend on comments, docstrings and layout."""
    return python_digest(path.read_text())


def folder_digest(folder: Path) -> str:
    """Return a digest of every file below a folder of the package, such as the templates of the report."""
    return digest({str(path.relative_to(folder)): file_digest(path) for path in sorted(folder.rglob("*")) if path.is_file()})


@cache
def module_digest(module: str) -> str:
    """Return a digest of the code of one module."""
    return parsed(source_path(module).read_text()).digest


@cache
def imports(module: str) -> tuple[str, ...]:
    """Return the modules of the package that a module imports anywhere in its source."""
    return tuple(name for name in parsed(source_path(module).read_text()).names if is_module(name))


@cache
def is_module(name: str) -> bool:
    """Return whether a dotted name below `ontogeny` is a module or a package."""
    return (PACKAGE / Path(*name.split("."))).with_suffix(".py").is_file() or (
        PACKAGE / Path(*name.split(".")) / "__init__.py"
    ).is_file()


def source_path(name: str) -> Path:
    """Return the source file of a module or package, a dotted name below `ontogeny`."""
    path = PACKAGE / Path(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
