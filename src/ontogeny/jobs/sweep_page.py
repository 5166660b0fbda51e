"""Write the page of a sweep over the settings of a variant's sampler."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ontogeny.estimates.llc import Estimate, summarise, with_step_size_check
from ontogeny.estimates.sweep import JudgedCell, judged
from ontogeny.jobs.job import Job
from ontogeny.pipeline.files import read_json, read_result, write_text
from ontogeny.report.assets import write_plotly
from ontogeny.report.sweep import SweepReport, sweep_page
from ontogeny.sampling.calibration.stability import Stability
from ontogeny.sampling.draws import STORED_AS, Draws

LINKS = {"index": "../../report/index.html", "family": "../report.html", "sweep.json": "sweep.json", "sweep.npz": "sweep.npz"}


def run(job: Job) -> None:
    """Write `sweep.html` of the variant. Pages that are not there yet get no link."""
    content = read_json(job.folder / "sweep.json")
    arrays = read_result(job.folder / "sweep.npz", read_arrays)
    cells = judged([judged_cell(place, content, arrays) for place in range(len(content["cells"]))])
    report = SweepReport(family=job.family, variant=job.variant, content=content, cells=cells)
    links = {name: address for name, address in LINKS.items() if (job.folder / address).is_file()}
    links["plotly"] = f"../../{write_plotly(job.results)}"
    write_text(job.folder / "sweep.html", sweep_page(report, links))


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return dict(file)


def judged_cell(place: int, content: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> JudgedCell:
    """Return λ̂ of every component at a cell, with the checks that it fails."""
    cell = content["cells"][place]
    return JudgedCell(
        **{name: cell[name] for name in ("step_size", "inverse_temperature", "localization")},
        estimates={name: estimate(name, place, content, arrays) for name in content["components"]},
        share_by_hessian=cell["held_by_localization"],
    )


def estimate(component: str, place: int, content: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Estimate:
    cell = content["cells"][place]
    draws = Draws(
        **{name: arrays[f"{component}/{name}"][place] for name in STORED_AS},
        **{name: cell[name] for name in ("inverse_temperature", "localization")},
        n=content["n"],
        batch_size=content["batch_size"],
        dimension=int(arrays[f"{component}/dimension"]),
        steps=np.asarray(content["steps"]),
    )
    return with_step_size_check(replace(summarise(draws), stability=stability_of(cell["stability"])))


def stability_of(stored: Mapping[str, Any] | None) -> Stability | None:
    """Return what the step of a cell comes to. JSON has no infinity: a step bias that is null is infinite."""
    if stored is None:
        return None
    infinite = {name: math.inf for name in ("step_bias",) if stored[name] is None}
    return Stability(**{**stored, **infinite})
