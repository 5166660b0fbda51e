"""Optimisers and learning rates of Optax, by the names that config.yaml gives. Optax is imported when one is built."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ontogeny import config

if TYPE_CHECKING:
    import optax


def learning_rate(training: config.Training) -> Callable[[Any], Any]:
    """The learning rate as a function of the step, traceable by JAX."""
    import optax

    rate = training.optimizer.learning_rate
    if isinstance(rate, config.Schedule):
        return getattr(optax, rate.name)(**(rate.__pydantic_extra__ or {}))
    if training.warmup:
        return optax.warmup_constant_schedule(0.0, rate, training.warmup)
    return optax.constant_schedule(rate)


def build_optimizer(training: config.Training) -> "optax.GradientTransformation":
    """The optimiser that the config names, after clipping by the global norm where it asks for that."""
    import optax

    make = getattr(optax, training.optimizer.name)
    optimizer = make(learning_rate=learning_rate(training), **(training.optimizer.__pydantic_extra__ or {}))
    return optimizer if training.clip is None else optax.chain(optax.clip_by_global_norm(training.clip), optimizer)
