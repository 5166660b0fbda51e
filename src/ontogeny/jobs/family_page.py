"""Write the page of a family: its seeds and variants over each other."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ontogeny.config.observables import Label
from ontogeny.config.pictures import PictureCard
from ontogeny.jobs.job import Job
from ontogeny.pipeline.files import read_json, read_parquet, write_text
from ontogeny.report.assets import write_plotly
from ontogeny.report.family_page import family_page
from ontogeny.report.labels import given_labels
from ontogeny.report.pictures.network import family_pictures
from ontogeny.report.tables import FamilySummary, PosteriorSummary, RunSummary
from ontogeny.transitions.records import Consensus, Development, read_record


def run(job: Job) -> None:
    """Write `report.html` of the family."""
    specification = job.specification
    family = summary(job.results, job.family, specification["description"], specification["variants"], to_family="")
    posteriors = [posterior(job.family_folder, variant) for variant in specification["phases"]]
    links = {"index": "../report/index.html", "plotly": f"../{write_plotly(job.results)}"}
    cards = job.section("picture_cards", dict[str, PictureCard])
    with given_labels(job.section("labels", dict[str, Label])):
        shown = along_summary(job.results, family) if specification["along"] else family
        developments = {(run.variant, run.seed): run.transitions for run in pictured(family, shown)}
        pictures = family_pictures(job.family_folder, developments, family.consensus, cards)
        page = family_page(replace(shown, posteriors=posteriors, pictures=pictures), links)
    write_text(job.family_folder / "report.html", page)


def pictured(family: FamilySummary, shown: FamilySummary) -> Sequence[RunSummary]:
    """Return the runs whose networks the page shows: all, or along a key the first seed at each of its values."""
    if not shown.ends:
        return family.runs
    first = shown.runs[0].seed
    by_variant = {run.variant: run for run in family.runs if run.seed == first}
    return [by_variant[variant] for variant in shown.ends]


def posterior(folder: Path, variant: str) -> PosteriorSummary:
    """Return what the page of the family in `folder` shows of the posterior of a variant."""
    return PosteriorSummary(
        variant=variant,
        table=read_parquet(folder / variant / "phases.parquet"),
        summary=read_json(folder / variant / "phases.json"),
        files={name: f"{variant}/{name}" for name in ("phases.json", "phases.parquet")},
    )


def along_summary(results: Path, family: FamilySummary) -> FamilySummary:
    """Return a family with its trajectories along the key that it sweeps in place of its runs."""
    folder = results / family.family / "along"
    agreed = read_record(Consensus, folder / "consensus.json")
    name = f"along {agreed.axis.unit}"
    runs = [
        RunSummary(
            variant=name,
            seed=seed,
            trajectory=read_parquet(folder / f"seed~{seed}" / "trajectory.parquet"),
            transitions=read_record(Development, folder / f"seed~{seed}" / "transitions.json"),
            href=f"along/seed~{seed}/report.html",
        )
        for seed in agreed.seeds
    ]
    values = read_json(folder / f"seed~{agreed.seeds[0]}" / "run.json")["variants"]
    ends: dict[str, dict[int, str]] = {variant: {} for variant in sorted(values, key=values.get)}
    for run in family.runs:
        ends[run.variant][run.seed] = run.href
    return replace(family, runs=runs, consensus={name: agreed}, axis=agreed.axis, ends=ends)


def summary(results: Path, family: str, description: str, variants: Mapping[str, Sequence[int]], to_family: str) -> FamilySummary:
    """Return what the pages of several runs show of a family; `to_family` leads from the page to the family's folder."""
    runs = [
        RunSummary(
            variant=variant,
            seed=seed,
            trajectory=read_parquet(results / family / variant / f"seed~{seed}" / "trajectory.parquet"),
            transitions=read_record(Development, results / family / variant / f"seed~{seed}" / "transitions.json"),
            href=f"{to_family}{variant}/seed~{seed}/report.html",
            provenance=read_json(results / family / variant / f"seed~{seed}" / "provenance.json"),
        )
        for variant, seeds in variants.items()
        for seed in seeds
    ]
    consensus = {variant: read_record(Consensus, results / family / variant / "consensus.json") for variant in variants}
    return FamilySummary(family=family, description=description, runs=runs, consensus=consensus, href=f"{to_family}report.html")
