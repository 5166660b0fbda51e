"""The optimisers and schedules that the installed Optax offers, with their arguments, read from its source.

Importing Optax imports JAX (2 s), which the Snakefile must not do in every job; parsing two of its files takes
10 ms. A test compares what is read here with the signatures of the imported functions.
"""

import ast
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

SOURCES = {"optimizer": "_src/alias.py", "schedule": "schedules/_schedule.py"}
LEFT_OUT = {"lbfgs", "polyak_sgd", "noisy_sgd"}
"""The first two need more than a gradient; the third keeps a random key that a checkpoint cannot hold."""


@cache
def signatures(role: str) -> dict[str, tuple[str, ...]]:
    """Name -> argument names, for every public optimiser or schedule of the installed Optax."""
    package = find_spec("optax")
    assert package is not None and package.submodule_search_locations
    source = Path(package.submodule_search_locations[0]) / SOURCES[role]
    functions = (node for node in ast.parse(source.read_text()).body if isinstance(node, ast.FunctionDef))
    return {
        function.name: tuple(argument.arg for argument in function.args.args + function.args.kwonlyargs)
        for function in functions
        if not function.name.startswith("_") and function.name not in LEFT_OUT
        if role == "schedule" or "learning_rate" in {argument.arg for argument in function.args.args}
    }


def check(role: str, name: str, arguments: Iterable[str]) -> None:
    """Raise ValueError, naming what is allowed, unless Optax has `name` and it takes all of `arguments`."""
    known = signatures(role)
    if name not in known:
        raise ValueError(f"Optax has no {role} called {name!r}; it has {', '.join(sorted(known))}")
    unknown = [argument for argument in arguments if argument not in known[name]]
    if unknown:
        raise ValueError(f"{name} takes no {', '.join(unknown)}; it takes {', '.join(known[name])}")
