"""What an observable needs of a network and a task."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ontogeny.problem.network import Network
from ontogeny.problem.problem import Task


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a kind of observables needs; by default nothing.

    Attributes:
        methods: public methods of the network's module.
        provides: names in `Task.provides`.
        shape: keys of `Task.shape`.
        more: (network, task) -> a phrase for everything else that is missing; called when the rest is there.
    """

    methods: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    shape: tuple[str, ...] = ()
    more: Callable[[Network, Task], Sequence[str]] = lambda network, task: ()

    def missing(self, network: Network, task: Task) -> list[str]:
        """Return a phrase for everything that is missing; none where the kind fits."""
        phrases = [f"a network with a method {name}" for name in self.methods if name not in network.exposes]
        phrases += [f"a task that provides {name}" for name in self.provides if name not in task.provides]
        phrases += [f"a task whose shape has {name}" for name in self.shape if name not in task.shape]
        return phrases or list(self.more(network, task))
