"""The data of the pages: tables and records of runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from ontogeny.trajectory import LOSSES, STEPS, Axis
from ontogeny.transitions.records import Candidate, Consensus, Development

WHOLE_NETWORK = ""
LLC = "llc"
FEWEST_EARLY = 3
PASSED = ("ok", "")
Draws = Float[np.ndarray, "checkpoints chains draws"]
EMPTY_CURVE = pd.DataFrame(
    {"step": np.empty(0, int), "value": np.empty(0), "standard_error": np.empty(0), "verdict": np.empty(0, str)}
)


class Picture(Protocol):
    """What a network looks like: a title, a caption, and HTML that stands in the page as it is."""

    @property
    def title(self) -> str: ...
    @property
    def caption(self) -> str: ...
    @property
    def html(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """The data of a run. Only the trajectory is required; the page says what is missing.

    Attributes:
        variant, seed: "" and None for a run that belongs to no study.
        trajectory: step, observable, component ("" for the whole network, `data:NAME` for it on other data), value,
            standard_error, verdict.
        training: step, loss (mean since the previous checkpoint), learning_rate, gradient_norm.
        llc: step, component, chain, llc (the chain's own estimate), dead.
        health: a row per sampled step: step, llc, standard_error, effective_sample_size, r_hat, dead_chains, share_below,
            drift, verdict.
        traces: step, chain, draw, value.
        transitions: None where no transition was looked for.
        consensus: None where the seeds were not compared.
        calibration: the sampler's settings.
        sensitivity: λ̂ at other settings, of the run that it was measured on; None otherwise.
        specification: the exact configuration of the run.
        provenance: versions, machine, durations, digests.
        pictures: what the network looks like along the run.
    """

    family: str
    variant: str
    seed: int | None
    description: str
    trajectory: pd.DataFrame
    training: pd.DataFrame = field(default_factory=pd.DataFrame)
    llc: pd.DataFrame = field(default_factory=pd.DataFrame)
    health: pd.DataFrame = field(default_factory=pd.DataFrame)
    traces: pd.DataFrame = field(default_factory=pd.DataFrame)
    transitions: Development | None = None
    consensus: Consensus | None = None
    calibration: Mapping[str, Any] = field(default_factory=dict)
    sensitivity: Mapping[str, Any] | None = None
    specification: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    pictures: Sequence[Picture] = ()

    @property
    def name(self) -> tuple[str, ...]:
        """The family, the variant and the seed in words, without what a run does not have."""
        parts = (self.family, self.variant, "" if self.seed is None else f"seed {self.seed}")
        return tuple(part for part in parts if part)

    @property
    def candidates(self) -> Sequence[Candidate]:
        return self.transitions.candidates if self.transitions else ()


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """The data of a run for the family's page and the index.

    Attributes:
        href: relative to the page that shows it.
        provenance: the content of provenance.json: kind of job -> when it finished, how long it took, versions.
    """

    variant: str
    seed: int
    trajectory: pd.DataFrame
    transitions: Development
    href: str
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PosteriorSummary:
    """The data of the posterior of a variant for the family's page.

    Attributes:
        table: repeat, n, phase, share, mean_loss.
        summary: the content of phases.json.
        files: name -> address of its files, relative to the page.
    """

    variant: str
    table: pd.DataFrame
    summary: Mapping[str, Any]
    files: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class FamilySummary:
    """A family with its runs, the consensus of each variant whose seeds were compared, and the posteriors that were sampled.

    Attributes:
        runs: those that the page shows, all along one axis.
        axis: of their trajectories.
        ends: variant -> seed -> address of the page of the run whose last checkpoint the trajectories have; empty where `runs`
            are the runs themselves.
    """

    family: str
    description: str
    runs: Sequence[RunSummary]
    consensus: Mapping[str, Consensus] = field(default_factory=dict)
    href: str = ""
    posteriors: Sequence[PosteriorSummary] = ()
    pictures: Sequence[Picture] = ()
    axis: Axis = STEPS
    ends: Mapping[str, Mapping[int, str]] = field(default_factory=dict)


def curve(trajectory: pd.DataFrame, observable: str, component: str = WHOLE_NETWORK) -> pd.DataFrame:
    """Return a curve in the order of its steps: step, value, standard_error, verdict. It is empty where it was not measured."""
    if trajectory.empty:
        return EMPTY_CURVE.copy()
    rows = trajectory[(trajectory["observable"] == observable) & (trajectory["component"] == component)]
    return pd.DataFrame(rows, columns=EMPTY_CURVE.columns).sort_values("step", ignore_index=True)


def finite(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a curve that have a value."""
    return pd.DataFrame(rows[np.isfinite(rows["value"].astype(float))]).reset_index(drop=True)


def components(trajectory: pd.DataFrame, observable: str) -> list[str]:
    """Return the components that an observable was measured on, without the whole network."""
    if trajectory.empty:
        return []
    named = trajectory.loc[trajectory["observable"] == observable, "component"].unique()
    return [component for component in named if component != WHOLE_NETWORK]


def observables(trajectory: pd.DataFrame) -> list[str]:
    return [] if trajectory.empty else sorted(trajectory["observable"].unique())


def main_loss(trajectory: pd.DataFrame) -> pd.DataFrame:
    """Return the loss that free energies use: exact where the task knows it, else on the data of the local posterior."""
    curves = [finite(curve(trajectory, name)) for name in LOSSES]
    return next((rows for rows in curves if len(rows)), curves[0])


def steps_of(table: pd.DataFrame) -> np.ndarray:
    """Return the distinct steps of a table in increasing order."""
    return np.unique(np.asarray(table["step"])) if len(table) else np.empty(0, dtype="int64")


def last_step(trajectory: pd.DataFrame) -> int:
    return int(max(steps_of(trajectory), default=0))


def spaced_logarithmically(trajectory: pd.DataFrame) -> bool:
    """Return whether a logarithmic axis shows the checkpoints better: most lie in the first quarter of training, or
    `FEWEST_EARLY` lie between step 0 and the usual distance of two checkpoints."""
    steps = steps_of(trajectory)
    if len(steps) < 2:
        return False
    early = (steps > 0) & (steps < np.median(np.diff(steps)))
    return bool(np.median(steps) < steps[-1] / 4) or int(early.sum()) >= FEWEST_EARLY


def failed(rows: pd.DataFrame) -> pd.Series:
    """Return which rows failed a check of the sampler."""
    return pd.Series([verdict not in PASSED for verdict in rows["verdict"].fillna("")], index=rows.index, dtype=bool)


def column(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a column of numbers; all NaN where the frame lacks it."""
    if name in frame.columns:
        return pd.Series(frame[name], dtype=float)
    return pd.Series(np.nan, index=frame.index, dtype=float)


def draws_table(
    steps: Sequence[int] | Int[np.ndarray, " checkpoints"], values: Float[np.ndarray, "checkpoints chains draws"]
) -> pd.DataFrame:
    """Return a row for each draw: step, chain, draw, value."""
    count, chains, draws = values.shape
    return pd.DataFrame(
        {
            "step": np.repeat(np.asarray(steps, np.int64), chains * draws),
            "chain": np.tile(np.repeat(np.arange(chains), draws), count),
            "draw": np.tile(np.arange(draws), count * chains),
            "value": np.asarray(values).ravel(),
        }
    )
