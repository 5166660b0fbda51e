"""Estimate λ̂ from the draws of every seed of a block: with its error, the health of its chains, and information criteria."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from ontogeny.estimates.information import InformationCriteria, information_criteria
from ontogeny.estimates.llc import summarise, with_step_size_check
from ontogeny.jobs.job import Job, Made
from ontogeny.pipeline.files import read_json, read_result, write_parquet
from ontogeny.sampling.calibration.stability import Stability
from ontogeny.sampling.draws import WHOLE_NETWORK, Draws, read

FEWEST_DRAWS = 2
"""Below these a checkpoint has no variance over draws."""


def run(job: Job) -> None:
    """Write the estimates of each seed that does not have them, see `estimate_seed`."""
    job.per_seed(lambda seed: estimate_seed(job, seed), reads=lambda seed: [job.folder / "calibration.json"])


def estimate_seed(job: Job, seed: int) -> Made:
    """Write `llc.parquet` (λ̂ by chain), `health.parquet` (λ̂ and its checks by checkpoint) and, where the draws give them, the
    information criteria of the whole network (`information.parquet`)."""
    own, sampled = job.seed_folder(seed), job.manifest(seed, "sample")
    draws = read_result(own / "draws", lambda folder: read_draws(folder, sampled["components"], sampled["steps"]))
    suitability = stability_of(read_json(job.folder / "calibration.json"))
    estimates = {
        component: with_step_size_check(replace(summarise(drawn), stability=suitability))
        for component, (drawn, _) in draws.items()
    }
    tables = [estimate.by_chain(component) for component, estimate in estimates.items()]
    write_parquet(own / "llc.parquet", pd.concat(tables, ignore_index=True))
    refined = {component: estimate for component, estimate in estimates.items() if component != WHOLE_NETWORK}
    write_parquet(own / "health.parquet", replace(estimates[WHOLE_NETWORK], refined=refined).to_frame())
    outputs = [own / "llc.parquet", own / "health.parquet"]
    drawn, attributes = draws[WHOLE_NETWORK]
    details = {"averages_over": attributes["averages_over"]}
    if has_criteria(drawn, attributes["averages_over"]):
        criteria = criteria_table(drawn, attributes["averages_over"], estimates[WHOLE_NETWORK].verdict)
        write_parquet(own / "information.parquet", criteria)
        return Made(outputs=[*outputs, own / "information.parquet"], details=details)
    (own / "information.parquet").unlink(missing_ok=True)
    return Made(outputs=outputs, details=details)


def stability_of(calibration: Mapping[str, Any]) -> Stability | None:
    """Return the stability of the step of a variant, from its calibration; None for a sampler whose step cannot be judged."""
    stored = calibration.get("stability")
    return None if stored is None else Stability(**{name: stored[name] for name in Stability._fields})


def read_draws(folder: Path, components: Sequence[str], steps: Sequence[int]) -> dict[str, tuple[Draws, Mapping]]:
    return {component: read(folder, component, steps) for component in components}


def has_criteria(draws: Draws, averages_over: int | None) -> bool:
    """Return whether the chains ran on minus a log likelihood, and the loss of every one of the n examples was kept.

    Args:
        averages_over: None where the loss is no log likelihood.
    """
    losses = draws.collected.get("per_example_loss")
    return averages_over is not None and losses is not None and losses.shape[-1] == draws.n


def criteria_table(draws: Draws, averages_over: int, verdicts: Sequence[str]) -> pd.DataFrame:
    """Return a row for each checkpoint: step, the `InformationCriteria` of the whole network by name, verdict.

    Criteria are in nats of whole examples. Where the loss is a mean over the tokens of a window, minus the log likelihood of a
    window is `averages_over` times the loss, and exp(-nβ L_n) is the posterior at nβ / averages_over. A criterion is NaN where
    it is not defined (WBIC at another temperature) or where too few draws are left. Dead chains are left out.

    Args:
        draws: with the losses of all n examples in `collected`.
        averages_over: the terms whose mean is the loss of an example.
        verdicts: of λ̂ at each checkpoint; they hold for what comes from the same draws.
    """
    alive = np.all(np.isfinite(np.asarray(draws.values)), axis=2)
    losses = np.asarray(draws.collected["per_example_loss"])
    rows = [
        criteria_at(averages_over * at_step[live].astype(np.float64), draws.inverse_temperature / averages_over)
        for at_step, live in zip(losses, alive, strict=True)
    ]
    return pd.DataFrame({"step": np.asarray(draws.steps, np.int64), **pd.DataFrame(rows), "verdict": list(verdicts)})


def criteria_at(losses: Float[np.ndarray, "chains draws n"], inverse_temperature: float) -> dict[str, float]:
    """Return the criteria of one checkpoint by name; NaN where its draws are too few for a variance."""
    if np.isfinite(losses).all(axis=2).sum() < FEWEST_DRAWS:
        return {field.name: np.nan for field in fields(InformationCriteria)}
    return {name: float(value[0]) for name, value in asdict(information_criteria(losses[None], inverse_temperature)).items()}
