"""What is studied: a task and a network, put together into a `Problem`.

`Task`, `Data` and `Problem` are resolved when they are first used: users' own files import them from here.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ontogeny.problem.problem import Data, Problem, Task

__all__ = ["Data", "Problem", "Task"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'ontogeny.problem' has no attribute {name!r}")
    return getattr(import_module("ontogeny.problem.problem"), name)
