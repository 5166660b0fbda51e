"""What a job is told, where its files are, and how it knows what is already done.

The declared output of a job is one small manifest for its block. Beside every seed's results lies a manifest of each
stage with the digest of all that it depends on; a job skips the seeds whose digest is the same. So a seed that is
added to a block runs alone, and a job that was interrupted goes on where it was.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from ontogeny import config
from ontogeny.pipeline import provenance
from ontogeny.pipeline.files import read_json, write_json
from ontogeny.pipeline.fingerprint import digest


@dataclass(frozen=True, kw_only=True)
class Job:
    """One call of `python -m ontogeny STAGE`."""

    stage: str
    results: Path
    specification: Mapping[str, Any]
    base: Path = Path()
    family: str = ""
    variant: str = ""
    block: str = ""
    profile_trace: Path | None = None

    @property
    def family_folder(self) -> Path:
        return self.results / self.family

    @property
    def folder(self) -> Path:
        """The folder of the variant."""
        return self.family_folder / self.variant

    @property
    def label(self) -> str:
        return " ".join(part for part in (self.stage, f"{self.family}/{self.variant}".strip("/"), self.block) if part)

    def seed_folder(self, seed: int) -> Path:
        return self.folder / f"seed~{seed}"

    def manifest(self, seed: int, stage: str) -> dict[str, Any]:
        """What a stage wrote of a seed.

        Raises:
            FileNotFoundError: the stage has not been run for the seed.
        """
        return read_json(self.manifest_path(seed, stage))

    def manifest_path(self, seed: int, stage: str) -> Path:
        return self.seed_folder(seed) / "manifest" / f"{stage}.json"

    def seed_digest(self, seed: int, *inputs: str) -> str:
        """The digest of all that this stage's results for a seed depend on; `inputs` are digests of what it reads."""
        own = {key: value for key, value in self.specification.items() if key != "seeds"}
        return digest({"stage": self.stage, "specification": own, "seed": seed, "inputs": inputs})

    def is_done(self, seed: int, seed_digest: str, *outputs: Path) -> bool:
        """Whether the results of a seed are there and were made by the same specification, code and inputs."""
        path = self.manifest_path(seed, self.stage)
        return path.is_file() and read_json(path)["digest"] == seed_digest and all(output.exists() for output in outputs)

    @contextmanager
    def recorded(self, seed: int, seed_digest: str) -> Iterator[dict[str, Any]]:
        """Write the seed's manifest when the work inside has succeeded; what it adds to the mapping goes in too."""
        began = time.monotonic()
        details: dict[str, Any] = {}
        yield details
        record = provenance.record(self.stage, seed_digest, self.specification["code"], time.monotonic() - began)
        write_json(self.manifest_path(seed, self.stage), record | details | {"specification": dict(self.specification)})

    def finish(self, digests: Mapping[int, str]) -> None:
        """Write the declared output: the digest of every seed of the block."""
        write_json(
            self.folder / "jobs" / self.block / f"{self.stage}.json",
            {"digests": {str(seed): digests[seed] for seed in sorted(digests)}},
        )

    def section(self, name: str, kind: Any) -> Any:
        """A section of the specification as its config model."""
        return TypeAdapter(kind).validate_python(self.specification[name])


def task_and_model(job: Job) -> tuple[config.Task, config.Model]:
    """The task and the model that the job's specification names."""
    return as_task(job.specification["task"]), job.section("model", config.Model)


def as_task(section: Mapping[str, Any]) -> config.Task:
    """A section of a task as its config model."""
    return TypeAdapter(config.Task).validate_python(section)
