"""Assemble the trajectory of each seed from what other jobs measured, and look for transitions in it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ontogeny import config
from ontogeny.jobs.job import Job, Made
from ontogeny.jobs.measurements import Measurements, axis_of_run, measured_tables, measurement_files
from ontogeny.pipeline.files import read_json, read_parquet, write_csv, write_json, write_parquet
from ontogeny.pipeline.progress import progress
from ontogeny.trajectory import Axis, assemble, with_axis
from ontogeny.transitions.candidates import candidates
from ontogeny.transitions.detection.detect import detect_transitions, searches
from ontogeny.transitions.free_energies import Sampling
from ontogeny.transitions.interventions import interventions
from ontogeny.transitions.naming import rules_of
from ontogeny.transitions.records import Development, to_json

OUTPUTS = ("trajectory.parquet", "trajectory.csv", "transitions.json")


def run(job: Job) -> None:
    """Write `trajectory.parquet`, `trajectory.csv` and `transitions.json` of each seed that does not have them."""
    training, section = job.section("training", config.Training), job.section("transitions", config.Transitions)

    def detect_seed(seed: int) -> Made:
        folder = job.seed_folder(seed)
        sampling = sampling_of(job.folder / "calibration.json", job.manifest(seed, "estimate"))
        settings = settings_of(job.folder / "sensitivity.json", seed)
        write_transitions(folder, job.run(seed)["steps"], training, section, sampling, settings, f"{job.label} seed {seed}")
        return Made(outputs=[folder / name for name in OUTPUTS])

    # Only the run that was sampled at other settings depends on what they gave.
    other = job.folder / "sensitivity.json"

    def reads(seed: int) -> list[Path]:
        return [*measurement_files(job.seed_folder(seed)), *([other] if settings_of(other, seed) else [])]

    job.per_seed(detect_seed, reads=reads)


def write_transitions(
    folder: Path,
    kept: Sequence[int],
    training: config.Training,
    section: config.Transitions,
    sampling: Sampling,
    other_settings: Mapping[str, Mapping[float, float]] | None,
    label: str,
) -> None:
    """Write the trajectory of a run and the transitions in it.

    Args:
        kept: the steps of the run whose checkpoints are stored.
        other_settings: as in `candidates`.
        label: what the lines of progress begin with.
    """
    axis = axis_of_run(folder)
    prior = None if section.prior_variance is None else negative_log_prior(folder, kept, section.prior_variance)
    trajectory, development = developed(
        list(measured_tables(folder, axis).values()),
        axis,
        section,
        chains=chains_of(read_parquet(folder / "llc.parquet"), axis.name),
        changed=interventions(training, section),
        prior=prior,
        sampling=sampling,
        other_settings=other_settings,
        label=label,
    )
    write_trajectory(folder, trajectory, development)


def write_trajectory(folder: Path, trajectory: pd.DataFrame, development: Development) -> None:
    """Write the three outputs of a seed."""
    write_parquet(folder / "trajectory.parquet", trajectory)
    write_csv(folder / "trajectory.csv", trajectory)
    write_json(folder / "transitions.json", to_json(development))


def developed(
    tables: Sequence[Measurements],
    axis: Axis,
    section: config.Transitions,
    *,
    chains: Mapping[tuple[str, str], np.ndarray],
    changed: Mapping[float, str],
    prior: Mapping[float, float] | None,
    sampling: Sampling,
    other_settings: Mapping[str, Mapping[float, float]] | None,
    label: str,
) -> tuple[pd.DataFrame, Development]:
    """Return the trajectory that tables make along an axis, and the transitions in it.

    Args:
        chains: as in `detect_transitions`.
        changed: place on the axis -> what was changed in the training there.
        prior, other_settings: as in `candidates`.
        label: what the lines of progress begin with.
    """
    trajectory = assemble(*(table.rows for table in tables), axis=axis)
    independent = assemble(*(table.rows for table in tables if table.independent), axis=axis)
    independent = with_axis(pd.DataFrame(independent[~independent["observable"].isin(section.not_searched)]), axis)
    with progress(label, searches(independent), "searches") as show:
        detected = detect_transitions(
            independent,
            axis=axis.name,
            scale=axis.scale,
            alpha=section.alpha,
            chains=chains,
            interventions=changed,
            progress=show,
        )
    development = candidates(
        trajectory,
        detected,
        rules_of(section.rules, section.least_changes),
        section.least_changes,
        chains=chains,
        negative_log_prior=prior,
        axis=axis,
        sampling=sampling,
        other_settings=other_settings,
    )
    return trajectory, development


def sampling_of(calibration: Path, estimated: Mapping[str, Any]) -> Sampling:
    """Return how λ̂ and the loss of a run were measured, as far as it is written.

    Args:
        calibration: the path of calibration.json.
        estimated: the manifest of the estimates.
    """
    chosen = read_json(calibration) if calibration.is_file() else {}
    stability = chosen.get("stability", {})
    bias = stability.get("bias") if stability.get("whole_bias") is None else stability["whole_bias"]
    return Sampling(
        inverse_temperature=chosen.get("inverse_temperature"),
        localization=chosen.get("localization"),
        averages_over=estimated.get("averages_over") or 1,
        step_bias=abs(bias or 0.0),
        held_by_hessian=max(chosen["spectrum"]["held_by_localization"]) if "spectrum" in chosen else None,
    )


def settings_of(sensitivity: Path, seed: int) -> dict[str, dict[float, float]] | None:
    """Return setting -> step -> λ̂ there, of other γ and nβ; None for a run that was not sampled at any.

    Args:
        sensitivity: the path of sensitivity.json.
    """
    content = read_json(sensitivity) if sensitivity.is_file() else {}
    if content.get("seed") != seed:
        return None
    llc = {name: dict(zip(content["steps"], values["llc"], strict=True)) for name, values in content["settings"].items()}
    return {name: values for name, values in llc.items() if "ε" not in name}


def chains_of(llc: pd.DataFrame, column: str = "step") -> dict[tuple[str, str], np.ndarray]:
    """Return (observable, component) -> λ̂ of each chain [K, C]: of the whole network, of its parts and on other data."""
    return {
        ("llc", str(component)): rows.pivot(index=column, columns="chain", values="llc").sort_index().to_numpy(float)
        for component, rows in llc.groupby("component", sort=False)
    }


def negative_log_prior(folder: Path, kept: Sequence[int], variance: float) -> dict[float, float]:
    """Return step -> ½|w|² / variance at a seed's checkpoints: minus the log of a normal prior about 0, up to a constant."""
    from ontogeny.checkpoints import blocks  # it imports JAX

    steps, params = blocks.read(folder / "checkpoints", kept)
    flat = np.concatenate([array.reshape(len(steps), -1).astype(float) for array in params.values()], axis=1)
    return dict(zip(steps.tolist(), (0.5 * np.sum(flat**2, axis=1) / variance).tolist(), strict=True))
