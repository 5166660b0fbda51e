"""Information criteria from the draws of one local posterior: Gibbs loss, functional variance, WAIC, singular fluctuation, WBIC.

Watanabe (2010), "Asymptotic equivalence of Bayes cross validation and widely applicable information criterion", and
(2013), "A widely applicable Bayesian information criterion". All need a loss that is minus a log likelihood.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import logsumexp

PerCheckpoint = Float[np.ndarray, " checkpoints"]


@dataclass(frozen=True, kw_only=True)
class InformationCriteria:
    """The criteria at each checkpoint, with β = nβ / n, x_1 … x_n the data, and E, V over the draws of the live chains together.

    Attributes:
        bayes_training_loss: T_n = -(1/n) Σ log E[p(x_i|w)].
        gibbs_training_loss: G_n = E[L_n(w)].
        functional_variance: V_n = Σ V[log p(x_i|w)].
        singular_fluctuation: ν̂ = β V_n / 2.
        waic: T_n + β V_n / n, an estimate of the Bayes generalisation loss.
        gibbs_generalization_loss: G_n + β V_n / n, an estimate of E over new data of the Gibbs loss.
        wbic: n G_n, minus the log marginal likelihood up to O(√log n) at nβ = n / log n and without localisation. With
            localisation it is that of the local model. NaN at any other nβ.
    """

    bayes_training_loss: PerCheckpoint
    gibbs_training_loss: PerCheckpoint
    functional_variance: PerCheckpoint
    singular_fluctuation: PerCheckpoint
    waic: PerCheckpoint
    gibbs_generalization_loss: PerCheckpoint
    wbic: PerCheckpoint


def information_criteria(
    losses: Float[np.ndarray, "checkpoints chains draws n"],
    inverse_temperature: float,
) -> InformationCriteria:
    """Return the criteria from the losses of all n examples at the draws.

    `sample(collect={"losses": per_example_losses(…)})` collects such losses.

    Args:
        losses: -log p(x_i|w), summed over the tokens of one independent example. A chain with a value that is not finite is left
            out whole; put NaN where a chain died between the collected draws.
        inverse_temperature: nβ of the posterior that the draws are of. Where the chains ran on a mean over T tokens, pass T times
            the losses, and nβ / T.

    Raises:
        ValueError: nβ is not positive, fewer than two draws are left at a checkpoint, or the losses have another number of axes.
    """
    if not (np.isfinite(inverse_temperature) and inverse_temperature > 0):
        raise ValueError(f"inverse_temperature: must be positive and finite, got {inverse_temperature}")
    array = np.asarray(losses, np.float64)
    if array.ndim != 4:
        raise ValueError(f"losses: must have the axes [checkpoints, chains, draws, examples], got shape {array.shape}")
    rows = [criteria_at(of_checkpoint, inverse_temperature) for of_checkpoint in array]
    return InformationCriteria(**{name: np.array([row[name] for row in rows]) for name in rows[0]})


def criteria_at(losses: Float[np.ndarray, "chains draws n"], inverse_temperature: float) -> dict[str, float]:
    """Return the criteria of one checkpoint, by name."""
    n = losses.shape[-1]
    losses = losses[np.isfinite(losses).all(axis=(1, 2))].reshape(-1, n)
    if len(losses) < 2:
        raise ValueError(f"losses: at least 2 draws of live chains are needed at each checkpoint, got {len(losses)}")
    beta = inverse_temperature / n
    training = float(-np.mean(logsumexp(-losses, axis=0) - np.log(len(losses))))
    gibbs, variance = float(losses.mean()), float(losses.var(axis=0, ddof=1).sum())
    at_wbic = np.isclose(inverse_temperature, n / np.log(n), rtol=1e-6)
    return {
        "bayes_training_loss": training,
        "gibbs_training_loss": gibbs,
        "functional_variance": variance,
        "singular_fluctuation": beta * variance / 2,
        "waic": training + beta * variance / n,
        "gibbs_generalization_loss": gibbs + beta * variance / n,
        "wbic": n * gibbs if at_wbic else float("nan"),
    }
