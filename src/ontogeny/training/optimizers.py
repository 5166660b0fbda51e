"""Optimisers and learning rates of Optax, by the names that config.yaml gives. Optax is imported when one is built."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from ontogeny import config

if TYPE_CHECKING:
    import optax


def learning_rate(training: config.Training) -> Callable[[Any], Any]:
    """Return the learning rate as a function of the step, traceable by JAX."""
    import optax

    rate = training.optimizer.learning_rate
    if isinstance(rate, config.Schedule):
        return promoting(getattr(optax, rate.name)(**(rate.__pydantic_extra__ or {})))
    if training.warmup:
        return promoting(optax.warmup_constant_schedule(0.0, rate, training.warmup))
    return optax.constant_schedule(rate)


def build_optimizer(training: config.Training) -> "optax.GradientTransformation":
    """Return the optimiser that the config names, with clipping by the global norm if the config sets it."""
    import optax

    make = getattr(optax, training.optimizer.name)
    optimizer = make(learning_rate=learning_rate(training), **(training.optimizer.__pydantic_extra__ or {}))
    if training.clip is not None:
        optimizer = optax.chain(optax.clip_by_global_norm(training.clip), optimizer)
    return optimizer._replace(update=promoting(optimizer.update))


def promoting(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function of Optax combine its integer counts with floats, also where JAX is set to refuse that."""

    @wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        import jax

        with jax.numpy_dtype_promotion("standard"):
            return function(*arguments, **options)

    return call
