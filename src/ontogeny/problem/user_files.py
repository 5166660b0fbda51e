"""Models, tasks, observables and pictures of the user's own: `path/to/file.py:name`, relative to the folder of the config.

Every fault of such a file is reported with its path and, where the file raised, the line that did.
"""

import importlib.util
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

from ontogeny.errors import SpecificationError

FAULTS = (Exception, SystemExit)
"""What a user's file may raise. Without SystemExit, `sys.exit` in the file would end the job without a message."""


class UserFileError(SpecificationError):
    """A user's file is missing, fails, or defines something else than its kind asks for."""


def load(reference: str, base: Path, returns: type) -> Callable[..., Any]:
    """Return the function or class that a reference names.

    Calling it raises UserFileError where it fails or returns no instance of `returns`.

    Args:
        reference: `path/to/file.py:name`.
        base: the folder that the path is relative to.
        returns: the type of what the function or class should return.

    Raises:
        UserFileError: the file is missing or fails on import, or the name is missing or cannot be called.
    """
    relative, _, name = reference.rpartition(":")
    path = (base / relative).resolve()
    if not path.is_file():
        raise UserFileError(f"{reference}: there is no file {path}")
    return checked(find(run(path), path, name), reference, path, returns)


def load_functions(reference: str, base: Path, *arguments: Any) -> dict[str, Any]:
    """Return the mapping that a user's function makes of the arguments. The functions in it tell their faults as `load` does.

    Raises:
        UserFileError: as `load`, or the function fails or returns no mapping.
    """
    path = (base / reference.rpartition(":")[0]).resolve()
    made = load(reference, base, Mapping)(*arguments)
    return {
        name: checked(value, f"{reference}: {name}", path, object) if callable(value) else value for name, value in made.items()
    }


def run(path: Path) -> ModuleType:
    """Run a file and return the module that it defines.

    Raises:
        UserFileError: the file fails or exits.
    """
    name = "ontogeny_user_" + re.sub(r"\W", "_", str(path))
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look up the module of a class there
    try:
        spec.loader.exec_module(module)
    except FAULTS as fault:
        raise UserFileError(f"{path} fails on import: {describe(fault, path)}") from fault
    return module


def find(module: ModuleType, path: Path, name: str) -> Callable[..., Any]:
    """Return the function or class that a module calls `name`.

    Raises:
        UserFileError: there is none, or it cannot be called.
    """
    named = getattr(module, name, None)
    if callable(named):
        return named
    own = [key for key, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__]
    problem = f"defines no {name}" if named is None else f"has a {name} that cannot be called ({type(named).__name__})"
    raise UserFileError(f"{path} {problem}; it defines {', '.join(own) or 'nothing to call'}")


def checked(function: Callable[..., Any], reference: str, path: Path, returns: type) -> Callable[..., Any]:
    """Return a function that calls `function` and raises UserFileError for its faults and for a result of the wrong type."""

    @wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        try:
            result = function(*arguments, **options)
        except FAULTS as fault:
            raise UserFileError(f"{reference} fails: {describe(fault, path)}") from fault
        if not isinstance(result, returns):
            raise UserFileError(
                f"{reference} returns a {type(result).__name__}; it should return a {returns.__module__}.{returns.__name__}"
            )
        return result

    return call


def describe(fault: BaseException, path: Path) -> str:
    """Return an exception in words, with the last line of the user's file that it came through."""
    if isinstance(fault, SyntaxError) and fault.filename == str(path):
        return f"{type(fault).__name__}: {fault.msg} (line {fault.lineno}: {(fault.text or '').strip()})"
    frames = [frame for frame in traceback.extract_tb(fault.__traceback__) if frame.filename == str(path)]
    place = f" (line {frames[-1].lineno}: {frames[-1].line})" if frames else ""
    message = f": {fault}" if str(fault) else ""
    return f"{type(fault).__name__}{message}{place}"
