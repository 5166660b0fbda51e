"""Turn a Flax NNX module into pure functions of its parameters.

Parameters are a flat mapping from dotted path to array, such as `layers.0.attention.query`. Everything else that a module
holds (dropout keys, running statistics) stays as it was initialised, and modules run in evaluation mode. The loss is then a
function of the parameters alone.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
from flax import nnx
from jaxtyping import Array

from ontogeny.problem.problem import Inputs, Outputs, Params, Predicate, Problem, RandomKey


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network without its parameters.

    Attributes:
        init: key -> the parameters at step 0; traceable, so that seeds can be vectorised.
        apply: (params, *inputs, method="__call__") -> what that method of the module returns; traceable.
        exposes: the names of the module's public methods, such as `attention_patterns`; observables may need some of them.
        components: name -> predicate that says which parameters belong to the component.
    """

    init: Callable[[RandomKey], Params]
    apply: Callable[..., Outputs]
    exposes: frozenset[str] = frozenset()
    components: Mapping[str, Predicate] = field(default_factory=dict)

    def activations(self, params: Params, inputs: Inputs) -> Mapping[str, Array]:
        """Return the activations by site, each of shape [batch, ...]; nothing for a module that names no site.

        A module names its sites in a method `activations(inputs)`. The function is traceable: a compiled function computes the
        sites that it uses and no others.
        """
        return self.apply(params, inputs, method="activations") if "activations" in self.exposes else {}


def functional(make: Callable[[nnx.Rngs], nnx.Module]) -> Network:
    """Return the network that `make` constructs.

    A module may have a method `components()` that returns the network's components, name -> predicate.
    """
    model = nnx.eval_shape(lambda: make(nnx.Rngs(0)))  # a concrete module would compile every operation separately
    model.eval()
    graph, parameters, rest = nnx.split(model, nnx.Param, ...)
    if jax.tree.leaves(rest):
        rest = nnx.split(make(nnx.Rngs(0)), nnx.Param, ...)[2]

    def init(key: RandomKey) -> dict[str, Array]:
        return flatten(nnx.state(make(nnx.Rngs(key)), nnx.Param))

    def apply(params: Params, *inputs: object, method: str = "__call__") -> Outputs:
        state = nnx.map_state(lambda path, _: params[dotted(path)], parameters)
        return getattr(nnx.merge(graph, state, rest), method)(*inputs)

    components = getattr(model, "components", dict)()
    return Network(init=init, apply=apply, exposes=public_methods(type(model)), components=components)


def flatten(state: nnx.State) -> dict[str, Any]:
    """Return dotted path -> array of every parameter of an NNX state; -> shape where the state is abstract."""
    return {dotted(path): variable.get_value() for path, variable in nnx.to_flat_state(state)}


def dotted(path: Iterable[Any]) -> str:
    return ".".join(map(str, path))


def public_methods(module: type[nnx.Module]) -> frozenset[str]:
    """Return the names of the methods that a class adds to those of every module."""
    return frozenset(
        name
        for name in dir(module)
        if not name.startswith("_") and not hasattr(nnx.Module, name) and callable(getattr(module, name))
    )


def parameter_shapes(network: Network | Problem) -> dict[str, jax.ShapeDtypeStruct]:
    """Return dotted path -> shape and type of each parameter, without computing any."""
    return dict(jax.eval_shape(network.init, jax.random.key(0)))
