"""Observables that are means over examples. Those over the same examples are measured in one pass of the network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
from jaxtyping import Array, PyTree

from ontogeny.arrays.parts import Rows, mean_in_parts
from ontogeny.problem.network import Network
from ontogeny.problem.problem import ObservableFunction, Outputs, Params


def itself(mean: Any) -> Any:
    return mean


@dataclass(frozen=True, kw_only=True, eq=False)
class ExampleMean:
    """An observable from a mean over examples. It is a function of the parameters, as every observable is.

    Attributes:
        network: the network that is measured.
        examples: arrays with a leading axis of examples. Observables that hold the same arrays share a pass of the network.
        inputs: examples -> what the network takes of them.
        method: of the network's module.
        measure: (what the method returns, examples) -> a number or an array for each example, with a leading axis of examples.
        finish: from the mean over the examples to the observable.
    """

    network: Network
    examples: Rows
    inputs: Callable[[Rows], Any]
    measure: Callable[[Outputs, Rows], Array]
    method: str = "__call__"
    finish: Callable[[Array], Any] = itself

    def __call__(self, params: Params) -> Any:
        return means_together({"": self}, params)[""]

    def show(self, params: Params, part: Rows) -> Outputs:
        return self.network.apply(params, self.inputs(part), method=self.method)


def measure_all(observables: Mapping[str, ObservableFunction], params: Params) -> dict[str, Any]:
    """Return name -> value of every observable at one checkpoint, with one pass of the network over each set of examples."""
    groups: dict[Any, dict[str, ExampleMean]] = {}
    values = {}
    for name, observable in observables.items():
        if isinstance(observable, ExampleMean):
            arrays = tuple(id(leaf) for leaf in jax.tree.leaves(observable.examples))
            groups.setdefault((id(observable.network), arrays), {})[name] = observable
        else:
            values[name] = observable(params)
    for group in groups.values():
        values |= means_together(group, params)
    return {name: values[name] for name in observables}


def means_together(group: Mapping[str, ExampleMean], params: Params) -> dict[str, Any]:
    """Return name -> value of observables over the same examples.

    Each of them calls the network on the same part of the examples in the same loop, where XLA computes equal results once.
    """

    def show(part: Rows) -> PyTree:
        return {name: observable.show(params, part) for name, observable in group.items()}

    def measure(shown: PyTree, part: Rows) -> PyTree[Array]:
        return {name: observable.measure(shown[name], part) for name, observable in group.items()}

    means = mean_in_parts(show, measure, next(iter(group.values())).examples)
    return {name: observable.finish(means[name]) for name, observable in group.items()}
