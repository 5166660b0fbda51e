"""Compare the transitions of a variant's seeds: what most of them do is supported."""

from ontogeny.jobs.job import Job
from ontogeny.pipeline.files import read_json, write_json
from ontogeny.transitions.consensus import consensus


def run(job: Job) -> None:
    """Write `consensus.json` of the variant."""
    by_seed = {seed: read_json(job.seed_folder(seed) / "transitions.json") for seed in job.specification["seeds"]}
    write_json(job.folder / "consensus.json", {"seeds": sorted(by_seed), **consensus(by_seed)})
