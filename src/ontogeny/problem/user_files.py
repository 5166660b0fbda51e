"""Models, tasks and observables of the user's own: `path/to/file.py:name`, relative to the folder of the config.

Whatever is wrong with such a file is reported with its path and, where it raised, the line that did.
"""

import importlib.util
import re
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

from ontogeny.errors import SpecificationError


class UserFileError(SpecificationError):
    """A user's file is missing, fails, or holds something else than its kind asks for."""


def load(reference: str, base: Path, returns: type) -> Callable[..., Any]:
    """The function or class that `path/to/file.py:name` names, the path taken from `base`.

    Calling it raises UserFileError where it fails or returns something else than a `returns`.

    Raises:
        UserFileError: the file is missing or fails on import, or the name is missing or cannot be called.
    """
    relative, _, name = reference.rpartition(":")
    path = (base / relative).resolve()
    if not path.is_file():
        raise UserFileError(f"{reference}: there is no file {path}")
    return checked(find(run(path), path, name), reference, path, returns)


def run(path: Path) -> ModuleType:
    """The module that the file defines, run afresh."""
    name = "ontogeny_user_" + re.sub(r"\W", "_", str(path))
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look the module of a class up
    try:
        spec.loader.exec_module(module)
    except Exception as fault:
        raise UserFileError(f"{path} fails on import: {describe(fault, path)}") from fault
    return module


def find(module: ModuleType, path: Path, name: str) -> Callable[..., Any]:
    """What the module calls `name`, provided it can be called."""
    found = getattr(module, name, None)
    if callable(found):
        return found
    own = [key for key, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__]
    problem = f"defines no {name}" if found is None else f"has a {name} that cannot be called ({type(found).__name__})"
    raise UserFileError(f"{path} {problem}; it defines {', '.join(own) or 'nothing to call'}")


def checked(function: Callable[..., Any], reference: str, path: Path, returns: type) -> Callable[..., Any]:
    """`function`, with its faults and a result of the wrong type reported as the user's file's."""

    @wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        try:
            result = function(*arguments, **options)
        except Exception as fault:
            raise UserFileError(f"{reference} fails: {describe(fault, path)}") from fault
        if not isinstance(result, returns):
            raise UserFileError(
                f"{reference} returns a {type(result).__name__}; it should return a {returns.__module__}.{returns.__name__}"
            )
        return result

    return call


def describe(fault: BaseException, path: Path) -> str:
    """The exception, and the last line of the user's file that it came through."""
    if isinstance(fault, SyntaxError) and fault.filename == str(path):
        return f"{type(fault).__name__}: {fault.msg} (line {fault.lineno}: {(fault.text or '').strip()})"
    frames = [frame for frame in traceback.extract_tb(fault.__traceback__) if frame.filename == str(path)]
    place = f" (line {frames[-1].lineno}: {frames[-1].line})" if frames else ""
    return f"{type(fault).__name__}: {fault}{place}"
