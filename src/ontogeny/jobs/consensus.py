"""Match the transitions of a variant over its seeds."""

from ontogeny.jobs.job import Job
from ontogeny.pipeline.files import write_json
from ontogeny.transitions.consensus import consensus
from ontogeny.transitions.records import Development, read_record, to_json


def run(job: Job) -> None:
    """Write `consensus.json` of the variant."""
    paths = {seed: job.seed_folder(seed) / "transitions.json" for seed in job.specification["seeds"]}
    by_seed = {seed: read_record(Development, path) for seed, path in paths.items()}
    write_json(job.folder / "consensus.json", to_json(consensus(by_seed)))
