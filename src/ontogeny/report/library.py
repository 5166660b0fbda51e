"""Write the page of a run from what the library returned: an estimate, or a table, and the transitions found in it."""

from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ontogeny.pipeline.files import write_text
from ontogeny.report.run_page import run_page
from ontogeny.report.tables import RunReport, draws_table
from ontogeny.sampling.calibration.stability import in_words
from ontogeny.trajectory import STEPS, WHOLE_NETWORK, assemble, localisation_rows, validated
from ontogeny.transitions.candidates import candidates
from ontogeny.transitions.free_energies import Sampling
from ontogeny.transitions.records import Development

if TYPE_CHECKING:
    from ontogeny.estimates.llc import Estimate


def write_report(
    estimate: "Estimate | pd.DataFrame",
    transitions: "pd.DataFrame | Development | None" = None,
    path: str | Path = "report.html",
    *,
    title: str = "run",
    description: str = "",
) -> Path:
    """Write the page of a run, in one file that needs no other, and return its path.

    Args:
        estimate: an `Estimate`, or a table of `trajectory.schema`: λ̂ beside other observables, from `trajectory.assemble`.
        transitions: what `detect_transitions` returned for it; None where no transition was looked for.
        path: of the file; its folder is made where it is missing.
        title: the name of the run.
        description: a sentence that stands below the title.

    Raises:
        ValueError: the table is no trajectory along training steps.
    """
    trajectory = validated(estimate, STEPS) if isinstance(estimate, pd.DataFrame) else trajectory_of(estimate)
    sampled = {} if isinstance(estimate, pd.DataFrame) else sampled_tables(estimate)
    report = RunReport(
        family=title,
        variant="",
        seed=None,
        description=description,
        trajectory=trajectory,
        transitions=development(trajectory, transitions, estimate),
        **sampled,
    )
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_text(target, run_page(report, {}))
    return target


def trajectory_of(estimate: "Estimate") -> pd.DataFrame:
    """Return λ̂ of the whole network and of each refined component, with the share that the localisation decides."""
    return assemble(estimate.to_trajectory(), localisation_rows(estimate.to_frame()))


def development(
    trajectory: pd.DataFrame, transitions: "pd.DataFrame | Development | None", estimate: "Estimate | pd.DataFrame"
) -> Development | None:
    """Return the candidates of a run; None where no transition was looked for."""
    if transitions is None or isinstance(transitions, Development):
        return transitions
    if isinstance(estimate, pd.DataFrame):
        return candidates(trajectory, transitions)
    known = estimate.stability
    bias = 0.0 if known is None else known.bias if known.whole_bias is None else known.whole_bias
    sampling = Sampling(inverse_temperature=estimate.inverse_temperature, step_bias=abs(bias))
    return candidates(trajectory, transitions, chains=estimate.chains, sampling=sampling)


def sampled_tables(estimate: "Estimate") -> dict[str, Any]:
    """Return what a page shows of the chains of an estimate: λ̂ of each, their checks, their draws and the sampler."""
    frame = estimate.to_frame()
    return {
        "llc": estimate.by_chain(),
        "health": pd.DataFrame(frame[frame["component"] == WHOLE_NETWORK]),
        "traces": draws_table(estimate.steps, estimate.trace),
        "calibration": calibration(estimate),
    }


def calibration(estimate: "Estimate") -> dict[str, Any]:
    """Return the settings of the sampler, as far as the estimate knows them."""
    settings: dict[str, Any] = {"inverse_temperature": estimate.inverse_temperature}
    if is_dataclass(estimate.sampler):
        settings |= {"sampler": asdict(estimate.sampler), "burn_in": estimate.burn_in}
    if estimate.stability is not None:
        settings |= {"stability": {**estimate.stability._asdict(), "verdict": in_words(estimate.stability)}}
    return settings
