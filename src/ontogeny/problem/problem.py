"""The seam between what is studied (a task and a network) and how (training, sampling, observing).

`tasks/` produce a `Task`, `models/` produce a `Network`, and a `Problem` is one of each put together. Training and
sampling see a `Problem` only; observables see the task and the network, since they pair what one provides with what
the other exposes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
from jaxtyping import Array, Float, Int, Key

Params = Mapping[str, Array]
Shapes = Mapping[str, jax.ShapeDtypeStruct]
"""Dotted path -> shape and type of each parameter."""
Predicate = Callable[[Shapes], Mapping[str, tuple[int | slice, ...]]]
"""From the shapes of the parameters to those of a component: dotted path -> index into that array, () for all of it."""
Inputs = Any
Targets = Any
Outputs = Any
Batch = tuple[Inputs, Targets]
"""Inputs and targets, each a pytree of arrays whose leading axis counts examples."""
RandomKey = Key[Array, ""]
ObservableFunction = Callable[[Params], Any]
"""From the parameters at a checkpoint to a scalar, or to a mapping from component to scalar. Traceable by JAX."""


@dataclass(frozen=True, kw_only=True)
class Data:
    """Where examples come from.

    Attributes:
        train: (key, step) -> the batch that a training step uses; the key is the run's, the same at every step. Traceable.
        sampling: the n examples whose mean loss is L_n in the local posterior.
        evaluation: held-out examples.
    """

    train: Callable[[RandomKey, Int[Array, ""]], Batch]
    sampling: Batch
    evaluation: Batch


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is to be learnt, knowing no network.

    Attributes:
        data: the examples.
        output_loss: (outputs, targets) -> the loss of each example, shape [batch].
        shape: what a network must know to fit, such as {"features": 6} or {"vocabulary": 128, "context": 32}.
        is_log_likelihood: whether `output_loss`, times `averages_over`, is minus the log likelihood of an example.
        averages_over: of how many terms, such as the tokens of a window, the loss of an example is the mean; 1 for a sum.
        divergence: (outputs, other outputs) -> how far they are apart on each example, on the scale of `output_loss`; for
            the behavioural local learning coefficient.
        provides: what observables of this task may use, by name (probe batches, exact losses, statistics of a corpus).
    """

    data: Data
    output_loss: Callable[[Outputs, Targets], Float[Array, " batch"]]
    shape: Mapping[str, int]
    is_log_likelihood: bool = False
    averages_over: int = 1
    divergence: Callable[[Outputs, Outputs], Float[Array, " batch"]] | None = None
    provides: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A task and a network put together: all that training and sampling need to know."""

    init: Callable[[RandomKey], Params]
    loss: Callable[[Params, Batch], Float[Array, " batch"]]
    data: Data
    apply: Callable[[Params, Inputs], Outputs] | None = None
    output_loss: Callable[[Outputs, Targets], Float[Array, " batch"]] | None = None
    is_log_likelihood: bool = False
    averages_over: int = 1
    shape: Mapping[str, int] = field(default_factory=dict)
    divergence: Callable[[Outputs, Outputs], Float[Array, " batch"]] | None = None
    activations: Callable[[Params, Inputs], Mapping[str, Array]] | None = None
    components: Mapping[str, Predicate] = field(default_factory=dict)
    observables: Mapping[str, ObservableFunction] = field(default_factory=dict)
