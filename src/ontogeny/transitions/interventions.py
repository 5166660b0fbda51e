"""Steps at which the training itself was changed. A candidate there is no development."""

import numpy as np

from ontogeny import config
from ontogeny.training.optimizers import learning_rate

JUMP = 0.2
"""A learning rate that changes by this share from one step to the next jumps."""


def learning_rate_jumps(training: config.Training) -> dict[float, str]:
    """Return step -> what happened there, for every jump of the learning rate.

    A jump stands alone. A warm-up from near 0 and a decay towards it also change by large shares, but at neighbouring steps as
    well. A constant rate needs no JAX.
    """
    if not isinstance(training.optimizer.learning_rate, config.Schedule):
        return {}
    import jax

    rates = np.asarray(jax.vmap(learning_rate(training))(np.arange(training.steps)), dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        sizes = np.nan_to_num(np.abs(np.diff(np.log(rates))), nan=0.0, posinf=np.inf)
    beside = np.maximum(np.append(0.0, sizes[:-1]), np.append(sizes[1:], 0.0))
    jumps = np.isfinite(sizes) & (sizes >= np.log1p(JUMP)) & (beside <= sizes / 2)
    return {
        float(step): f"the learning rate went from {rates[step - 1]:.3g} to {rates[step]:.3g}"
        for step in np.flatnonzero(jumps) + 1
    }


def interventions(training: config.Training, section: config.Transitions) -> dict[float, str]:
    """Return step -> what was changed there: jumps of the learning rate, and what the family lists."""
    changes: dict[float, list[str]] = {}
    for step, change in (*learning_rate_jumps(training).items(), *section.interventions.items()):
        changes.setdefault(step, []).append(change)
    return {step: " and ".join(texts) for step, texts in changes.items()}
