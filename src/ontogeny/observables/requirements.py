"""What an observable needs of a network and a task, said in words when it is lacking."""

from collections.abc import Iterable

from ontogeny.errors import SpecificationError
from ontogeny.problem.network import Network
from ontogeny.problem.problem import Task


def lacking(network: Network, task: Task, *, methods: Iterable[str] = (), provided: Iterable[str] = ()) -> list[str]:
    """Which methods the network does not expose and which things the task does not provide, each as a phrase."""
    return [f"a network with a method {name}" for name in methods if name not in network.exposes] + [
        f"a task that provides {name}" for name in provided if name not in task.provides
    ]


def require(kind: str, phrases: Iterable[str]) -> None:
    """Raise ValueError when anything is lacking."""
    missing = " and ".join(phrases)
    if missing:
        raise SpecificationError(f"observables {kind} need {missing}")
