"""Put the ends of a family's runs into trajectories along the key that it sweeps, and look for transitions in them.

A trajectory of a seed has one checkpoint for each variant: the last one of the run. Its axis is the value of the key.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from ontogeny import config
from ontogeny.config.observables import Label
from ontogeny.jobs.detect import OUTPUTS, chains_of, developed, write_trajectory
from ontogeny.jobs.job import Job, Made
from ontogeny.jobs.measurements import Measurements, measured_tables
from ontogeny.pipeline.files import read_json, read_parquet, write_json, write_parquet, write_text
from ontogeny.pipeline.fingerprint import digest
from ontogeny.report.assets import write_plotly
from ontogeny.report.labels import given_labels
from ontogeny.report.run_page import run_page
from ontogeny.report.tables import WHOLE_NETWORK, RunReport
from ontogeny.trajectory import COLUMNS, STEPS, Axis
from ontogeny.transitions.consensus import consensus
from ontogeny.transitions.free_energies import Sampling
from ontogeny.transitions.records import Consensus, Development, FreeEnergyChange, to_json

FILES = (*OUTPUTS, "llc.parquet", "health.parquet", "run.json")
LINKS = {
    "index": "../../../report/index.html",
    "family": "../../report.html",
    **{name: name for name in FILES},
    "consensus.json": "../consensus.json",
    "manifest/along.json": "manifest/along.json",
}
NO_SAMPLE_SIZE: dict[str, Any] = {
    field.name: None for field in fields(FreeEnergyChange) if field.name.startswith(("critical_", "free_energy_"))
}


def run(job: Job) -> None:
    """Write the trajectory, the transitions and the page of each seed, and the consensus of all seeds."""
    key, variants = job.specification["along"]["key"], job.specification["along"]["variants"]
    axis = axis_of_key(key, list(variants.values()))
    own = replace(job, variant="along")
    began, developments = time.monotonic(), {}
    for seed in job.specification["seeds"]:
        folders = {value: job.family_folder / variant / f"seed~{seed}" for variant, value in variants.items()}
        developments[seed] = write_seed(own, own.seed_folder(seed), folders, axis, f"{job.label} seed {seed}")
    agreed = consensus(developments)
    with given_labels(job.section("labels", dict[str, Label])):
        for seed, development in developments.items():
            write_page(own, seed, development, agreed, axis)
    for seed in developments:
        inputs = [
            read_json(own.family_folder / name / f"seed~{seed}" / "manifest" / f"{kind}.json")["digest"]
            for name in variants
            for kind in job.kind.needs
        ]
        whole = digest({"job": job.name, "specification": job.without("seeds"), "seed": seed, "inputs": inputs})
        made = Made(outputs=[own.seed_folder(seed) / name for name in (*FILES, "report.html")])
        own.record(seed, whole, made, (time.monotonic() - began) / len(developments))
    write_json(own.folder / "consensus.json", to_json(agreed))


def axis_of_key(key: str, values: list[float]) -> Axis:
    """Return the axis of a swept key: logarithmic where all values are positive. Its name is the last part of the key."""
    name = key.rpartition(".")[2]
    name = name if name not in COLUMNS else key.replace(".", "_")
    return Axis(name=name, scale="log" if min(values) > 0 else "linear", unit=name.replace("_", " "))


def write_seed(job: Job, folder: Path, folders: Mapping[float, Path], axis: Axis, label: str) -> Development:
    """Write the trajectory of a seed and the transitions in it, and return these.

    Args:
        folder: what is written goes there.
        folders: value of the key -> the folder of the run.
    """
    health, llc = (
        along({value: read_parquet(run / f"{name}.parquet") for value, run in folders.items()}, axis)
        for name in ("health", "llc")
    )
    section, sampled = job.section("transitions", config.Transitions), job.specification["configuration"]["llc"]
    trajectory, development = developed(
        tables_along({value: measured_tables(run) for value, run in folders.items()}, axis),
        axis,
        section,
        chains=chains_of(llc, axis.name),
        changed={},
        prior=None,
        sampling=Sampling(inverse_temperature=sampled["inverse_temperature"], localization=sampled["localization"]),
        other_settings=None,
        label=label,
    )
    development = without_sample_sizes(development)
    write_trajectory(folder, trajectory, development)
    write_parquet(folder / "health.parquet", health)
    write_parquet(folder / "llc.parquet", llc)
    write_json(folder / "run.json", {"steps": [], "axis": asdict(axis), **job.specification["along"]})
    return development


def tables_along(by_value: Mapping[float, Mapping[str, Measurements]], axis: Axis) -> list[Measurements]:
    """Return the tables of a trajectory along a key, from those of the run at each value."""
    names = dict.fromkeys(name for tables in by_value.values() for name in tables)
    having = {name: {value: tables[name] for value, tables in by_value.items() if name in tables} for name in names}
    return [
        Measurements(
            along({value: table.rows for value, table in tables.items()}, axis),
            independent=all(table.independent for table in tables.values()),
        )
        for tables in having.values()
    ]


def along(by_value: Mapping[float, pd.DataFrame], axis: Axis) -> pd.DataFrame:
    """Return the rows at the last step of each table, with the value of the key in place of the step.

    Args:
        by_value: value of the key -> a table with the column `step`.
    """
    ends = [
        rows[rows[STEPS.name] == rows[STEPS.name].max()].drop(columns=STEPS.name).assign(**{axis.name: float(value)})
        for value, rows in sorted(by_value.items())
    ]
    joined = pd.concat(ends, ignore_index=True)
    joined.attrs = {}
    return joined.loc[:, [axis.name, *joined.columns.drop(axis.name)]]


def without_sample_sizes(development: Development) -> Development:
    """Return a development without critical sample sizes: the losses of different variants are not those of one data set."""
    return replace(development, candidates=tuple(replace(each, **NO_SAMPLE_SIZE) for each in development.candidates))


def write_page(job: Job, seed: int, development: Development, agreed: Consensus, axis: Axis) -> None:
    """Write the page of a seed's trajectory."""
    folder, configuration = job.seed_folder(seed), job.specification["configuration"]
    tables: dict[str, Any] = {name: read_parquet(folder / f"{name}.parquet") for name in ("trajectory", "llc", "health")}
    tables["health"] = pd.DataFrame(tables["health"][tables["health"]["component"] == WHOLE_NETWORK])
    report = RunReport(
        family=job.family,
        variant=f"along {axis.unit}",
        seed=seed,
        description=configuration["description"],
        transitions=development,
        consensus=agreed,
        specification={"seed": seed, **job.specification["along"], "configuration of the first variant": configuration},
        **tables,
    )
    links = {**LINKS, "plotly": f"../../../{write_plotly(job.results)}"}
    write_text(folder / "report.html", run_page(report, links))
