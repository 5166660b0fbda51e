"""What the pages show: the tables and files of runs, as the stages before the report left them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ontogeny.trajectory import LOSSES

WHOLE_NETWORK = ""
LLC = "llc"
PASSED = ("ok", "")
EMPTY_CURVE = pd.DataFrame(
    {"step": np.empty(0, int), "value": np.empty(0), "standard_error": np.empty(0), "verdict": np.empty(0, str)}
)


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """All that is known of one run. Only the trajectory is needed; the page says in words what is missing.

    Attributes:
        trajectory: step, observable, component ("" for the whole network, `data:NAME` for it on other data), value,
            standard_error, verdict.
        training: step, loss (mean since the previous checkpoint), learning_rate, gradient_norm.
        llc: step, component, chain, llc (the chain's own estimate), dead.
        health: a row per sampled step: step, llc, standard_error, effective_sample_size, r_hat, dead_chains, share_below,
            drift, verdict.
        traces: step, chain, draw, value.
        transitions: the content of transitions.json.
        consensus: the content of consensus.json.
        calibration: the sampler's settings.
        specification: the exact configuration of the run.
        provenance: versions, machine, durations, digests.
    """

    family: str
    variant: str
    seed: int
    description: str
    trajectory: pd.DataFrame
    training: pd.DataFrame = field(default_factory=pd.DataFrame)
    llc: pd.DataFrame = field(default_factory=pd.DataFrame)
    health: pd.DataFrame = field(default_factory=pd.DataFrame)
    traces: pd.DataFrame = field(default_factory=pd.DataFrame)
    transitions: Mapping[str, Any] = field(default_factory=dict)
    consensus: Mapping[str, Any] = field(default_factory=dict)
    calibration: Mapping[str, Any] = field(default_factory=dict)
    specification: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """What a family's page and the index show of one run; `href` is relative to the page that shows it."""

    variant: str
    seed: int
    trajectory: pd.DataFrame
    transitions: Mapping[str, Any]
    href: str


@dataclass(frozen=True, kw_only=True)
class PosteriorSummary:
    """What a family's page shows of the posterior of one variant.

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
    """A family with its runs; `consensus` holds the content of each variant's consensus.json, `posteriors` those sampled."""

    family: str
    description: str
    runs: Sequence[RunSummary]
    consensus: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    href: str = ""
    posteriors: Sequence[PosteriorSummary] = ()


def curve(trajectory: pd.DataFrame, observable: str, component: str = WHOLE_NETWORK) -> pd.DataFrame:
    """One curve of a trajectory in the order of its steps: step, value, standard_error, verdict. Empty where there is none."""
    if trajectory.empty:
        return EMPTY_CURVE.copy()
    rows = trajectory[(trajectory["observable"] == observable) & (trajectory["component"] == component)]
    return pd.DataFrame(rows, columns=EMPTY_CURVE.columns).sort_values("step", ignore_index=True)


def finite(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of a curve that have a value."""
    return pd.DataFrame(rows[np.isfinite(rows["value"].astype(float))]).reset_index(drop=True)


def components(trajectory: pd.DataFrame, observable: str) -> list[str]:
    """The components that an observable was measured on, the whole network apart."""
    if trajectory.empty:
        return []
    named = trajectory.loc[trajectory["observable"] == observable, "component"].unique()
    return [component for component in named if component != WHOLE_NETWORK]


def observables(trajectory: pd.DataFrame) -> list[str]:
    return [] if trajectory.empty else sorted(trajectory["observable"].unique())


def main_loss(trajectory: pd.DataFrame) -> pd.DataFrame:
    """The loss that free energies use: exact where the task knows it, else on the data of the local posterior."""
    curves = [finite(curve(trajectory, name)) for name in LOSSES]
    return next((rows for rows in curves if len(rows)), curves[0])


def steps_of(table: pd.DataFrame) -> np.ndarray:
    """The steps of a table, each once, increasing."""
    return np.unique(np.asarray(table["step"], dtype="int64")) if len(table) else np.empty(0, dtype="int64")


def last_step(trajectory: pd.DataFrame) -> int:
    return int(max(steps_of(trajectory), default=0))


def crowded_early(trajectory: pd.DataFrame) -> bool:
    """Whether most checkpoints lie in the first quarter of training, so that a logarithmic axis shows them better."""
    return len(trajectory) > 0 and float(np.median(steps_of(trajectory))) < last_step(trajectory) / 4


def failed(rows: pd.DataFrame) -> pd.Series:
    """Which rows failed a check of the sampler."""
    return pd.Series([verdict not in PASSED for verdict in rows["verdict"].fillna("")], index=rows.index, dtype=bool)


def column(frame: pd.DataFrame, name: str) -> pd.Series:
    """A column of numbers; NaN throughout where the frame lacks it."""
    if name in frame.columns:
        return pd.Series(frame[name], dtype=float)
    return pd.Series(np.nan, index=frame.index, dtype=float)
