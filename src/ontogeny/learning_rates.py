"""The learning rate of a run as a function of the step, and where it jumps."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ontogeny import config

JUMP = 0.2
"""A change by this share from one step to the next is a change of the training, not part of a decay."""


def learning_rate(training: config.Training) -> Callable[[Any], Any]:
    """The learning rate as a function of the step, traceable by JAX."""
    import optax

    rate = training.optimizer.learning_rate
    if isinstance(rate, config.Schedule):
        return getattr(optax, rate.name)(**(rate.__pydantic_extra__ or {}))
    if training.warmup:
        return optax.warmup_constant_schedule(0.0, rate, training.warmup)
    return optax.constant_schedule(rate)


def learning_rate_jumps(training: config.Training) -> dict[float, str]:
    """Step -> what happened there, for every jump of the learning rate.

    A jump stands alone: a warm-up from near 0 and a decay towards it change by large shares too, but at their neighbours as well.
    A constant rate needs no JAX.
    """
    if not isinstance(training.optimizer.learning_rate, config.Schedule):
        return {}
    import jax

    rates = np.asarray(jax.vmap(learning_rate(training))(np.arange(training.steps)), dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        sizes = np.nan_to_num(np.abs(np.diff(np.log(rates))), nan=0.0, posinf=np.inf)
    beside = np.maximum(np.append(0.0, sizes[:-1]), np.append(sizes[1:], 0.0))
    jumped = np.isfinite(sizes) & (sizes >= np.log1p(JUMP)) & (beside <= sizes / 2)
    return {
        float(step): f"the learning rate went from {rates[step - 1]:.3g} to {rates[step]:.3g}"
        for step in np.flatnonzero(jumped) + 1
    }
