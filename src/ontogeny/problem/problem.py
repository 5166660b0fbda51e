"""What is studied: a task, and a network together with a task.

A kind of `tasks/` makes a `Task`, a kind of `models/` makes a `Network`, and a `Problem` joins one of each. Training and
sampling know only the `Problem`. Observables know the task and the network: they use what one provides and the other exposes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
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
Recorded = Callable[[Params], Array] | np.ndarray
"""What a picture is drawn from: a function of the parameters at a checkpoint, or an array that is the same at all of them."""


@dataclass(frozen=True, kw_only=True)
class Data:
    """The examples of a task.

    Attributes:
        train: (key, step) -> the batch of a training step. The key is the run's and the same at every step. Traceable.
        sampling: the n examples whose mean loss is L_n in the local posterior.
        evaluation: held-out examples.
    """

    train: Callable[[RandomKey, Int[Array, ""]], Batch]
    sampling: Batch
    evaluation: Batch


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is to be learnt. A task does not know the network.

    Attributes:
        data: the examples.
        output_loss: (outputs, targets) -> the loss of each example, shape [batch].
        shape: what a network must know to fit, such as {"features": 6} or {"vocabulary": 128, "context": 32}.
        is_log_likelihood: whether `output_loss`, times `averages_over`, is minus the log likelihood of an example.
        averages_over: the number of terms, such as the tokens of a window, that the loss of an example averages; 1 for a sum.
        divergence: (outputs, other outputs) -> their distance on each example, on the scale of `output_loss`. The behavioural
            local learning coefficient needs it.
        provides: name -> what observables of this task may use: probe batches, exact losses, statistics of a corpus.
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
    """A task joined with a network: all that training and sampling need to know."""

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
    pictures: Mapping[str, Mapping[str, Recorded]] = field(default_factory=dict)
