"""The losses of single examples at the draws of the whole network, and the information criteria that they give."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
from jaxtyping import Float

from ontogeny import config
from ontogeny.errors import SpecificationError
from ontogeny.estimates.information import InformationCriteria, information_criteria
from ontogeny.pipeline.files import replace_file
from ontogeny.problem.problem import Problem
from ontogeny.sampling.checks import leading_axis
from ontogeny.sampling.draws import Draws
from ontogeny.sampling.losses import per_example_losses
from ontogeny.sampling.objective import Examples, Loss

LOSSES = "losses"
"""The name under which the losses of single examples are collected."""
FEWEST_DRAWS = 2
"""Below these a checkpoint has no variance over draws."""


def collecting(loss: Loss, examples: Examples, section: config.PerExample | None) -> dict[str, Any]:
    """The options of `sample` that keep the losses which the config asks for.

    Raises:
        SpecificationError: more examples are asked for than there are.
    """
    if section is None:
        return {}
    n = leading_axis(examples, "data", "n examples")
    count = n if section.examples == "all" else section.examples
    if count > n:
        raise SpecificationError(f"llc.per_example.examples ({count}) is larger than n ({n}); all is allowed")
    some = jax.tree.map(lambda leaf: leaf[:count], examples)
    return {"collect": {LOSSES: per_example_losses(loss, some)}, "thin": section.every}


def write_losses(path: Path, traces: Draws, every: int) -> None:
    """`per_example.npz`, where losses were kept: `losses` [checkpoints, chains, draws, examples], `steps`, `draws`.

    Not finite once a chain is dead; `draws` numbers the kept draws as in traces.parquet. Removes the file where there are none.
    """
    if LOSSES not in traces.collected:
        path.unlink(missing_ok=True)
        return
    losses = np.asarray(traces.collected[LOSSES], np.float32)
    draws = every * np.arange(losses.shape[2])
    replace_file(path, lambda unfinished: np.savez(unfinished, losses=losses, steps=np.asarray(traces.steps), draws=draws))


def has_criteria(problem: Problem, llc: config.LocalLearningCoefficient, traces: Draws) -> bool:
    """Whether the chains ran on minus a log likelihood of which the loss of every one of the n examples was kept."""
    kept = LOSSES in traces.collected and traces.collected[LOSSES].shape[-1] == traces.n
    return kept and problem.is_log_likelihood and not llc.behavioural


def criteria_table(traces: Draws, averages_over: int, verdicts: Sequence[str]) -> pd.DataFrame:
    """A row per checkpoint: step, the `InformationCriteria` of the whole network by name, verdict; nats, of whole examples.

    Where the loss is a mean over the tokens of a window, minus the log likelihood of a window is `averages_over` times it.
    exp(-nβ L_n) is then the posterior at nβ / averages_over: the same draws, counted in windows. NaN where
    a criterion is not defined (WBIC at another temperature) or too few draws are left; those of dead chains are not used.

    Args:
        traces: with the losses of all n examples in `collected`.
        averages_over: the terms whose mean is the loss of an example.
        verdicts: of λ̂ at each checkpoint; they hold for what comes from the same draws.
    """
    alive = np.all(np.isfinite(np.asarray(traces.values)), axis=2)
    found = pd.DataFrame(
        [
            criteria_at(averages_over * losses[live].astype(np.float64), traces.inverse_temperature / averages_over)
            for losses, live in zip(np.asarray(traces.collected[LOSSES]), alive, strict=True)
        ]
    )
    return pd.DataFrame({"step": np.asarray(traces.steps, np.int64), **found, "verdict": list(verdicts)})


def criteria_at(losses: Float[np.ndarray, "chains draws n"], inverse_temperature: float) -> dict[str, float]:
    """The criteria of one checkpoint by name; NaN where its draws are too few for a variance."""
    if np.isfinite(losses).all(axis=2).sum() < FEWEST_DRAWS:
        return {field.name: np.nan for field in fields(InformationCriteria)}
    return {name: float(value[0]) for name, value in asdict(information_criteria(losses[None], inverse_temperature)).items()}
