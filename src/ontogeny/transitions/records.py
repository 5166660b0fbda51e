"""The content of `transitions.json` and `consensus.json` as frozen dataclasses, and their way to JSON and back.

All code passes these objects. JSON is made by `to_json` and read by `read_record`, where a file is written or read.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from ontogeny.errors import SpecificationError
from ontogeny.pipeline.files import read_json
from ontogeny.trajectory import STEPS, Axis

UNNAMED = "unnamed"
ESTIMATE, ORDER_OF_MAGNITUDE = "estimate", "order of magnitude"
LARGEST_SHARE_HELD = 0.3
"""Where the localisation decides more than this share of λ̂, no critical sample size is made of it."""
LARGEST_SHARE_ERROR = 0.15
"""The standard error up to which the draws know that share; the noise of batches may hide it."""
Record = TypeVar("Record")


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A passage of one curve: a candidate or void row of `detect_transitions`.

    Attributes:
        start, location, location_low, location_high, end: in the unit of the axis.
        change, change_standard_error: in the unit of the observable.
        slope_probability: None where no slope lies within the passage.
        reason: why the passage is void, or how its curve was thinned; "" otherwise.
    """

    observable: str
    component: str
    start: float
    location: float
    location_low: float
    location_high: float
    end: float
    change: float
    change_standard_error: float
    p_value: float
    q_value: float
    slope_probability: float | None = None
    direction: str
    reason: str = ""

    @property
    def curve(self) -> tuple[str, str]:
        """The observable and the component."""
        return self.observable, self.component


@dataclass(frozen=True, kw_only=True)
class Reason:
    """The levels of a curve before and after a transition that met a condition of a naming rule.

    Attributes:
        direction: what the condition asked for: "rise", "fall", "change", or "level" where only the level afterwards counts.
        at: "transition", or "end" where `after` is the level at the end of the run.
    """

    observable: str
    component: str
    before: float
    after: float
    direction: str = "change"
    at: str = "transition"


@dataclass(frozen=True, kw_only=True)
class Lag:
    """How much later than a reference curve another one passes its halfway point, with the 95% interval.

    Lags are differences of positions on the scale of the axis.
    """

    observable: str
    component: str
    reference: str
    lag: float
    lag_low: float
    lag_high: float


@dataclass(frozen=True, kw_only=True)
class FreeEnergyChange:
    """What a transition does to the free energy. None where λ̂ or the loss was not measured on both sides.

    Attributes:
        delta_llc_degrees_of_freedom: None where the standard error is known exactly.
        delta_llc_spread: the standard deviation of the change of λ̂ over other choices of nβ and γ; None where it is not known.
        free_energy_condition: whether the loss falls while λ̂ rises.
        critical_sample_size: the n at which the free energies cross, with its 95% interval; None where they do not cross, where
            the localisation decides λ̂, or where the end is infinite. The interval holds the errors of the chains, the spread
            and the bias of the step.
        critical_sample_size_unit: what n counts: "examples", or "examples of 32 terms" where the loss of an example is the mean
            of 32 terms.
        critical_sample_size_kind: "estimate", or "order of magnitude" where the volumes of the phases, which the formula leaves
            out, may move n by more than a factor of two.
        inverse_temperature, localization: nβ and γ of λ̂; None where they are not known.
        step_bias: the share of λ̂ that the step adds: over all directions where that was measured, else in the worst direction.
        held_by_localization: the share of λ̂ that the localisation decides, the larger of both sides; None where it is not known.
    """

    delta_llc: float | None = None
    delta_llc_standard_error: float | None = None
    delta_llc_degrees_of_freedom: float | None = None
    delta_llc_spread: float | None = None
    delta_loss: float | None = None
    delta_loss_standard_error: float | None = None
    delta_negative_log_prior: float | None = None
    free_energy_condition: bool | None = None
    free_energy_condition_probability: float | None = None
    critical_sample_size: float | None = None
    critical_sample_size_low: float | None = None
    critical_sample_size_high: float | None = None
    critical_sample_size_unit: str | None = None
    critical_sample_size_kind: str | None = None
    inverse_temperature: float | None = None
    localization: float | None = None
    step_bias: float = 0.0
    held_by_localization: float | None = None


@dataclass(frozen=True, kw_only=True)
class Candidate(FreeEnergyChange):
    """A transition of a run: the passages of several curves that coincide.

    Attributes:
        named_by: what the naming rule rests on; empty where the candidate is unnamed.
        start, location, end: in the unit of the axis.
        location_low, location_high: the medians of the ends of the 95% intervals of the passages' locations.
        llc_before, llc_after, loss_before, loss_after: levels; None where that side has no clean level. The change and what
            follows from it are then None too.
        observable, component, direction, change, change_standard_error, p_value, q_value: those of the clearest curve.
        lags: of the other curves behind λ̂, or behind the loss where λ̂ does not change.
        evidence: the passages, the clearest first.
        llc_verdict: "ok", "failed", or None where the run has no λ̂.
        co_timing_p_value: the chance that as many observables move within the candidate by coincidence.
    """

    name: str
    named_by: tuple[Reason, ...] = ()
    start: float
    location: float
    location_low: float
    location_high: float
    end: float
    observable: str
    component: str
    direction: str
    change: float
    change_standard_error: float
    p_value: float
    q_value: float
    llc_before: float | None = None
    llc_after: float | None = None
    loss_before: float | None = None
    loss_after: float | None = None
    lags: tuple[Lag, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    llc_verdict: str | None = None
    co_timing_p_value: float


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stretch of development between transitions, with its changes of λ̂ and loss (None where not measured)."""

    start: float
    end: float
    delta_llc: float | None
    delta_loss: float | None
    type: str


@dataclass(frozen=True, kw_only=True)
class Boundary:
    """Where λ̂ turns from rising, falling or resting to another of the three; `from` and `to` in JSON."""

    location: float
    before: Annotated[str, Field(alias="from")]
    after: Annotated[str, Field(alias="to")]
    probability: float


@dataclass(frozen=True, kw_only=True)
class Remark:
    """Something to know about a curve."""

    observable: str
    component: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Development:
    """The content of `transitions.json`: the transitions of a run, the stages between them, and what is not known.

    Attributes:
        void: passages where the training itself was changed.
        undecided: curves in which no transition can be looked for, and why.
        thinned: curves that were thinned before the search, and how.
        small: passages that are no transition, since they change their observable by less than what counts.
    """

    candidates: tuple[Candidate, ...]
    stages: tuple[Stage, ...]
    boundaries: tuple[Boundary, ...]
    void: tuple[Evidence, ...]
    undecided: tuple[Remark, ...]
    thinned: tuple[Remark, ...] = ()
    small: tuple[Evidence, ...] = ()
    axis: Axis = STEPS


@dataclass(frozen=True, kw_only=True)
class Certainty:
    """How sure one seed is of a transition.

    Attributes:
        location: in the unit of the axis.
        p_value, q_value: of the seed's clearest curve.
        named: whether the seed's own candidate has the name; without, it lies where that of another seed does.
        independent: whether an observable other than the loss and λ̂ changes with it.
    """

    seed: int
    location: float
    p_value: float
    q_value: float
    named: bool
    independent: bool


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """A transition over the seeds of a variant.

    Attributes:
        support: "supported", "weak" or "unsupported".
        seeds: those that make the transition.
        of: how many seeds were compared.
        location_median, location_low, location_high: the median, the earliest and the latest seed, in the unit of the axis.
        certainties: how sure each of the seeds is, in their order.
    """

    name: str
    support: str
    seeds: tuple[int, ...]
    of: int
    location_median: float
    location_low: float
    location_high: float
    reason: str
    certainties: tuple[Certainty, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Consensus:
    """The content of `consensus.json`: the transitions of a variant in the order of their times."""

    seeds: tuple[int, ...]
    transitions: tuple[Agreement, ...]
    axis: Axis = STEPS


def to_json(record: object) -> dict[str, Any]:
    """Return a record as dicts, lists, strings and numbers, with None for NaN and infinities."""
    return finite(TypeAdapter(type(record)).dump_python(record, by_alias=True, mode="json"))


def from_json(kind: type[Record], content: Any, source: str) -> Record:
    """Return the record that `content` describes; fields that the record does not have are ignored.

    Args:
        source: the file that the content was read from, for the message.

    Raises:
        SpecificationError: a field is missing or of the wrong type. The message names the file and every such field.
    """
    try:
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        faults = "; ".join(f"{field_name(fault['loc'])}: {fault['msg'].lower()}" for fault in error.errors())
        raise SpecificationError(f"{source}: {faults}. Delete the file and run the study again.") from None


def read_record(kind: type[Record], path: Path) -> Record:
    """Return the record in a JSON file.

    Raises:
        ResultError: the file is missing or no JSON.
        SpecificationError: a field is missing or of the wrong type.
    """
    return from_json(kind, read_json(path), str(path))


def field_name(location: Sequence[str | int]) -> str:
    """Return the place of a field as it would be written in Python: `candidates[2].p_value`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".") or "the content"


def finite(value: Any) -> Any:
    """Return a JSON value with None in place of NaN and infinities."""
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
