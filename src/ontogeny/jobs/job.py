"""The specification of a job, the paths of its files, and whether its results are already whole.

The declared output of a job is one small manifest for its block. Beside every seed's results lies a manifest of each kind of
job, with the digest of all that the results depend on and with the outputs. A job skips the seeds whose digest is the same and
whose outputs are whole. So a seed that is added to a block runs alone, and an interrupted job goes on where it stopped.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from ontogeny import config
from ontogeny.config.job_names import KINDS, JobKind
from ontogeny.pipeline import manifests, provenance
from ontogeny.pipeline.files import ResultError, read_json, write_json
from ontogeny.pipeline.fingerprint import digest, file_digest

OPTIONAL = ("sensitivity",)
"""Kinds of jobs that a study may leave out."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a job made for one seed.

    Attributes:
        outputs: the files and folders that the job wrote and that must stay whole.
        details: what the manifest says besides; "seconds" replaces the time that the work took.
    """

    outputs: Sequence[Path]
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One call of `ontogeny KIND`."""

    name: str
    results: Path
    specification: Mapping[str, Any]
    base: Path = Path()
    family: str = ""
    variant: str = ""
    block: str = ""
    profile_trace: Path | None = None

    @property
    def kind(self) -> JobKind:
        return KINDS[self.name]

    @property
    def family_folder(self) -> Path:
        return self.results / self.family

    @property
    def folder(self) -> Path:
        """Return the folder of the variant."""
        return self.family_folder / self.variant

    @property
    def label(self) -> str:
        return " ".join(part for part in (self.name, f"{self.family}/{self.variant}".strip("/"), self.block) if part)

    def seed_folder(self, seed: int) -> Path:
        return self.folder / f"seed~{seed}"

    def run(self, seed: int) -> dict[str, Any]:
        """Return the content of a seed's run.json: the kept steps, the digest of the run, its axis."""
        return read_json(self.seed_folder(seed) / "run.json")

    def manifest_path(self, seed: int, kind: str) -> Path:
        return self.seed_folder(seed) / "manifest" / f"{kind}.json"

    def manifest(self, seed: int, kind: str) -> dict[str, Any]:
        """Return what a kind of job wrote of a seed.

        Raises:
            ResultError: the job has not been run for the seed, or its manifest is damaged.
        """
        return read_json(self.manifest_path(seed, kind))

    def per_seed(self, work: Callable[[int], Made], reads: Callable[[int], Iterable[Path]] = lambda seed: ()) -> None:
        """Do the work of every seed whose results are not there, write its manifest, and then the declared output.

        Args:
            work: from a seed to what was made for it.
            reads: from a seed to files that its results depend on, besides the results of the jobs that the kind needs.
        """
        digests = {}
        for seed in self.specification["seeds"]:
            digests[seed] = self.seed_digest(seed, [file_digest(path) for path in reads(seed)])
            if not self.is_done(seed, digests[seed]):
                began = time.monotonic()
                made = work(seed)
                self.record(seed, digests[seed], made, time.monotonic() - began)
        self.finish(digests)

    def inputs(self, seed: int) -> list[str]:
        """Return the digests of the results that this kind of job needs."""
        return [
            self.manifest(seed, need)["digest"] if KINDS[need].scope == "block" else self.variant_digest(need)
            for need in self.kind.needs
            if need not in OPTIONAL or (self.folder / manifests.VARIANT_FILES[need]).is_file()
        ]

    def variant_digest(self, kind: str) -> str:
        """Return the digest of a result that all seeds of the variant share."""
        content = read_json(self.folder / manifests.VARIANT_FILES[kind])
        return content.get("digest") or digest(content)

    def seed_digest(self, seed: int, files: Sequence[str] = ()) -> str:
        """Return the digest of all that this job's results for a seed depend on; `files` are digests of what it reads."""
        inputs = [*self.inputs(seed), *files]
        return digest({"job": self.name, "specification": self.without("seeds"), "seed": seed, "inputs": inputs})

    def without(self, *parts: str) -> dict[str, Any]:
        """Return the specification less some of its entries."""
        return {key: value for key, value in self.specification.items() if key not in parts}

    def is_done(self, seed: int, seed_digest: str) -> bool:
        """Return whether the results of a seed are whole and depend on the same specification, code and inputs."""
        try:
            manifest = self.manifest(seed, self.name)
            same = manifest["digest"] == seed_digest
            return same and manifests.damage(self.seed_folder(seed), manifest, thorough=True) is None
        except (ResultError, KeyError):
            return False

    def record(self, seed: int, seed_digest: str, made: Made, seconds: float) -> None:
        """Write the manifest of a seed's results."""
        record = provenance.record(self.name, seed_digest, self.specification["code"], seconds)
        outputs = manifests.describe(self.seed_folder(seed), made.outputs)
        entry = {**record, **made.details, "outputs": outputs, "specification": dict(self.specification)}
        write_json(self.manifest_path(seed, self.name), entry)

    def finish(self, digests: Mapping[int, str]) -> None:
        """Write the declared output: the digest of every seed."""
        content = {"digests": {str(seed): digests[seed] for seed in sorted(digests)}}
        write_json(self.folder / "jobs" / self.block / f"{self.name}.json", content)

    def section(self, name: str, kind: Any) -> Any:
        """Return a section of the specification as its config model."""
        return TypeAdapter(kind).validate_python(self.specification[name])


def task_and_model(job: Job) -> tuple[config.Task, config.Model]:
    """Return the task and the model that the job's specification names."""
    return as_task(job.specification["task"]), job.section("model", config.Model)


def as_task(section: Mapping[str, Any]) -> config.Task:
    """Return a section of a task as its config model."""
    return TypeAdapter(config.Task).validate_python(section)
