"""Steps at which training itself was changed, so that a candidate there is no development."""

import numpy as np

from ontogeny import config
from ontogeny.training.optimizers import learning_rate

JUMP = 0.2
"""A change by this share from one step to the next is a change of the training, not part of a decay."""


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


def interventions(training: config.Training, section: config.Transitions) -> dict[float, str]:
    """Step -> what was changed there: jumps of the learning rate, and what the family lists."""
    jumps, listed = learning_rate_jumps(training), section.interventions
    told: dict[float, list[str]] = {}
    for step, what in (*jumps.items(), *listed.items()):
        told.setdefault(step, []).append(what)
    return {step: " and ".join(changes) for step, changes in told.items()}
